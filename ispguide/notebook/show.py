"""Showing things in a cell: HTML for people, plain text where no HTML is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from ispguide import tasks
from ispguide.engine.chapter import Chapter
from ispguide.engine.errors import GuideError
from ispguide.engine.report import Report
from ispguide.notebook import switch
from ispguide.views import html, style


class Shown:
    """A piece of HTML with the same in plain words."""

    def __init__(self, html: Markup, text: str):
        self._html, self._text = html, text

    def _repr_html_(self) -> Markup:
        return self._html

    def __repr__(self) -> str:
        return self._text


def sentence(text: str) -> Shown:
    """A paragraph per line."""
    lines = html.each("<p>{}</p>", text.splitlines())
    return Shown(
        Markup('<div class="ispguide" role="status">{}</div>').format(lines), text
    )


def problem(error: GuideError) -> Shown:
    """What is so, what should be so, what to do now; the evidence folded."""
    parts = [p for p in (error.is_, error.should, error.do) if p]
    lines = html.each("<p>{}</p>", parts)
    if error.evidence:
        lines += style.words_folded("evidence", error.evidence)
    told = Markup(
        '<div class="ispguide" role="alert" data-kind="{}"><p>✗</p>{}</div>'
    ).format(error.kind, lines)
    return Shown(told, "\n".join(parts))


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
        shown = Shown(Markup("<pre>{}</pre>").format(line[:160]), line[:160])
        if self._handle is None:
            self._handle = display(shown, display_id=True)
        else:
            self._handle.update(shown)

    def close(self) -> None:
        """Leave nothing on the page."""
        if self._handle is not None:
            self._handle.update(Shown(html.NOTHING, ""))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Shown:
    """A table, escaped, with the same as lines of text."""
    rows = list(rows)
    return Shown(html.table(heads, rows), "\n".join("  ".join(row) for row in rows))


# Cells without widgets: the report itself, when a script runs the notebooks.
#
# The same tasks as the cards', one after the other, in the cell's own time.


def look(chapter: Chapter) -> Any:
    """What is there now; a chapter that only proves shows what it rests on."""
    names = [chapter.name] if chapter.steps else [c.name for c in chapter.needs]
    return guarded(lambda: marked(switch.here()(tasks.look, names)))


def step(what: str) -> Any:
    """Look, and with "make it so" also make it true."""
    if switch.position() == switch.LOOK:
        return guarded(lambda: marked(switch.here()(tasks.look, [what])))
    return watched(lambda watch: switch.here()(tasks.apply, [what], watch=watch))


def prove(chapter: Chapter) -> Any:
    """The proofs; looking only, they wait."""
    if switch.position() == switch.LOOK:
        names = ", ".join(s.title for s in chapter.proofs)
        return sentence(
            f"Looking only: the proofs ({names}) act like a user, and some send "
            "mail, so they did not run. "
            f"Turn the switch to “{switch.DO}” in 00-start to see them."
        )
    return watched(
        lambda watch: switch.here()(tasks.prove, [chapter.name], watch=watch)
    )


def badge() -> str:
    """Which server, of what kind, and how the switch stands."""
    try:
        profile = switch.profile()
    except GuideError as error:
        return str(error)
    name = profile.settings.hostname if profile.settings else profile.host
    kind = switch.kind(profile)
    more = ": nothing is changed" if kind == "REPLAY" else ""
    return f"{kind} server {name}{more} · {switch.position()}"


def guarded(work: Callable[[], Any]) -> Any:
    """What `work` returns, or its error as a sentence instead of a traceback."""
    try:
        return work()
    except GuideError as error:
        return problem(error)


def watched(work: Callable[[Callable[[str], None]], Report]) -> Any:
    """The same with a line of progress while it runs."""
    with closing(Progress()) as progress:
        return guarded(lambda: marked(work(progress)))


def marked(report: Report) -> Report:
    """The report under a line that says which server this is, and the switch."""
    return replace(report, notes=(badge(), *report.notes))
