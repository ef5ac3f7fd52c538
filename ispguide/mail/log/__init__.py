"""The journey of a mail, hop by hop: when, who, what, and what it means.

`hops` hears the SMTP dialogue and asks what Postfix asks the database, `trace` reads the
journal, `way` tells what became of a letter.  Pure; `proofs.journey` sends one.
"""

from __future__ import annotations

from ispguide.mail.log.hops import HOP_STATES, STATIONS, Hop, in_order

__all__ = ["HOP_STATES", "STATIONS", "Hop", "in_order"]
