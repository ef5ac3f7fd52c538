"""The Fabric tasks about domains, mailboxes and forwardings, one by one or many at once.

Each looks at the lists first and again afterwards: what is reported was seen.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ispguide.engine.actions import Run
from ispguide.engine.errors import GuideError
from ispguide.engine.guide import Guide
from ispguide.engine.names import to_unicode
from ispguide.engine.settings import Secret
from ispguide.mail import people
from ispguide.mail.mariadb import statement
from ispguide.mail.people import Lists
from ispguide.mail.people.addresses import bytes_of
from ispguide.mail.people.plan import Change, Plan, plan
from ispguide.mail.people.user_database import Sender, senders
from ispguide.tasks.base import guide_task

# The address book of a server that is open: look, change, look again.
#
# What is reported was seen; what the database refuses is an error with its words.


def lists(guide: Guide) -> Lists:
    """Who is there now."""
    return people.lists_of(guide.exchange(tell=people.LISTS).have)


def change(guide: Guide, actions: Run | Sequence[Run], what: str) -> Lists:
    """Do it, and say who is there afterwards."""
    todo = [actions] if isinstance(actions, Run) else list(actions)
    refused = GuideError(
        f"The server refused: {what}.",
        "Nothing was changed.",
        "Read its words below.",
        kind="server-refused",
    )
    guide.must(todo, f"people: {what}", refused)
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
        f"There is no mailbox {to_unicode(address)}.",
    )
    return address


def must_be_ours(found: Lists, address: str) -> None:
    """Its domain is one of this server's."""
    domain = address.rpartition("@")[2]
    must(
        domain in column(found["domains"]),
        "no-such-domain",
        f"{to_unicode(domain)} is no mail domain of this server.",
        f"./guide people add {to_unicode(domain)} makes it one; its DNS must point here too.",
    )


def must(true: bool, kind: str, is_: str, do: str = "Nothing was changed.") -> None:
    if not true:
        raise GuideError(is_, "", do, kind=kind)


# The Fabric tasks about forwardings, and about who may send as whom.


@guide_task
def people_alias(guide: Guide, source: str, destination: str) -> None:
    """Mail to `source` (or to @domain) goes to `destination`."""
    source = people.valid_address(source, catch_all=True)
    destination = people.valid_address(destination)
    found = lists(guide)
    must_be_ours(found, source)
    boxes = column(found["mailboxes"])
    must(
        source != destination or source in boxes,
        "circle",
        f"{to_unicode(source)} cannot be forwarded to itself.",
    )
    todo = people.add_alias(source, destination)
    found = change(guide, todo, f"alias {source}")
    must(
        [source, destination] in found["aliases"],
        "not-kept",
        f"{to_unicode(source)} is still not in the list.",
    )


@guide_task
def people_forget(guide: Guide, source: str, destination: str) -> None:
    """Mail to `source` does not go to `destination` any more; to others it still does."""
    row = [
        people.valid_address(source, catch_all=True),
        people.valid_address(destination),
    ]
    must(
        row in lists(guide)["aliases"],
        "no-such-alias",
        f"Mail to {to_unicode(row[0])} does not go to {to_unicode(row[1])}.",
    )
    found = change(guide, people.forget_alias(*row), f"forget {row[0]}")
    must(
        row not in found["aliases"],
        "not-kept",
        f"{to_unicode(row[0])} is still in the list.",
    )


@guide_task
def people_senders(guide: Guide) -> list[Sender]:
    """Every mailbox, and the addresses its owner may send as."""
    return senders(lists(guide))


# The Fabric task that takes in a file of people, after a plan of it was seen.
#
# So many lines at a time are one transaction of the database: all of them, or none.


#: Lines in one transaction: a hash takes the server a quarter of a second.
AT_ONCE = 40


def _ignore(done: int, of: int) -> None:
    """Nobody watches."""


@guide_task
def people_plan(guide: Guide, text: str) -> Plan:
    """What this file would do; nothing is done."""
    return plan(text, lists(guide))


@guide_task
def people_import(
    guide: Guide, text: str, *, tell: Callable[[int, int], None] = _ignore
) -> tuple[Plan, dict[str, str]]:
    """Do it; the plan as it was done, and the passwords that were made.

    With a single line that cannot be, nothing at all is done."""
    todo = plan(text, lists(guide))
    if todo.problems:
        raise GuideError(
            "\n".join(todo.problems),
            "Every line should be one that can be done.",
            "Nothing was changed. Correct the file and look at its plan again.",
            kind="bad-lines",
        )
    made: dict[str, str] = {}
    for start in range(0, len(todo.changes), AT_ONCE):
        part = todo.changes[start : start + AT_ONCE]
        run, passwords = _transaction(part)
        change(guide, run, f"import, lines {part[0].line} to {part[-1].line}")
        made |= passwords
        tell(start + len(part), len(todo.changes))
    return todo, made


def _transaction(part: Sequence[Change]) -> tuple[Run, dict[str, str]]:
    """All of them or none, and the passwords that were made."""
    hashes: dict[str, str] = {}
    made: dict[str, str] = {}

    def sql() -> Iterator[str]:
        yield "START TRANSACTION;\n"
        for number, one in enumerate(part):
            name = f"new-password-{number}"
            if one.mailbox:
                own, secret = given_or_made(one.password)
                hashes[name] = secret.reveal()
                made.update({one.mailbox: own} if own else {})
            yield one.sql(name)
        yield "COMMIT;\n"

    return statement("".join(sql()), hashes=hashes), made


# The Fabric tasks about domains and mailboxes; `tasks` offers them with the others.


@guide_task
def people_list(guide: Guide) -> Lists:
    """{domains, mailboxes, aliases}, each a list of rows."""
    return lists(guide)


@guide_task
def people_add(guide: Guide, what: str, password: Any = None) -> str:
    """Add a mailbox (an address) or a domain.  The password, when one was made."""
    if "@" in what:
        return _add_mailbox(guide, people.valid_mailbox(what), password)
    domain = people.valid_domain(what)
    found = lists(guide)
    must(
        domain not in column(found["domains"]),
        "there-already",
        f"{to_unicode(domain)} is there already.",
    )
    change(guide, people.add_domain(domain), f"add {domain}")
    return ""


def _add_mailbox(guide: Guide, address: str, password: Secret | None) -> str:
    """The password, when none was given and one was made."""
    found, name = lists(guide), to_unicode(address)
    must_be_ours(found, address)
    must(
        address not in column(found["mailboxes"]),
        "there-already",
        f"{name} has a mailbox already.",
        "./guide people password changes its password.",
    )
    made, secret = given_or_made(password)
    found = change(guide, people.add_mailbox(address, secret), f"add {address}")
    must(
        address in column(found["mailboxes"]),
        "not-kept",
        f"{name} is still not in the list.",
    )
    return made


@guide_task
def people_password(guide: Guide, address: str, password: Any = None) -> str:
    """Another password for a mailbox; returned when it was made here."""
    address = mailbox(lists(guide), address)
    made, secret = given_or_made(password)
    todo = people.set_password(address, secret)
    change(guide, todo, f"password of {address}")
    return made


@guide_task
def people_quota(guide: Guide, address: str, limit: str) -> int:
    """What a mailbox may hold ("500 MB", "none"); the bytes, as they stand there now."""
    size = bytes_of(limit)
    address = mailbox(lists(guide), address)
    todo = people.set_quota(address, size)
    found = change(guide, todo, f"limit of {address}")
    must(
        [address, str(size)] in [row[:2] for row in found["mailboxes"]],
        "not-kept",
        f"{to_unicode(address)} still has another limit.",
    )
    return size


@guide_task
def people_enable(guide: Guide, address: str, enabled: bool) -> None:
    """Whether the owner of a mailbox may log in; mail comes in all the same."""
    address = mailbox(lists(guide), address)
    word = "unlock" if enabled else "lock"
    todo = people.set_enabled(address, enabled)
    found = change(guide, todo, f"{word} {address}")
    must(
        [address, f"{enabled:d}"] in [[row[0], row[2]] for row in found["mailboxes"]],
        "not-kept",
        f"{to_unicode(address)} is still as it was.",
    )


@guide_task
def people_recount(guide: Guide, address: str = "") -> None:
    """Dovecot adds up anew what lies in a mailbox, or in all of them."""
    address = mailbox(lists(guide), address) if address else ""
    what = f"count {address or 'all mailboxes'}"
    change(guide, people.recount(address), what)


@guide_task
def people_remove(guide: Guide, what: str, *, with_mail: bool = False) -> None:
    """Remove a mailbox's login, an alias or a domain; its mail only when so asked."""
    what = _meant(what)
    found = lists(guide)
    there = {row[0] for rows in found.values() for row in rows}
    must(what in there, "not-there", f"There is no {to_unicode(what)} on this server.")
    mail = people.remove_mail(what) if with_mail and _has_mail(found, what) else []
    change(guide, [people.remove(what), *mail], f"remove {what}")


def _meant(what: str) -> str:
    if "@" in what:
        return people.valid_address(what, catch_all=True)
    return people.valid_domain(what)


def _has_mail(found: Lists, what: str) -> bool:
    """Whether it is a domain, or a mailbox whose name is a folder's."""
    if what in column(found["mailboxes"]):
        return bool(people.valid_mailbox(what))
    return "@" not in what
