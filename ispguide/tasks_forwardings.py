"""The Fabric tasks about forwardings, and about who may send as whom."""

from __future__ import annotations

from typing import Any

from fabric import task

from ispguide import addressbook as ours
from ispguide import people as book
from ispguide.addressbook import must
from ispguide.names import shown
from ispguide.opening import PRACTICE, open_guide
from ispguide.people.senders import Sender, senders


@task
def people_alias(
    c: Any, source: str, destination: str, server: str = PRACTICE, sudo: Any = None
) -> None:
    """Mail to `source` (or to @domain) goes to `destination`."""
    guide = open_guide(server, sudo)
    with guide.server:
        source = book.valid_address(source, catch_all=True)
        destination = book.valid_address(destination)
        found = ours.lists(guide)
        ours.must_be_ours(found, source)
        boxes = ours.column(found["mailboxes"])
        must(
            source != destination or source in boxes,
            "circle",
            f"{shown(source)} cannot be forwarded to itself.",
        )
        change = book.add_alias(source, destination)
        found = ours.change(guide, change, f"alias {source}")
        must(
            [source, destination] in found["aliases"],
            "not-kept",
            f"{shown(source)} is still not in the list.",
        )


@task
def people_forget(
    c: Any, source: str, destination: str, server: str = PRACTICE, sudo: Any = None
) -> None:
    """Mail to `source` does not go to `destination` any more; to others it still does."""
    guide = open_guide(server, sudo)
    with guide.server:
        row = [
            book.valid_address(source, catch_all=True),
            book.valid_address(destination),
        ]
        must(
            row in ours.lists(guide)["aliases"],
            "no-such-alias",
            f"Mail to {shown(row[0])} does not go to {shown(row[1])}.",
        )
        found = ours.change(guide, book.forget_alias(*row), f"forget {row[0]}")
        must(
            row not in found["aliases"],
            "not-kept",
            f"{shown(row[0])} is still in the list.",
        )


@task
def people_senders(c: Any, server: str = PRACTICE, sudo: Any = None) -> list[Sender]:
    """Every mailbox, and the addresses its owner may send as."""
    guide = open_guide(server, sudo)
    with guide.server:
        return senders(ours.lists(guide))
