"""Who may send as whom, as Postfix reckons it (chapter 12, mysql-sender-logins.cf).

The owner of a mailbox writes as its address, and as each address whose forwarding
leads straight to it; a catch-all gives every free name of its domain.  What leads on
through a second forwarding does not count.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from ispguide.people.lists import Lists


@dataclass(frozen=True)
class Sender:
    """A mailbox.  `names`: what else it may send as; `locked`: it cannot log in."""

    address: str
    names: tuple[str, ...] = ()
    locked: bool = False


def senders(lists: Lists) -> list[Sender]:
    """Every mailbox of the server, by its address."""
    names = defaultdict[str, list[str]](list)
    for source, destination in (row[:2] for row in lists["aliases"]):
        if source != destination:
            names[destination].append(source)
    return [
        Sender(address, tuple(sorted(names[address])), enabled == "0")
        for address, _, enabled in (row[:3] for row in lists["mailboxes"])
    ]
