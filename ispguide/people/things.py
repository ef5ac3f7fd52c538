"""What should be true of the people: somebody reads what every domain must take.

Pure.  Source: RFC 2142 (postmaster@ and abuse@), RFC 5321 4.5.1 (postmaster is a must).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ispguide import facts
from ispguide.actions import Action
from ispguide.facts import Fact, Have, failed_answer
from ispguide.gaps import Gap, Unsure, together
from ispguide.names import shown
from ispguide.people.lists import DB
from ispguide.sqltext import literal, statement
from ispguide.things import Plain

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
            f"Nobody gets letters to {shown(source)}. They should be read; this step "
            f"forwards them to {shown(target)}.",
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
        return "no forwarding leads to nobody"

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
            f"Mail to {shown(source)} goes to {shown(target)}, and nobody lives there: it "
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
