"""The address book of a server that is open: look, change, look again.

What is reported was seen; what the database refuses is an error with its words.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from ispguide import people
from ispguide.actions import Run
from ispguide.errors import GuideError
from ispguide.guide import Guide
from ispguide.names import shown
from ispguide.people import Lists
from ispguide.settings import Secret


def lists(guide: Guide) -> Lists:
    """Who is there now."""
    return people.lists_of(guide.exchange(tell=people.LISTS).have)


def change(guide: Guide, actions: Run | Sequence[Run], what: str) -> Lists:
    """Do it, and say who is there afterwards."""
    todo = [actions] if isinstance(actions, Run) else list(actions)
    answer = guide.exchange(todo, step=f"people: {what}")
    if not answer.done or not answer.done["ok"]:
        raise GuideError(
            f"The server refused: {what}.",
            "Nothing was changed.",
            "Read its words below.",
            (answer.done or {}).get("evidence", ""),
            kind="server-refused",
        )
    return lists(guide)


def given_or_made(password: Secret | None) -> tuple[str, Secret]:
    """What was made here ("" when a password was given), and the one to set."""
    made = "" if password else secrets.token_urlsafe(15)
    return made, people.valid_password(password or Secret(made))


def column(rows: list[list[str]]) -> list[str]:
    return [row[0] for row in rows]


def mailbox(found: Lists, address: str) -> str:
    """The address as it is stored, when it is a mailbox here."""
    address = people.valid_address(address)
    must(
        address in column(found["mailboxes"]),
        "no-such-mailbox",
        f"There is no mailbox {shown(address)}.",
    )
    return address


def must_be_ours(found: Lists, address: str) -> None:
    """Its domain is one of this server's."""
    domain = address.rpartition("@")[2]
    must(
        domain in column(found["domains"]),
        "no-such-domain",
        f"{shown(domain)} is no mail domain of this server.",
        f"./guide people add {shown(domain)} makes it one; its DNS must point here too.",
    )


def must(true: bool, kind: str, is_: str, do: str = "Nothing was changed.") -> None:
    if not true:
        raise GuideError(is_, "", do, kind=kind)
