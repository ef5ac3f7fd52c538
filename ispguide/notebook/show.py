"""Showing things in a cell: HTML for people, plain text where no HTML is shown."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from ispguide.errors import GuideError


class Shown:
    """A piece of HTML with the same in plain words."""

    def __init__(self, html: str, text: str):
        self._html, self._text = html, text

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return self._text


def sentence(text: str) -> Shown:
    """A paragraph per line."""
    html = "".join(f"<p>{escape(line)}</p>" for line in text.splitlines())
    return Shown(f'<div class="ispguide" role="status">{html}</div>', text)


def problem(error: GuideError) -> Shown:
    """What is so, what should be so, what to do now; the evidence folded."""
    parts = [p for p in (error.is_, error.should, error.do) if p]
    html = "".join(f"<p>{escape(p)}</p>" for p in parts)
    if error.evidence:
        fold = f"<pre>{escape(error.evidence)}</pre>"
        html += f"<details><summary>evidence</summary>{fold}</details>"
    mark = f'class="ispguide" role="alert" data-kind="{error.kind}"'
    return Shown(f"<div {mark}><p>✗</p>{html}</div>", "\n".join(parts))


class Progress:
    """A line that moves while something runs; gone when it is done.

    At most ten updates a second, whatever the server says."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._last = 0.0

    def __call__(self, line: str) -> None:
        from IPython.display import display

        now = time.monotonic()
        if now - self._last < 0.1:
            return
        self._last = now
        shown = Shown(f"<pre>{escape(line[:160])}</pre>", line[:160])
        if self._handle is None:
            self._handle = display(shown, display_id=True)
        else:
            self._handle.update(shown)

    def close(self) -> None:
        """Leave nothing on the page."""
        if self._handle is not None:
            self._handle.update(Shown("", ""))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Shown:
    """A table, escaped, with the same as lines of text."""
    rows = list(rows)
    top = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    text = "\n".join("  ".join(row) for row in rows)
    return Shown(
        f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>", text
    )
