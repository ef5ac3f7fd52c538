"""This computer's half of the world: names, look-ups, conversations, updates of zones."""
