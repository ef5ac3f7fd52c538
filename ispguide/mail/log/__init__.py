"""The journey of a mail, hop by hop: when, who, what, and what it means.

`door` hears the SMTP dialogue, `book` asks what Postfix asks the database, `log` reads
the journal, `travel` sends the letter and follows it.  Only `travel` does anything.
"""

from __future__ import annotations

from ispguide.mail.log.hops import HOP_STATES, STATIONS, Hop, in_order

__all__ = ["HOP_STATES", "STATIONS", "Hop", "in_order"]
