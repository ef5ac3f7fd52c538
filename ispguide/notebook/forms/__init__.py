"""Forms: where the reader decides, types and chooses.  They keep nothing themselves.

Settings go to the server, a chosen server into one small file, and a password into
`Secret` and out of its field in the same breath.
"""
