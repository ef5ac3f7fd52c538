"""What only a mail server has, as questions, things and words.  Pure."""
