"""The mailboxes: how much lies in each, and how much may.

Manuals: doveadm-mailbox(1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ispguide.engine import facts
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import failed_answer
from ispguide.engine.words import amount, count, said_by
from ispguide.mail.people import MAILBOXES

#: Of every mailbox that ever got a letter; in the others Dovecot would make folders.
SIZES = facts.run(
    "list=$(doveadm user '*') && file=$(mktemp) || exit\n"
    "trap 'rm -f \"$file\"' EXIT\n"
    "printf '%s\\n' \"$list\" | while read -r who; do\n"
    '  [ ! -d "/var/vmail/${who#*@}/${who%@*}/Maildir/cur" ] || echo "$who"\n'
    'done > "$file"\n'
    "doveadm -f tab mailbox status -F \"$file\" 'messages vsize' '*'"
)
ASKED = (MAILBOXES, SIZES)
#: Percentages at which its owner gets a letter (chapter 10).
WARNED = (80, 95)


@dataclass(frozen=True)
class Box:
    """A mailbox: how much lies in it, and how much may (`limit` 0: no limit)."""

    address: str
    mails: int = 0
    size: int = 0  #: bytes
    limit: int = 0  #: bytes

    @property
    def share(self) -> float:
        """How full it is, in percent; 0 without a limit."""
        return 100 * self.size / self.limit if self.limit else 0.0

    @property
    def quota_state(self) -> str:
        """The same in a word."""
        if not self.limit:
            return "no limit"
        words = ((100, "full"), (WARNED[1], "nearly full"), (WARNED[0], "warned"))
        return next((w for at, w in words if self.share >= at), "room")


def boxes(people: Mapping[str, Any], sizes: Mapping[str, Any]) -> list[Box]:
    """Every mailbox, those without any mail too, the largest first."""
    if why := failed_answer(people):
        raise GuideError(
            f"The mailboxes cannot be seen: {why}",
            "They stand in the tables of chapter 05.",
            "Run chapter 05, then look again.",
            kind="no-answer",
        )
    mails, size = Counter[str](), Counter[str]()
    for row in said_by(sizes, "What lies in the mailboxes", "07").splitlines()[1:]:
        address, _, number, bytes_ = row.split("\t")
        mails[address] += int(number)
        size[address] += int(bytes_)
    found = [Box(a, mails[a], size[a], int(limit)) for a, limit, *_ in people["rows"]]
    return sorted(found, key=lambda box: (-box.size, box.address))


def box_words(rows: Sequence[Box]) -> str:
    """How many, how much, and who comes near a limit."""
    if not rows:
        return "There is no mailbox yet. The form of chapter 9 makes one."
    text = (
        f"{count(len(rows), 'mailbox', 'mailboxes')} with "
        f"{count(sum(b.mails for b in rows), 'mail', 'mails')}, "
        f"{amount(sum(b.size for b in rows))} in all."
    )
    full = [b.address for b in rows if b.limit and b.size > 0.9 * b.limit]
    return f"{text} Nearly full: {', '.join(full)}." if full else text


def usage_words(rows: Sequence[Box]) -> str:
    """How many have a limit, and who should make room."""
    if not rows:
        return box_words(rows)
    limited = [b for b in rows if b.limit]
    text = (
        f"{len(limited)} of {count(len(rows), 'mailbox', 'mailboxes')} "
        f"{'has' if len(limited) == 1 else 'have'} a limit."
    )
    near = sorted((b for b in limited if b.share >= WARNED[0]), key=lambda b: -b.share)
    told = ", ".join(f"{b.address} ({b.share:.0f} %)" for b in near)
    return f"{text} {f'Little room: {told}.' if near else 'All of them have room.'}"
