"""The safe: where backups go, what is in them, and the way back out of them.

`places` knows the paths and the words of restic, `things` what should be true,
`returning` what is done to get something back, `inventory` how two servers are compared.
"""
