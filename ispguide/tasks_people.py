"""The Fabric tasks about domains and mailboxes; `tasks` offers them with the others.

Each looks at the lists first and again afterwards: what is reported was seen.
"""

from __future__ import annotations

from typing import Any

from fabric import task

from ispguide import addressbook as ours
from ispguide import people as book
from ispguide.addressbook import column, must
from ispguide.guide import Guide
from ispguide.names import shown
from ispguide.opening import PRACTICE, open_guide
from ispguide.people import Lists
from ispguide.quotas.amounts import bytes_of
from ispguide.settings import Secret


@task
def people_list(c: Any, server: str = PRACTICE, sudo: Any = None) -> Lists:
    """{domains, mailboxes, aliases}, each a list of rows."""
    guide = open_guide(server, sudo)
    with guide.server:
        return ours.lists(guide)


@task
def people_add(
    c: Any, what: str, password: Any = None, server: str = PRACTICE, sudo: Any = None
) -> str:
    """Add a mailbox (an address) or a domain.  The password, when one was made."""
    guide = open_guide(server, sudo)
    with guide.server:
        if "@" in what:
            return _add_mailbox(guide, book.valid_mailbox(what), password)
        domain = book.valid_domain(what)
        found = ours.lists(guide)
        must(
            domain not in column(found["domains"]),
            "there-already",
            f"{shown(domain)} is there already.",
        )
        ours.change(guide, book.add_domain(domain), f"add {domain}")
        return ""


def _add_mailbox(guide: Guide, address: str, password: Secret | None) -> str:
    """The password, when none was given and one was made."""
    found, name = ours.lists(guide), shown(address)
    ours.must_be_ours(found, address)
    must(
        address not in column(found["mailboxes"]),
        "there-already",
        f"{name} has a mailbox already.",
        "./guide people password changes its password.",
    )
    made, secret = ours.given_or_made(password)
    found = ours.change(guide, book.add_mailbox(address, secret), f"add {address}")
    must(
        address in column(found["mailboxes"]),
        "not-kept",
        f"{name} is still not in the list.",
    )
    return made


@task
def people_password(
    c: Any, address: str, password: Any = None, server: str = PRACTICE, sudo: Any = None
) -> str:
    """Another password for a mailbox; returned when it was made here."""
    guide = open_guide(server, sudo)
    with guide.server:
        address = ours.mailbox(ours.lists(guide), address)
        made, secret = ours.given_or_made(password)
        change = book.set_password(address, secret)
        ours.change(guide, change, f"password of {address}")
        return made


@task
def people_quota(
    c: Any, address: str, limit: str, server: str = PRACTICE, sudo: Any = None
) -> int:
    """What a mailbox may hold ("500 MB", "none"); the bytes, as they stand there now."""
    guide, size = open_guide(server, sudo), bytes_of(limit)
    with guide.server:
        address = ours.mailbox(ours.lists(guide), address)
        change = book.set_quota(address, size)
        found = ours.change(guide, change, f"limit of {address}")
        must(
            [address, str(size)] in [row[:2] for row in found["mailboxes"]],
            "not-kept",
            f"{shown(address)} still has another limit.",
        )
        return size


@task
def people_enable(
    c: Any, address: str, enabled: bool, server: str = PRACTICE, sudo: Any = None
) -> None:
    """Whether the owner of a mailbox may log in; mail comes in all the same."""
    guide = open_guide(server, sudo)
    with guide.server:
        address = ours.mailbox(ours.lists(guide), address)
        word = "unlock" if enabled else "lock"
        change = book.set_enabled(address, enabled)
        found = ours.change(guide, change, f"{word} {address}")
        must(
            [address, f"{enabled:d}"]
            in [[row[0], row[2]] for row in found["mailboxes"]],
            "not-kept",
            f"{shown(address)} is still as it was.",
        )


@task
def people_recount(
    c: Any, address: str = "", server: str = PRACTICE, sudo: Any = None
) -> None:
    """Dovecot adds up anew what lies in a mailbox, or in all of them."""
    guide = open_guide(server, sudo)
    with guide.server:
        address = ours.mailbox(ours.lists(guide), address) if address else ""
        what = f"count {address or 'all mailboxes'}"
        ours.change(guide, book.recount(address), what)


@task
def people_remove(
    c: Any,
    what: str,
    server: str = PRACTICE,
    sudo: Any = None,
    with_mail: bool = False,
) -> None:
    """Remove a mailbox's login, an alias or a domain; its mail only when so asked."""
    guide = open_guide(server, sudo)
    with guide.server:
        what = _meant(what)
        found = ours.lists(guide)
        there = {row[0] for rows in found.values() for row in rows}
        must(what in there, "not-there", f"There is no {shown(what)} on this server.")
        mail = book.remove_mail(what) if with_mail and _has_mail(found, what) else []
        ours.change(guide, [book.remove(what), *mail], f"remove {what}")


def _meant(what: str) -> str:
    if "@" in what:
        return book.valid_address(what, catch_all=True)
    return book.valid_domain(what)


def _has_mail(found: Lists, what: str) -> bool:
    """Whether it is a domain, or a mailbox whose name is a folder's."""
    if what in column(found["mailboxes"]):
        return bool(book.valid_mailbox(what))
    return "@" not in what
