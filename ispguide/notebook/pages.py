"""A chapter in its notebook: `look`, `step`, `prove`, `quiz`."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import cache
from html import escape
from importlib import resources
from typing import Any

from ispguide import tasks
from ispguide.chapters import GUIDE
from ispguide.errors import GuideError, NoSuchStep
from ispguide.notebook import switch
from ispguide.notebook.show import Progress, Shown, problem, sentence
from ispguide.profile import Profile
from ispguide.report import Report


def chapter(name: str) -> Page:
    """The chapter of this notebook."""
    if name not in [c.name for c in GUIDE]:
        raise NoSuchStep(f"There is no chapter {name!r}.")
    return Page(name)


class Page:
    """A chapter, on the server in use.  Displaying it says where you are."""

    def __init__(self, name: str):
        self.chapter = next(c for c in GUIDE if c.name == name)

    def look(self) -> Any:
        """What is there now; changes nothing."""
        names = [self.chapter.name]
        if not self.chapter.steps:  # it only proves what others made true
            names = [c.name for c in self.chapter.needs]
        return guarded(lambda: marked(tasks.look(tasks.HERE, names, switch.current())))

    def step(self, name: str) -> Any:
        """Look, and with "make it so" also make it true."""
        if name not in self.chapter:
            return problem(
                NoSuchStep(
                    f"The chapter {self.chapter.name} has no step {name!r}.",
                    f"Its steps are {', '.join(s.name for s in self.chapter.steps)}.",
                )
            )
        what = [f"{self.chapter.name}.{name}"]
        if switch.position() == switch.LOOK:
            return guarded(
                lambda: marked(tasks.look(tasks.HERE, what, switch.current()))
            )
        return watched(
            lambda watch: tasks.apply(tasks.HERE, what, switch.current(), None, watch)
        )

    def prove(self) -> Any:
        """Act like a user and look.  Proofs send mail, so looking only, they wait."""
        if switch.position() == switch.LOOK:
            names = ", ".join(s.title for s in self.chapter.proofs)
            return sentence(
                f"Looking only: the proofs ({names}) act like a user, and some send "
                "mail, so they did not run. "
                f"Turn the switch to “{switch.DO}” in 00-start to see them."
            )
        return watched(
            lambda watch: tasks.prove(
                tasks.HERE, [self.chapter.name], switch.current(), None, watch
            )
        )

    def quiz(self, question: str) -> Shown:
        """A question, and its answer folded away."""
        answer = _answers()[question]
        html = (
            f"<p>{escape(question)}</p><details><summary>Think first, then look</summary>"
            f"<p>{escape(answer)}</p></details>"
        )
        return Shown(f'<div class="ispguide">{html}</div>', f"{question}\n\n{answer}")

    def _repr_html_(self) -> str:
        return f'<div class="ispguide"><p>{escape(repr(self))}</p></div>'

    def __repr__(self) -> str:
        return f"Chapter {self.chapter.number:02d}: {self.chapter.title}. {badge()}"


@cache
def _answers() -> dict[str, str]:
    text = resources.files("ispguide.notebook").joinpath("answers.toml").read_text()
    return tomllib.loads(text)


def badge() -> str:
    """Which server, practice or real, and how the switch stands."""
    try:
        profile = Profile.load(switch.current())
    except GuideError as error:
        return str(error)
    kind = "practice" if profile.practice else "REAL"
    name = profile.settings.hostname if profile.settings else profile.host
    return f"{kind} server {name} · {switch.position()}"


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
