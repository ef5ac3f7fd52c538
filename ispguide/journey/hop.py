"""Hop: one thing that happened to a letter.  Pure data, and their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Who holds the letter, in the order of the way.
STATIONS = {
    "stranger": "A stranger",
    "postfix": "Postfix",
    "mariadb": "MariaDB",
    "rspamd": "rspamd",
    "dovecot": "Dovecot",
    "reader": "The reader",
}

#: Shape and word of what became of the letter at a hop.
HOP_STATES = {
    "ok": ("✓", "goes on"),
    "no": ("✗", "refused"),
    "wait": ("‖", "waits"),
    "note": ("!", "look here"),
}


@dataclass(frozen=True)
class Hop:
    """One thing that happened.  `at`: seconds since the stranger knocked.

    `what` is short, `words` are for a newcomer, `detail` is what programs said."""

    at: float
    who: str
    what: str
    words: str
    detail: str = ""
    state: str = "ok"


def in_order(hops: Sequence[Hop]) -> list[Hop]:
    """By time; what happened at the same moment, as it was heard."""
    return sorted(hops, key=lambda hop: hop.at)


def outcome(hops: Sequence[Hop]) -> Hop | None:
    """The hop that says what became of the letter: a no, the mailbox, or a wait."""
    ordered = in_order(hops)
    for state, who in (("no", "postfix"), ("ok", "reader"), ("ok", "dovecot")):
        if found := [h for h in ordered if (h.state, h.who) == (state, who)]:
            return found[-1] if state == "ok" else found[0]
    waits = [h for h in ordered if h.state == "wait"]
    return waits[-1] if waits else None
