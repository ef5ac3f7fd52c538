"""People in a notebook.  No password stands in a cell or is kept in an output."""

from __future__ import annotations

import getpass
import os
from typing import Any

from ispguide import tasks
from ispguide.notebook import switch
from ispguide.notebook.pages import guarded
from ispguide.notebook.show import Shown, sentence, table
from ispguide.settings import Secret


def add(what: str) -> Any:
    """A mailbox (its password is asked for, hidden) or a domain."""

    def work() -> Any:
        if _looking():
            return _only_looking()
        lists = tasks.people_list(tasks.HERE, switch.current())
        if what in (row[0] for rows in lists.values() for row in rows):
            return sentence(f"{what} is there already.")
        secret = _typed() if "@" in what else None
        tasks.people_add(tasks.HERE, what, secret, switch.current())
        return sentence(f"{what} is there.")

    return guarded(work)


def password(address: str) -> Any:
    """Another password for a mailbox, typed hidden."""

    def work() -> Any:
        if _looking():
            return _only_looking()
        tasks.people_password(tasks.HERE, address, _typed(), switch.current())
        return sentence(f"{address} has another password.")

    return guarded(work)


def alias(source: str, destination: str) -> Any:
    """Mail to `source` goes to `destination`."""

    def work() -> Any:
        if _looking():
            return _only_looking()
        tasks.people_alias(tasks.HERE, source, destination, switch.current())
        return sentence(f"Mail to {source} goes to {destination}.")

    return guarded(work)


def list() -> Any:
    """Domains, mailboxes and aliases of the server in use."""

    def work() -> Shown:
        lists = tasks.people_list(tasks.HERE, switch.current())
        rows = [
            (kind, " → ".join(row[:2] if kind == "aliases" else row[:1]))
            for kind, found in lists.items()
            for row in found
        ]
        return table(("kind", "name"), rows)

    return guarded(work)


def _looking() -> bool:
    return switch.position() == switch.LOOK


def _only_looking() -> Shown:
    return sentence("Looking only: nobody was added or changed.")


def _typed() -> Secret | None:
    """What the reader types, unseen; None (then one is made) where nobody can type."""
    if os.environ.get("ISPGUIDE_CELLS"):
        return None
    text = getpass.getpass("Password (empty: one is made that nobody knows): ")
    return Secret(text) if text else None
