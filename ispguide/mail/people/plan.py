"""A file of people (CSV), and what would be done with it: a plan to read first.

Columns: address, and if wanted password, limit, forward_to.  A line is a domain
(example.org), a mailbox (anna@example.org), or a forwarding (info@example.org or
@example.org, with forward_to).  What is there already is left as it is, but for a
limit that is named, so a file can be taken in twice.
Source: RFC 4180 (CSV); semicolons and tabs between the columns are read too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ispguide.engine.errors import GuideError
from ispguide.engine.names import to_unicode
from ispguide.engine.settings import Secret
from ispguide.mail.mariadb import literal
from ispguide.mail.people.addresses import (
    bytes_of,
    valid_address,
    valid_domain,
    valid_mailbox,
    valid_password,
)
from ispguide.mail.people.things import limit as limit_words
from ispguide.mail.people.user_database import (
    DB,
    Lists,
    alias_sql,
    mailbox_sql,
    quota_sql,
)

COLUMNS = ("address", "password", "limit", "forward_to")
#: What an example looks like; the domain is one nobody can own.
EXAMPLE = """address,limit,forward_to
example.test,,
dora@example.test,5 GB,
emil@example.test,,
office@example.test,,dora@example.test emil@example.test
"""


@dataclass(frozen=True)
class Change:
    """One thing to do.  `sql(name)`: what MariaDB is told, where `name` is that under
    which the server keeps the password's hash.  `mailbox`: the address of a new one."""

    line: int
    says: str
    sql: Callable[[str], str]
    mailbox: str = ""
    password: Secret | None = None


@dataclass
class Plan:
    """What is to be done, what is there already, and what cannot be."""

    changes: list[Change] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def words(self) -> str:
        """Every line of it; no password is in it."""
        lines = [f"✗ {problem}" for problem in self.problems]
        lines += [f"✚ {change.says}" for change in self.changes]
        lines += [f"✓ {one}" for one in self.there]
        lines.append(
            f"{len(self.changes)} to do, {len(self.there)} there already, "
            f"{len(self.problems)} cannot be."
        )
        return "\n".join(lines)


def plan(text: str, lists: Lists) -> Plan:
    """What this file would do to these people."""
    made, known = Plan(), _Known(lists)
    try:
        for number, row in _rows(text, made):
            _judge(number, row, known, made)
    except csv.Error as error:
        made.problems.append(f"It cannot be read as CSV: {error}.")
    return made


def _judge(number: int, row: dict[str, str], known: _Known, made: Plan) -> None:
    try:
        for one in _line(number, row, known):
            if isinstance(one, Change):
                made.changes.append(one)
            else:
                made.there.append(one)
    except GuideError as error:
        made.problems.append(f"Line {number}: {error.is_} {error.should}".rstrip())


class _Known:
    """Who is there, and who will be once the lines before are done."""

    def __init__(self, lists: Lists):
        self.domains = {row[0] for row in lists["domains"]}
        self.limits = {row[0]: int(row[1]) for row in lists["mailboxes"]}
        self.aliases = {(row[0], row[1]) for row in lists["aliases"]}

    def ours(self, address: str) -> None:
        domain = address.rpartition("@")[2]
        if domain not in self.domains:
            raise GuideError(
                f"{to_unicode(domain)} is no mail domain of this server.",
                "A line of its own, before this one, would make it one.",
                kind="no-such-domain",
            )


def _rows(text: str, made: Plan) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines with something in them, with their numbers."""
    text = text.lstrip("\ufeff")
    head = text.partition("\n")[0]
    sign = max(",;\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=sign)
    names = [str(n).strip().lower() for n in reader.fieldnames or ()]
    if "address" not in names or (odd := set(names) - set(COLUMNS)):
        what = f"It has {', '.join(sorted(odd))}." if "address" in names else ""
        columns = ", ".join(COLUMNS)
        made.problems.append(
            f"The first line should name the columns, of these: {columns}. {what}".rstrip()
        )
        return
    reader.fieldnames = names
    for row in reader:
        cells = {k: str(v or "") for k, v in row.items() if k in COLUMNS}
        cells |= {k: v.strip() for k, v in cells.items() if k != "password"}
        if row.get(None):
            made.problems.append(f"Line {reader.line_num}: it has too many columns.")
        elif any(cells.values()):
            yield reader.line_num, cells


def _line(number: int, row: dict[str, str], known: _Known) -> Iterator[Change | str]:
    what = row["address"]
    if row.get("forward_to"):
        yield from _forwarding(number, what, row["forward_to"], known)
    elif "@" in what:
        yield from _mailbox(number, row, known)
    else:
        yield _domain(number, what, known)


def _domain(number: int, what: str, known: _Known) -> Change | str:
    name = valid_domain(what)
    if name in known.domains:
        return f"the domain {to_unicode(name)}"
    known.domains.add(name)
    sql = f"INSERT INTO {DB}.virtual_domains (name) VALUES ({literal(name)});\n"
    return Change(number, f"the domain {to_unicode(name)}", lambda _: sql)


def _mailbox(number: int, row: dict[str, str], known: _Known) -> Iterator[Change | str]:
    address = valid_mailbox(row["address"])
    known.ours(address)
    said, name = row.get("limit", ""), to_unicode(address)
    size = bytes_of(said) if said else None
    secret = Secret(row["password"]) if row.get("password") else None
    if secret:
        valid_password(secret)
    told = f", {limit_words(size)}" if size is not None else ""
    if address in known.limits:
        if size in (None, known.limits[address]):
            yield f"the mailbox {name}"
            return
        yield Change(number, f"another limit for {name}{told}",
                     lambda _: quota_sql(address, size or 0))  # fmt: skip
    else:
        limit = quota_sql(address, size) if size is not None else ""
        yield Change(number, f"the mailbox {name}{told}",
                     lambda kept: mailbox_sql(address, kept) + limit, address, secret)  # fmt: skip
    known.limits[address] = size or 0


def _forwarding(
    number: int, what: str, to: str, known: _Known
) -> Iterator[Change | str]:
    source = valid_address(what, catch_all=True)
    known.ours(source)
    for one in to.replace(",", " ").replace(";", " ").split():
        destination = valid_address(one)
        says = f"mail to {to_unicode(source)} goes to {to_unicode(destination)}"
        if (source, destination) in known.aliases:
            yield says
            continue
        known.aliases.add((source, destination))
        sql = alias_sql(source, destination)
        yield Change(number, says, lambda _, sql=sql: sql)  # type: ignore[misc]
