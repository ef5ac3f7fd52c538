"""The program that runs ON the server.  Standard library only, nothing of ours.

It is sent as one archive with each request and kept below /run, where only root writes.
Plain types across the border.
"""
