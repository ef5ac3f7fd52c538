"""The Fabric tasks about people; `tasks` offers them with the others.

Each looks at the lists first and again afterwards: what is reported was seen.
"""

from __future__ import annotations

import secrets
from typing import Any

from fabric import task

from ispguide import people as book
from ispguide.errors import GuideError
from ispguide.guide import Guide
from ispguide.opening import PRACTICE, open_guide
from ispguide.settings import Secret


@task
def people_list(
    c: Any, server: str = PRACTICE, sudo: Any = None
) -> dict[str, list[list[str]]]:
    """{domains, mailboxes, aliases}, each a list of rows."""
    guide = open_guide(server, sudo)
    with guide.server:
        return _lists(guide)


def _lists(guide: Guide) -> dict[str, list[list[str]]]:
    have = guide.exchange(tell=book.LISTS).have
    for fact in book.LISTS:
        if "error" in have[fact]:
            raise GuideError(
                f"The list of people cannot be read: {have[fact]['error']}.",
                "The chapter database should be true first.",
                "./guide apply database",
            )
    names = ("domains", "mailboxes", "aliases")
    return {n: have[f]["rows"] for n, f in zip(names, book.LISTS, strict=True)}


def _change(guide: Guide, action: Any, what: str) -> dict[str, list[list[str]]]:
    answer = guide.exchange([action], step=f"people: {what}")
    if not answer.done or not answer.done["ok"]:
        raise GuideError(
            f"The database refused: {what}.",
            "Nothing was changed.",
            "Read its words below.",
            (answer.done or {}).get("evidence", ""),
        )
    return _lists(guide)


@task
def people_add(
    c: Any, what: str, password: Any = None, server: str = PRACTICE, sudo: Any = None
) -> str:
    """Add a mailbox (an address) or a domain.  The password, when one was made."""
    guide = open_guide(server, sudo)
    with guide.server:
        if "@" in what:
            return _add_mailbox(guide, book.valid_address(what), password)
        domain = book.valid_domain(what)
        _must(
            domain not in _column(_lists(guide)["domains"]),
            f"{domain} is there already.",
        )
        _change(guide, book.add_domain(domain), f"add {domain}")
        return ""


def _add_mailbox(guide: Guide, address: str, password: Secret | None) -> str:
    """The password, when none was given and one was made."""
    lists = _lists(guide)
    _must_be_ours(lists, address)
    _must(
        address not in _column(lists["mailboxes"]),
        f"{address} has a mailbox already.",
        "./guide people password changes its password.",
    )
    made, secret = _given_or_made(password)
    lists = _change(guide, book.add_mailbox(address, secret), f"add {address}")
    _must(
        address in _column(lists["mailboxes"]), f"{address} is still not in the list."
    )
    return made


def _given_or_made(password: Secret | None) -> tuple[str, Secret]:
    """What was made here ("" when a password was given), and the one to set."""
    made = "" if password else secrets.token_urlsafe(15)
    return made, book.valid_password(password or Secret(made))


@task
def people_password(
    c: Any, address: str, password: Any = None, server: str = PRACTICE, sudo: Any = None
) -> str:
    """Another password for a mailbox; returned when it was made here."""
    guide = open_guide(server, sudo)
    with guide.server:
        address = book.valid_address(address)
        _must(
            address in _column(_lists(guide)["mailboxes"]),
            f"There is no mailbox {address}.",
        )
        made, secret = _given_or_made(password)
        _change(guide, book.set_password(address, secret), f"password of {address}")
        return made


@task
def people_alias(
    c: Any, source: str, destination: str, server: str = PRACTICE, sudo: Any = None
) -> None:
    """Mail to `source` (or to @domain) goes to `destination`."""
    guide = open_guide(server, sudo)
    with guide.server:
        source = book.valid_address(source, catch_all=True)
        destination = book.valid_address(destination)
        lists = _lists(guide)
        _must_be_ours(lists, source)
        _must(source != destination, f"{source} cannot be forwarded to itself.")
        lists = _change(guide, book.add_alias(source, destination), f"alias {source}")
        _must(
            [source, destination] in lists["aliases"],
            f"{source} is still not in the list.",
        )


@task
def people_remove(c: Any, what: str, server: str = PRACTICE, sudo: Any = None) -> None:
    """Remove a mailbox's login, an alias or a domain; mail on disk stays."""
    guide = open_guide(server, sudo)
    with guide.server:
        what = (
            book.valid_address(what, catch_all=True)
            if "@" in what
            else book.valid_domain(what)
        )
        lists = _lists(guide)
        there = {row[0] for rows in lists.values() for row in rows}
        _must(what in there, f"There is no {what} on this server.")
        _change(guide, book.remove(what), f"remove {what}")


def _column(rows: list[list[str]]) -> list[str]:
    return [row[0] for row in rows]


def _must_be_ours(lists: dict[str, list[list[str]]], address: str) -> None:
    domain = address.rpartition("@")[2]
    _must(
        domain in _column(lists["domains"]),
        f"{domain} is no mail domain of this server.",
        f"./guide people add {domain} makes it one; its DNS must point here too.",
    )


def _must(true: bool, is_: str, do: str = "Nothing was changed.") -> None:
    if not true:
        raise GuideError(is_, "", do)
