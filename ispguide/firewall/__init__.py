"""The firewall: which rules should be in force, and how they are changed without risk.

`things` says what should be true, `rules` how a change takes itself back.  Knows only
the table of its own, `inet ispguide`; tables of others are neither read nor touched.
"""
