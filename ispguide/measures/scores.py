"""What rspamd thought of the last mails.

Manuals: https://docs.rspamd.com/ (actions), journalctl(1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ispguide import facts, journal
from ispguide.measures.words import count, said_by

#: How many verdicts are asked for.
NEWEST = 60
VERDICTS = facts.run(journal.verdicts(NEWEST))


def scores(answer: Mapping[str, Any]) -> list[journal.Judged]:
    """rspamd's newest verdicts, the oldest first."""
    text = said_by(answer, "What rspamd judged", "13")
    return sorted(journal.all_judged(journal.lines(text)), key=lambda one: one.time)


def score_words(rows: Sequence[journal.Judged]) -> str:
    """How many went which way."""
    if not rows:
        return (
            "rspamd has judged no mail yet, or its journal is gone. Send one: "
            "the journey of a mail does."
        )
    ways = {"reject": "refused", "add header": "put into Junk", "no action": "let in"}
    went = Counter(ways.get(row.action, "told to come again") for row in rows)
    parts = ", ".join(f"{n} {way}" for way, n in went.most_common())
    return f"Of the last {count(len(rows), 'mail', 'mails')}: {parts}."
