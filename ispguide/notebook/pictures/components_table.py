"""The big picture in words: a table of the components, and the same as lines."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ispguide.components import PART_STATES, PartState
from ispguide.notebook import frame


def table(states: Sequence[PartState]) -> str:
    """Every component with what it does, its state, what is missing, its chapter."""
    heads = "".join(
        f'<th scope="col">{h}</th>' for h in ("component", "state", "why", "told in")
    )
    rows = "".join(_row(state) for state in states)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _row(state: PartState) -> str:
    part, told = state.part, state.part.told_in
    sign, word = PART_STATES[state.state]
    where = (
        frame.link(told.notebook, f"{told.number:02d} {told.title}")
        if told
        else "later"
    )
    why = escape((state.why.splitlines() or [""])[0])
    return (
        f"<tr><td><b>{escape(part.name)}</b>: {escape(part.about)}</td>"
        f'<td class="state">{sign} {word}</td><td>{why}</td><td>{where}</td></tr>'
    )


def as_text(states: Sequence[PartState]) -> str:
    """The same in plain lines."""
    rows = ((*PART_STATES[s.state], s.part) for s in states)
    return "\n".join(f"{sign} {p.name} ({p.about}): {word}" for sign, word, p in rows)
