"""Postfix's queue: who waits, how long already, and why.

Manuals: postqueue(1) (-j), qmgr(8), bounce(5).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ispguide import facts
from ispguide.measures.words import count, said_by, span

QUEUE = facts.run("date +%s; postqueue -j")


@dataclass(frozen=True)
class Waiting:
    """A mail in Postfix's queue.  `age` in seconds; `reason`: why it still waits."""

    number: str
    queue: str
    age: float
    sender: str
    recipients: tuple[str, ...]
    reason: str = ""


def waiting(answer: Mapping[str, Any]) -> list[Waiting]:
    """The queue, the oldest first."""
    clock, *rows = said_by(answer, "The queue", "06").splitlines()
    found = [_waiting(json.loads(row), float(clock)) for row in rows]
    return sorted(found, key=lambda mail: -mail.age)


def _waiting(row: Mapping[str, Any], now: float) -> Waiting:
    to = row["recipients"]
    reasons = [r["delay_reason"] for r in to if "delay_reason" in r]
    return Waiting(
        row["queue_id"],
        row["queue_name"],
        max(now - row["arrival_time"], 0.0),
        row["sender"],
        tuple(r["address"] for r in to),
        reasons[0] if reasons else "",
    )


#: Pattern in Postfix's reason → what it means.
REASONS = (
    (r"private/dovecot|lmtp", "Dovecot does not take it"),
    (r"timed out", "the other server does not answer"),
    (r"refused", "nobody listens at the other server"),
    (r"lost connection|hung up", "the other server hung up in the middle"),
    (r"host not found|name service|not found, try again", "its name cannot be looked up in the DNS"),
    (r"no route|unreachable", "there is no way to the other server"),
    (r"grey|try again later|4\.7\.1", "the other server asked to come again later"),
    (r"over ?quota|mailbox.*full|4\.2\.2", "the mailbox is full"),
    (r"tls|certificate", "they cannot agree on encryption"),
    (r"said: 4\d\d", "the other server says: not now"),
)  # fmt: skip


def meaning(reason: str) -> str:
    """Postfix's reason in words; its own where no pattern fits."""
    for pattern, words in REASONS:
        if re.search(pattern, reason, re.I):
            return words
    return reason or "it is being delivered just now"


def queue_words(rows: Sequence[Waiting]) -> str:
    """How many, how old, and why."""
    if not rows:
        return "The queue is empty: whatever was taken has been delivered."
    why = Counter(meaning(row.reason) for row in rows).most_common()
    reasons = "; ".join(f"{number} because {words}" for words, number in why)
    return (
        f"{count(len(rows), 'mail waits', 'mails wait')}, the oldest for "
        f"{span(rows[0].age)}: {reasons}. Postfix tries again by itself for five days."
    )
