"""The ways of letters as HTML: what became of each, for whom, and every hop below.

Pure.  Nothing here believes what a stranger wrote: every word is escaped.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape

from ispguide.journey.way import FATES, Way
from ispguide.notebook import frame
from ispguide.notebook.pictures import timeline

NOTHING = (
    "The journal knows no such letter. Either nobody brought it here, or it is longer ago than "
    "the journal is kept. Ask its sender for the answer that his server got."
)


def ways_html(ways: Sequence[Way]) -> str:
    """All letters, the newest first and open."""
    if not ways:
        return f'<p role="status">{escape(NOTHING)}</p>'
    head = f'<p role="status"><b>{escape(ways_told(ways))}</b></p>'
    return head + "".join(_way(one, first=not i) for i, one in enumerate(ways))


def ways_told(ways: Sequence[Way]) -> str:
    """How many, and what became of them."""
    if len(ways) == 1:
        sign, word = FATES[ways[0].fate]
        return f"{sign} One letter: {word}."
    counts = [(FATES[fate], sum(w.fate == fate for w in ways)) for fate in FATES]
    parts = ", ".join(f"{sign} {n} {word}" for (sign, word), n in counts if n)
    return f"{len(ways)} letters, the newest first: {parts}."


def _way(one: Way, first: bool) -> str:
    sign, word = FATES[one.fate]
    label = f"{sign} {word} · {clock(one.begin, '%d %b %Y, %H:%M:%S')} · from {one.sender or 'unknown'}"
    ends = "".join(
        f"<li>{FATES[e.fate][0]} <b>{escape(e.to or 'everybody')}</b>: {escape(e.words)}</li>"
        for e in one.ends
    )
    names = f'<p class="soft">{escape(" · ".join(one.names))}</p>' if one.names else ""
    inner = f"<ul>{ends}</ul>{names}{timeline.listed(one.hops, one.begin)}"
    return frame.fold(label, inner, open_=first)


def clock(moment: float, form: str) -> str:
    """A moment by the clock of this computer."""
    return time.strftime(form, time.localtime(moment))


def ways_text(ways: Sequence[Way]) -> str:
    """The same in plain lines."""
    rows = [ways_told(ways)] if ways else [NOTHING]
    for one in ways:
        rows.append(f"{FATES[one.fate][0]} {FATES[one.fate][1]} · from {one.sender}")
        rows += [f"  {end.to}: {end.words}" for end in one.ends]
    return "\n".join(rows)
