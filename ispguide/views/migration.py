"""A move as HTML and as text: the stages, and letters counted there and here.

Pure; everything that came from the servers is escaped.
"""

from __future__ import annotations

from html import escape

from ispguide.mail.migration import STAGES, Move

#: So many mailboxes are named; of the others, only how many.
MOST = 30


def state_of(found: Move) -> tuple[str, str]:
    """(state, words) for the card's heading."""
    if found.next == "done":
        return "ok", "the move is over"
    return "gap", f"next: {STAGES[found.next]}"


def words(found: Move) -> str:
    """How it stands, in sentences."""
    there, here = found.letters
    door = "takes mail" if found.open else "takes no mail any more"
    waits = f", {found.waiting} letters wait in its queue" if found.waiting else ""
    return (
        f"{len(found.rows)} mailboxes: {there} letters there, {here} here. "
        f"The old server {door}{waits}. {found.why}"
    )


def move_html(found: Move) -> str:
    """The stages as a list, then the mailboxes that lack something."""
    at = list(STAGES).index(found.next)
    items = "".join(_stage(i, at, text) for i, text in enumerate(STAGES.values()))
    return f"<p>{escape(words(found))}</p><ol>{items}</ol>{_table(found)}"


def _stage(i: int, at: int, text: str) -> str:
    over = at == len(STAGES) - 1
    mark = "✓ done" if i < at or over else "▲ next" if i == at else "to come"
    shown = f"<strong>{escape(text)}</strong>" if i == at else escape(text)
    current = ' aria-current="step"' if i == at else ""
    return f"<li{current}>{shown} · {mark}</li>"


def _table(found: Move) -> str:
    rows = [r for r in found.rows if not r.whole] or list(found.rows)
    cells = "".join(
        f"<tr><td>{escape(r.address)}</td><td>{r.there}</td><td>{r.here}</td>"
        f"<td>{'✓ whole' if r.whole else f'▲ {r.there - r.here} missing'}</td></tr>"
        for r in rows[:MOST]
    )
    more = len(rows) - MOST
    left = f"<p>… and {more} more.</p>" if more > 0 else ""
    heads = "".join(
        f'<th scope="col">{h}</th>' for h in ("mailbox", "there", "here", "")
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table>{left}"


def move_text(found: Move) -> str:
    """The same for a terminal."""
    late = [f"{r.address}: {r.there} there, {r.here} here" for r in found.rows if not r.whole]  # fmt: skip
    return "\n".join([*late, words(found), f"Next: {STAGES[found.next]}."])
