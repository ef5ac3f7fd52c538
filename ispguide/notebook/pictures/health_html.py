"""The state of the server as HTML: judged in words, the gravest first; who waits below.

A judgement is a shape and a word; the colour comes only besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ispguide.measures import queue
from ispguide.measures.health import JUDGED, Seen, health_words, worst
from ispguide.measures.words import span

Health = tuple[Sequence[Seen], Sequence[queue.Waiting]]

#: Judgement → state and word of the card.
CARD = {
    "act": ("failed", "needs you now"),
    "look": ("gap", "worth a look"),
    "fine": ("ok", "all is well"),
}


def judged(seen: Health) -> tuple[str, str]:
    """State and word of the card."""
    return CARD[worst(seen[0])]


def health_html(seen: Health) -> str:
    """The whole page."""
    rows, waits = seen
    body = "".join(_row(row) for row in rows)
    return (
        f'<p role="status"><b>{escape(health_words(rows))}</b></p>'
        '<table><thead><tr><th scope="col">how</th><th scope="col">part</th>'
        '<th scope="col">what is so, and what to do</th></tr></thead>'
        f"<tbody>{body}</tbody></table>{_waiting(waits)}"
    )


def _row(row: Seen) -> str:
    sign, word = JUDGED[row.state]
    do = f"<br><b>Do:</b> {typed(row.do)}" if row.do and row.state != "fine" else ""
    more = f' <span class="soft">{typed(row.do)}</span>' if row.state == "fine" else ""
    return (
        f'<tr><td class="state">{sign} {word}</td><td>{escape(row.what)}</td>'
        f"<td>{escape(row.words)}{do or more}</td></tr>"
    )


def typed(text: str) -> str:
    """What stands between backticks is to be typed."""
    parts = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(parts))


def _waiting(rows: Sequence[queue.Waiting]) -> str:
    """The queue with age and reason in words; nothing when it is empty."""
    if not rows:
        return ""
    cells = "".join(
        f"<tr><td>{escape(span(r.age))}</td><td>{escape(', '.join(r.recipients))}</td>"
        f"<td>{escape(queue.meaning(r.reason))}</td><td><code>{escape(r.number)}</code></td></tr>"
        for r in rows
    )
    heads = ("waits for", "to", "because", "number")
    top = "".join(f'<th scope="col">{head}</th>' for head in heads)
    return (
        f"<p>{escape(queue.queue_words(rows))}</p><table><thead><tr>{top}</tr></thead>"
        f"<tbody>{cells}</tbody></table>"
    )
