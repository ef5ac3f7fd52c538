"""The user database: who is there, what is done to it as actions, who may send as whom.

Values reach SQL as hexadecimal literals, a password only as a hash that the server
makes.  Addresses were validated before.
Sources: RFC 2142 (postmaster and abuse), doveadm-kick(1), doveadm-quota(1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ispguide.engine import facts
from ispguide.engine.actions import Run, marker, quote
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Fact
from ispguide.engine.settings import Secret
from ispguide.mail.mariadb import literal, statement

# Who is there: the questions, and their answers as lists.
#
# The mailboxes of proofs are left out: they exist for seconds, and belong to nobody.


DB = "mailserver"
Lists = dict[str, list[list[str]]]

DOMAINS = facts.sql(f"SELECT name FROM {DB}.virtual_domains ORDER BY name")
#: address, limit in bytes, "1" when its owner may log in.
MAILBOXES = facts.sql(
    f"SELECT email, quota, enabled FROM {DB}.virtual_users "
    "WHERE email NOT LIKE 'ispguide-proof-%' ORDER BY email"
)
ALIASES = facts.sql(
    f"SELECT source, destination FROM {DB}.virtual_aliases "
    "WHERE source NOT LIKE 'ispguide-proof-%' ORDER BY source, destination"
)
LISTS: tuple[Fact, ...] = (DOMAINS, MAILBOXES, ALIASES)


def lists_of(have: Mapping[Fact, Any]) -> Lists:
    """{domains, mailboxes, aliases}, each a list of rows; GuideError when unread."""
    for fact in LISTS:
        if "error" in have[fact]:
            raise GuideError(
                f"The list of people cannot be read: {have[fact]['error']}.",
                "The chapter database should be true first.",
                "./guide apply database",
                kind="no-answer",
            )
    names = ("domains", "mailboxes", "aliases")
    return {n: have[f]["rows"] for n, f in zip(names, LISTS, strict=True)}


# What is done to the address book, as actions.


NEW = "new-password"


def add_domain(domain: str) -> Run:
    """A row in the list of domains."""
    return statement(
        f"INSERT INTO {DB}.virtual_domains (name) VALUES ({literal(domain)});"
    )


def add_mailbox(address: str, password: Secret) -> Run:
    """A mailbox; the first one of its domain also gets postmaster@ and abuse@."""
    return statement(mailbox_sql(address, NEW), hashes={NEW: password.reveal()})


def mailbox_sql(address: str, name: str) -> str:
    """The same as SQL.  `name`: under which the server keeps the hash till then."""
    domain = address.rpartition("@")[2]
    return (
        f"INSERT INTO {DB}.virtual_users (domain_id, email, password)\n"
        f"  SELECT id, {literal(address)}, '{marker(name)}'\n"
        f"  FROM {DB}.virtual_domains WHERE name = {literal(domain)};\n"
        + "".join(
            _standard_alias(f"{duty}@{domain}", address)
            for duty in ("postmaster", "abuse")
        )
    )


def _standard_alias(source: str, destination: str) -> str:
    """An alias that every domain must have, unless somebody has made it already."""
    domain = source.rpartition("@")[2]
    return (
        f"INSERT INTO {DB}.virtual_aliases (domain_id, source, destination)\n"
        f"  SELECT id, {literal(source)}, {literal(destination)}\n"
        f"  FROM {DB}.virtual_domains d WHERE name = {literal(domain)}\n"
        f"  AND NOT EXISTS (SELECT 1 FROM {DB}.virtual_aliases a WHERE a.source = {literal(source)})\n"
        f"  AND NOT EXISTS (SELECT 1 FROM {DB}.virtual_users u WHERE u.email = {literal(source)});\n"
    )


def set_password(address: str, password: Secret) -> Run:
    """Another password for a mailbox."""
    return statement(
        f"UPDATE {DB}.virtual_users SET password = '{marker(NEW)}' "
        f"WHERE email = {literal(address)};",
        hashes={NEW: password.reveal()},
    )


def set_quota(address: str, size: int) -> Run:
    """What a mailbox may hold, in bytes; 0: no limit.  It counts from the next letter."""
    return statement(quota_sql(address, size))


def quota_sql(address: str, size: int) -> str:
    return (
        f"UPDATE {DB}.virtual_users SET quota = {size:d} "
        f"WHERE email = {literal(address)};\n"
    )


def set_enabled(address: str, enabled: bool) -> list[Run]:
    """Whether its owner may log in.  Mail comes in all the same; who is inside when
    the door is locked is put out."""
    change = statement(
        f"UPDATE {DB}.virtual_users SET enabled = {enabled:d} "
        f"WHERE email = {literal(address)};"
    )
    return [change] if enabled else [change, kick(address)]


#: 68 is what doveadm answers when nobody is inside.
KICK = """told=0; doveadm kick {who} || told=$?
for _ in $(seq 50); do
  [ -n "$(doveadm -f flow who {who})" ] || break
  sleep 0.1
done
[ $told = 0 ] || [ $told = 68 ]"""


def kick(address: str) -> Run:
    """Whoever is logged in as this address now, is not any more; nobody is fine too.

    Who is still on his way out may write once more, so that is waited for."""
    return Run(KICK.format(who=quote(address)), seconds=60)


def recount(address: str = "") -> Run:
    """Dovecot adds up anew what lies in a mailbox, or in all of them."""
    who = f"-u {quote(address)}" if address else "-A"
    return Run(f"doveadm quota recalc {who}", seconds=600)


def add_alias(source: str, destination: str) -> Run:
    """A forwarding: one row per destination.  `source` may be @domain."""
    return statement(alias_sql(source, destination))


def alias_sql(source: str, destination: str) -> str:
    domain = source.rpartition("@")[2]
    return (
        f"INSERT IGNORE INTO {DB}.virtual_aliases (domain_id, source, destination)\n"
        f"  SELECT id, {literal(source)}, {literal(destination)}\n"
        f"  FROM {DB}.virtual_domains WHERE name = {literal(domain)};\n"
    )


def forget_alias(source: str, destination: str) -> Run:
    """One forwarding goes; others of the same address stay."""
    return statement(
        f"DELETE FROM {DB}.virtual_aliases WHERE source = {literal(source)} "
        f"AND destination = {literal(destination)};"
    )


def remove(what: str) -> Run:
    """A mailbox's login and its aliases, an alias, or a domain with all in it."""
    if "@" not in what:
        return statement(
            f"DELETE FROM {DB}.virtual_domains WHERE name = {literal(what)};"
        )
    return statement(
        f"DELETE FROM {DB}.virtual_users WHERE email = {literal(what)};\n"
        f"DELETE FROM {DB}.virtual_aliases WHERE source = {literal(what)};\n"
        f"DELETE FROM {DB}.virtual_aliases WHERE destination = {literal(what)};"
    )


def remove_mail(what: str) -> list[Run]:
    """The letters of a mailbox or of a domain, for good.  Its login is gone already."""
    local, _, domain = what.rpartition("@")
    folder = quote(f"/var/vmail/{domain}/{local}".rstrip("/"))
    out = [kick(what)] if local else []
    gone = Run(f"rm -rf --one-file-system -- {folder}", seconds=600)
    return [*out, gone, forget_in_webmail(what)]


def forget_in_webmail(what: str) -> Run:
    """Contacts and preferences too, or the next one of that name would find them."""
    who = "=" if "@" in what else "LIKE"
    name = literal(what if "@" in what else f"%@{what}")
    return Run(
        "[ ! -d /var/lib/mysql/roundcube ] || mariadb roundcube",
        stdin=f"DELETE FROM users WHERE username {who} {name};\n",
        seconds=60,
    )


# Who may send as whom, as Postfix reckons it (chapter 12, mysql-sender-logins.cf).
#
# The owner of a mailbox writes as its address, and as each address whose forwarding
# leads straight to it; a catch-all gives every free name of its domain.  What leads on
# through a second forwarding does not count.


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
