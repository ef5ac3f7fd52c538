"""NewMailboxLimit: what a new mailbox may hold, as the address book's own default.

So it holds for whoever makes a mailbox: the guide, Adminer, a script.  Mailboxes that
are there already keep what they have.
Sources: https://mariadb.com/kb/en/alter-table/ (ALTER COLUMN … SET DEFAULT)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ispguide import facts
from ispguide.actions import Action
from ispguide.facts import Fact, Have, failed_answer
from ispguide.gaps import NO_GAP, Gap
from ispguide.measures.words import amount
from ispguide.sqltext import statement
from ispguide.things import Plain

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
