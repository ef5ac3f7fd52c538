"""The DNS coach: which records a mail server needs, and what those there are mean.

Pure: `outside` asks and publishes, this package decides.
Not to be taken for the library dnspython, whose package is the top-level `dns`.
"""
