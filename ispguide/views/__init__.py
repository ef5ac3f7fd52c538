"""What is found as HTML, pictures and text.  No widget, and nobody is asked."""
