"""Domains, mailboxes and aliases: what to ask and what to do, as data.

Addresses are validated, values reach SQL as hexadecimal literals, a password only as
a hash that the server makes.  Does no I/O itself; `tasks` carries it out.
Sources: RFC 5321 4.1.2 (addresses), RFC 2142 (postmaster and abuse).
"""

from __future__ import annotations

from ispguide import facts
from ispguide.actions import Run, marker
from ispguide.errors import GuideError
from ispguide.facts import Fact
from ispguide.names import address_problems, host_name_problems
from ispguide.settings import Secret
from ispguide.sqltext import literal, statement

#: What bcrypt reads of a password; more would be ignored without a word.
LONGEST = 72
NEW = "new-password"
_DB = "mailserver"

DOMAINS = facts.sql(f"SELECT name FROM {_DB}.virtual_domains ORDER BY name")
MAILBOXES = facts.sql(
    f"SELECT email, quota FROM {_DB}.virtual_users "
    "WHERE email NOT LIKE 'ispguide-proof-%' ORDER BY email"
)
ALIASES = facts.sql(
    f"SELECT source, destination FROM {_DB}.virtual_aliases "
    "WHERE source NOT LIKE 'ispguide-proof-%' ORDER BY source, destination"
)
LISTS: tuple[Fact, ...] = (DOMAINS, MAILBOXES, ALIASES)


def valid_address(text: str, catch_all: bool = False) -> str:
    """The address in small letters; GuideError in sentences when it is none."""
    address = text.strip().lower()
    if catch_all and address.startswith("@"):
        return "@" + valid_domain(address[1:])
    if problems := address_problems(address):
        raise GuideError(problems[0])
    return address


def valid_domain(text: str) -> str:
    """The domain in small letters; GuideError when it is none."""
    name = text.strip().lower()
    if problems := host_name_problems(name):
        raise GuideError(problems[0])
    return name


def valid_password(secret: Secret) -> Secret:
    """The password itself; GuideError when no mail program could send it."""
    if not isinstance(secret, Secret):
        raise GuideError(
            "A password was given as an ordinary word.",
            "On a command line or in a cell others could read it there.",
            "Use --password-stdin, or leave it out and one is made.",
        )
    text = secret.reveal()
    if not text or not text.isprintable():
        raise GuideError(
            "The password is empty or holds a sign that cannot be typed.",
            "It should be one line of printable signs.",
            "Choose another one.",
        )
    if len(text.encode()) > LONGEST:
        raise GuideError(
            f"The password has {len(text.encode())} bytes.",
            f"Its hash can hold {LONGEST}; the rest would count for nothing.",
            "Choose a shorter one.",
        )
    return secret


def add_domain(domain: str) -> Run:
    """A row in the list of domains."""
    return statement(
        f"INSERT INTO {_DB}.virtual_domains (name) VALUES ({literal(domain)});"
    )


def add_mailbox(address: str, password: Secret) -> Run:
    """A mailbox; the first one of its domain also gets postmaster@ and abuse@."""
    domain = address.rpartition("@")[2]
    return statement(
        f"INSERT INTO {_DB}.virtual_users (domain_id, email, password)\n"
        f"  SELECT id, {literal(address)}, '{marker(NEW)}'\n"
        f"  FROM {_DB}.virtual_domains WHERE name = {literal(domain)};\n"
        + "".join(
            _standard_alias(f"{name}@{domain}", address)
            for name in ("postmaster", "abuse")
        ),
        hashes={NEW: password.reveal()},
    )


def _standard_alias(source: str, destination: str) -> str:
    """An alias that every domain must have, unless somebody has made it already."""
    domain = source.rpartition("@")[2]
    return (
        f"INSERT INTO {_DB}.virtual_aliases (domain_id, source, destination)\n"
        f"  SELECT id, {literal(source)}, {literal(destination)}\n"
        f"  FROM {_DB}.virtual_domains d WHERE name = {literal(domain)}\n"
        f"  AND NOT EXISTS (SELECT 1 FROM {_DB}.virtual_aliases a WHERE a.source = {literal(source)})\n"
        f"  AND NOT EXISTS (SELECT 1 FROM {_DB}.virtual_users u WHERE u.email = {literal(source)});\n"
    )


def set_password(address: str, password: Secret) -> Run:
    """Another password for a mailbox."""
    return statement(
        f"UPDATE {_DB}.virtual_users SET password = '{marker(NEW)}' "
        f"WHERE email = {literal(address)};",
        hashes={NEW: password.reveal()},
    )


def add_alias(source: str, destination: str) -> Run:
    """A forwarding: one row per destination.  `source` may be @domain."""
    domain = source.rpartition("@")[2]
    return statement(
        f"INSERT IGNORE INTO {_DB}.virtual_aliases (domain_id, source, destination)\n"
        f"  SELECT id, {literal(source)}, {literal(destination)}\n"
        f"  FROM {_DB}.virtual_domains WHERE name = {literal(domain)};"
    )


def remove(what: str) -> Run:
    """A mailbox's login and its aliases, an alias, or a domain with all in it."""
    if "@" not in what:
        return statement(
            f"DELETE FROM {_DB}.virtual_domains WHERE name = {literal(what)};"
        )
    return statement(
        f"DELETE FROM {_DB}.virtual_users WHERE email = {literal(what)};\n"
        f"DELETE FROM {_DB}.virtual_aliases WHERE source = {literal(what)};\n"
        f"DELETE FROM {_DB}.virtual_aliases WHERE destination = {literal(what)};"
    )
