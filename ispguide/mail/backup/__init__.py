"""The safe: where backups go, what is in them, and the way back out of them.

`things` knows the paths and the words of restic, and what should be true, `restore` what
is done to get something back, `inventory` how two servers are compared.
"""
