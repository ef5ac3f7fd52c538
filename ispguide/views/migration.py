"""A move as HTML and as text: the stages, and letters counted there and here.

Pure; everything that came from the servers is escaped.
"""

from __future__ import annotations

from markupsafe import Markup

from ispguide.mail.migration import STAGES, Move, Row
from ispguide.views import html

#: So many mailboxes are named; of the others, only how many.
MOST = 30


def state_of(found: Move) -> tuple[str, str]:
    """(state, words) for the card's heading."""
    if found.next == "done":
        return "ok", "the move is over"
    return "gap", f"next: {STAGES[found.next]}"


def words(found: Move) -> str:
    """How it stands, in sentences."""
    there, here = found.messages
    door = "takes mail" if found.open else "takes no mail any more"
    waits = f", {found.waiting} letters wait in its queue" if found.waiting else ""
    return (
        f"{len(found.rows)} mailboxes: {there} letters there, {here} here. "
        f"The old server {door}{waits}. {found.why}"
    )


def move_html(found: Move) -> Markup:
    """The stages as a list, then the mailboxes that lack something."""
    at = list(STAGES).index(found.next)
    items = html.joined(_stage(i, at, text) for i, text in enumerate(STAGES.values()))
    whole = Markup("<p>{}</p><ol>{}</ol>{}")
    return whole.format(words(found), items, _table(found))


def _stage(i: int, at: int, text: str) -> Markup:
    over = at == len(STAGES) - 1
    mark = "✓ done" if i < at or over else "▲ next" if i == at else "to come"
    form = (
        '<li aria-current="step"><strong>{}</strong> · {}</li>'
        if i == at
        else "<li>{} · {}</li>"
    )
    return Markup(form).format(text, mark)


def _table(found: Move) -> Markup:
    rows = [r for r in found.rows if not r.whole] or list(found.rows)
    made = html.table(("mailbox", "there", "here", ""), map(_cells, rows[:MOST]))
    more = len(rows) - MOST
    return made + (
        Markup("<p>… and {} more.</p>").format(more) if more > 0 else html.NOTHING
    )


def _cells(r: Row) -> tuple[object, ...]:
    state = "✓ whole" if r.whole else f"▲ {r.there - r.here} missing"
    return r.address, r.there, r.here, state


def move_text(found: Move) -> str:
    """The same for a terminal."""
    late = [f"{r.address}: {r.there} there, {r.here} here" for r in found.rows if not r.whole]  # fmt: skip
    return "\n".join([*late, words(found), f"Next: {STAGES[found.next]}."])
