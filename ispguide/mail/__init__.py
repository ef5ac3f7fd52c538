"""Limits of mailboxes: what a new one gets, and how full each of them is.

Pure.  Dovecot counts, Postfix refuses; here stands only what is asked and what it means.
"""
