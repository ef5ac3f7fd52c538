"""People in a notebook.  No password stands in a cell or is kept in an output.

`form` is for people; the other verbs are for scripts, and for whoever would rather
type a line.  There a password is asked for unseen, or made and known to nobody.
"""

from __future__ import annotations

import getpass
from typing import Any

from ispguide import tasks
from ispguide.engine.settings import Secret
from ispguide.mail.people.things import in_words
from ispguide.notebook import switch
from ispguide.notebook.card import headless, live
from ispguide.notebook.show import Shown, guarded, sentence, table
from ispguide.views import style
from ispguide.views.people import senders_rows
from ispguide.views.people import table as people_table

SENDERS = ("who logs in as", "may send as", "and as")


def form() -> Any:
    """Who is there, and a form for each change; a table where nobody can type."""
    if headless():
        return list()
    from ispguide.notebook.forms.people import PeopleCard

    def work() -> Any:
        card = PeopleCard()
        card.look()
        return card

    return guarded(work)


def add(what: str) -> Any:
    """A mailbox (its password is asked for, hidden) or a domain."""

    def work() -> Any:
        lists = switch.here()(tasks.people_list)
        if what in (row[0] for rows in lists.values() for row in rows):
            return sentence(f"{what} is there already.")
        secret = _typed() if "@" in what else None
        switch.here()(tasks.people_add, what, secret)
        return sentence(f"{what} is there.")

    return _changing(work)


def password(address: str) -> Any:
    """Another password for a mailbox, typed hidden."""

    def work() -> Any:
        switch.here()(tasks.people_password, address, _typed())
        return sentence(f"{address} has another password.")

    return _changing(work)


def alias(source: str, destination: str) -> Any:
    """Mail to `source` goes to `destination`."""

    def work() -> Any:
        switch.here()(tasks.people_alias, source, destination)
        return sentence(f"Mail to {source} goes to {destination}.")

    return _changing(work)


def remove(what: str) -> Any:
    """A mailbox's login, a forwarding or a domain goes; mail on disk stays."""

    def work() -> Any:
        switch.here()(tasks.people_remove, what)
        return sentence(f"{what} is gone. Its mail, if any, is still in /var/vmail.")

    return _changing(work)


def list() -> Any:
    """Domains, mailboxes and aliases of the server in use."""

    def work() -> Shown:
        lists = switch.here()(tasks.people_list)
        rows = [
            (kind, in_words(kind, row))
            for kind, found in lists.items()
            for row in found
        ]
        return table(("kind", "name"), rows)

    return guarded(work)


def senders() -> Any:
    """Who may send as whom, on the server in use."""

    def work() -> Shown:
        found = switch.here()(tasks.people_senders)
        rows = senders_rows(found)
        html = style.style() + style.box(people_table(SENDERS, rows))
        return Shown(html, "\n".join("  ".join(row) for row in rows))

    return guarded(work)


def file(path: str = "") -> Any:
    """What a file of people (CSV) would do, and a button for it; "": an example."""
    from ispguide.notebook.forms.people import FileCard, text_of

    if not headless():
        return live(lambda: FileCard(path), lambda card: card.look())

    def work() -> Shown:
        return sentence(switch.here()(tasks.people_plan, text_of(path)).words())

    return guarded(work)


def _changing(work: Any) -> Any:
    """Do it, unless the switch or a replay forbids."""
    from ispguide.notebook.forms.fields import why_not

    def careful() -> Any:
        reason = why_not()
        return sentence(f"{reason} Nobody was added or changed.") if reason else work()

    return guarded(careful)


def _typed() -> Secret | None:
    """What the reader types, unseen; None (then one is made) where nobody can type."""
    if headless():
        return None
    text = getpass.getpass("Password (empty: one is made that nobody knows): ")
    return Secret(text) if text else None
