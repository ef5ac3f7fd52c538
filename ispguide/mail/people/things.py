"""What should be true of the people: somebody reads what every domain must take.

Pure.  Source: RFC 2142 (postmaster@ and abuse@), RFC 5321 4.5.1 (postmaster is a must).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ispguide.engine import facts
from ispguide.engine.actions import Action
from ispguide.engine.facts import Fact, Have, failed_answer
from ispguide.engine.gaps import NO_GAP, Gap, Unsure, together
from ispguide.engine.names import to_unicode
from ispguide.engine.things import Plain
from ispguide.engine.words import amount
from ispguide.mail.mariadb import literal, statement
from ispguide.mail.people.user_database import DB

DUTIES = ("postmaster", "abuse")
#: Mailboxes that no person reads.
NOBODY = "email NOT LIKE 'ispguide-proof-%' AND email NOT LIKE 'dmarc@%'"


class _NoRow(Plain):
    """True when its question of the address book finds no row: an address, and where
    its letters go or should go."""

    @property
    @abstractmethod
    def question(self) -> Fact: ...

    @abstractmethod
    def wrong(self, source: str, target: str) -> Gap:
        """What is wrong with this row, and what to do."""

    def facts(self) -> Iterable[Fact]:
        return [self.question]

    def gap(self, have: Have) -> Gap:
        now = have[self.question]
        if why := failed_answer(now):
            return Gap("no-answer", f"The address book cannot be read: {why}.")
        return together(self.wrong(*row) for row in now["rows"])


@dataclass(frozen=True)
class Duties(_NoRow):
    """Every domain takes mail for postmaster@ and abuse@, as soon as somebody lives here.

    `reader`: the postmaster of the settings.  He gets it, if he is elsewhere or has a
    mailbox; else the first person of the domain, else the first one of the server."""

    reader: str

    def __str__(self) -> str:
        return "postmaster@ and abuse@ of every domain"

    def _missing(self) -> str:
        """The rows to insert: domain, address, who reads it."""
        me = literal(self.reader)
        home = literal(self.reader.rpartition("@")[2])
        first = f"SELECT email FROM {DB}.virtual_users u WHERE {NOBODY}"
        duties = " UNION ALL ".join(f"SELECT '{d}' AS duty" for d in DUTIES)
        return (
            f"SELECT d.id, CONCAT(n.duty, '@', d.name) AS source, COALESCE("
            f"(SELECT {me} FROM DUAL WHERE {me} <> CONCAT(n.duty, '@', d.name) AND ("
            f"NOT EXISTS (SELECT 1 FROM {DB}.virtual_domains WHERE name = {home})"
            f" OR EXISTS (SELECT 1 FROM {DB}.virtual_users WHERE email = {me})"
            f" OR EXISTS (SELECT 1 FROM {DB}.virtual_aliases WHERE source = {me}))),"
            f" ({first} AND u.domain_id = d.id ORDER BY u.id LIMIT 1),"
            f" ({first} ORDER BY u.id LIMIT 1)) AS reader"
            f" FROM {DB}.virtual_domains d JOIN ({duties}) n"
            f" WHERE NOT EXISTS (SELECT 1 FROM {DB}.virtual_users"
            " WHERE email = CONCAT(n.duty, '@', d.name))"
            f" AND NOT EXISTS (SELECT 1 FROM {DB}.virtual_aliases"
            " WHERE source = CONCAT(n.duty, '@', d.name))"
        )

    @property
    def question(self) -> Fact:
        return facts.sql(
            f"SELECT source, reader FROM ({self._missing()}) m "
            "WHERE reader IS NOT NULL ORDER BY source"
        )

    def wrong(self, source: str, target: str) -> Gap:
        return Gap(
            "missing",
            f"Nobody gets letters to {to_unicode(source)}. They should be read; this step "
            f"forwards them to {to_unicode(target)}.",
        )

    def fix(self, have: Have) -> Sequence[Action]:
        return [
            statement(
                f"INSERT IGNORE INTO {DB}.virtual_aliases (domain_id, source, destination)\n"
                f"  SELECT id, source, reader FROM ({self._missing()}) m\n"
                "  WHERE reader IS NOT NULL;"
            )
        ]


@dataclass(frozen=True)
class DeadEnds(_NoRow):
    """No forwarding leads to an address of ours that does not exist."""

    def __str__(self) -> str:
        return "no alias leads to nobody"

    @property
    def question(self) -> Fact:
        plain = (
            "CONCAT(SUBSTRING_INDEX(SUBSTRING_INDEX(a.destination, '@', 1), '+', 1),"
            " '@', d.name)"
        )
        return facts.sql(
            f"SELECT a.source, a.destination FROM {DB}.virtual_aliases a"
            f" JOIN {DB}.virtual_domains d"
            " ON d.name = SUBSTRING_INDEX(a.destination, '@', -1)"
            f" WHERE NOT EXISTS (SELECT 1 FROM {DB}.virtual_users WHERE email = {plain})"
            f" AND NOT EXISTS (SELECT 1 FROM {DB}.virtual_aliases"
            f" WHERE source IN (a.destination, {plain}, CONCAT('@', d.name)))"
            " ORDER BY a.source"
        )

    def wrong(self, source: str, target: str) -> Gap:
        return Gap(
            "dangling",
            f"Mail to {to_unicode(source)} goes to {to_unicode(target)}, and nobody lives there: it "
            f"would be taken, and bounce. ./guide people forget {source} {target} ends it.",
        )

    def gap(self, have: Have) -> Gap:
        found = super().gap(have)
        return Unsure(found) if found.kind == "no-answer" else found

    def evidence(self, have: Have) -> str:
        """What was seen, for the report."""
        return (
            "Every forwarding into a domain of ours was followed: each leads to a "
            "mailbox, to a further forwarding, or to the catch-all of its domain."
        )

    def fix(self, have: Have) -> Sequence[Action]:
        return ()


# NewMailboxLimit: what a new mailbox may hold, as the address book's own default.
#
# So it holds for whoever makes a mailbox: the guide, Adminer, a script.  Mailboxes that
# are there already keep what they have.
# Sources: https://mariadb.com/kb/en/alter-table/ (ALTER COLUMN … SET DEFAULT)


DEFAULT = facts.sql(
    "SELECT column_default FROM information_schema.columns WHERE table_schema = "
    "'mailserver' AND table_name = 'virtual_users' AND column_name = 'quota'"
)
COUNTED = "mailserver.virtual_users"


def limit(size: int) -> str:
    """A limit in words; 0 is none."""
    return amount(size) if size else "no limit"


@dataclass(frozen=True)
class NewMailboxLimit(Plain):
    """The limit of a new mailbox, in bytes; 0: none."""

    size: int

    def __str__(self) -> str:
        return f"new mailboxes get {limit(self.size)}"

    def facts(self) -> Iterable[Fact]:
        return [DEFAULT]

    def gap(self, have: Have) -> Gap:
        now = have[DEFAULT]
        if why := failed_answer(now):
            return Gap("no-answer", f"The table of mailboxes cannot be seen: {why}.")
        if not now["rows"]:
            words = "The table of mailboxes has no column quota. Chapter 5 makes one."
            return Gap("missing", words)
        seen = now["rows"][0][0]
        if seen == str(self.size):
            return NO_GAP
        words = limit(int(seen)) if seen.isdigit() else seen
        return Gap(
            "differs",
            f"A new mailbox gets {words}. It should get {limit(self.size)}, "
            "as your settings say. This step changes the address book's default.",
        )

    def fix(self, have: Have) -> Sequence[Action]:
        return [
            statement(
                f"ALTER TABLE {COUNTED} ALTER COLUMN quota SET DEFAULT {self.size:d};"
            )
        ]


# Who is there, as lines for people to read.


def in_words(kind: str, row: list[str]) -> str:
    """A row of one of the lists, on one line."""
    if kind == "aliases":
        return f"{to_unicode(row[0])} → {to_unicode(row[1])}"
    if kind == "domains":
        return to_unicode(row[0])
    locked = ", locked" if row[2] == "0" else ""
    return f"{to_unicode(row[0])}  ({limit(int(row[1]))}{locked})"
