"""Cells without widgets: the report itself, when a script runs the notebooks.

The same tasks as the cards', one after the other, in the cell's own time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

from ispguide import tasks
from ispguide.chapter import Chapter
from ispguide.errors import GuideError
from ispguide.notebook import switch
from ispguide.notebook.show import Progress, problem, sentence
from ispguide.report import Report


def look(chapter: Chapter) -> Any:
    """What is there now; a chapter that only proves shows what it rests on."""
    names = [chapter.name] if chapter.steps else [c.name for c in chapter.needs]
    return guarded(lambda: marked(tasks.look(tasks.HERE, names, switch.current())))


def step(what: str) -> Any:
    """Look, and with "make it so" also make it true."""
    if switch.position() == switch.LOOK:
        return guarded(lambda: marked(tasks.look(tasks.HERE, [what], switch.current())))
    return watched(
        lambda watch: tasks.apply(tasks.HERE, [what], switch.current(), None, watch)
    )


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
        lambda watch: tasks.prove(
            tasks.HERE, [chapter.name], switch.current(), None, watch
        )
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
