"""A chapter in its notebook: `look`, `step`, `prove`, `settings`, `ask`, `quiz`.

In JupyterLab each is a live card, and the work goes on beside the cells; a script
that runs the notebooks (ISPGUIDE_CELLS) gets the reports themselves, one by one.
"""

from __future__ import annotations

from typing import Any

from ispguide.chapters import GUIDE
from ispguide.engine.errors import NoSuchStep
from ispguide.notebook import questions, show, switch
from ispguide.notebook.card import headless, live
from ispguide.notebook.show import Shown, problem, sentence


def chapter(name: str) -> Page:
    """The chapter of this notebook; shows its card."""
    if name not in [c.name for c in GUIDE]:
        raise NoSuchStep(f"There is no chapter {name!r}.")
    page = Page(name)
    page.open()
    return page


class Page:
    """A chapter, on the server in use."""

    def __init__(self, name: str):
        self.chapter = next(c for c in GUIDE if c.name == name)

    def open(self) -> None:
        """Show the card on top of the chapter."""
        from IPython.display import display

        if headless():
            display(sentence(f"{self!r} {show.badge()}"))
            return
        from ispguide.notebook.chapter_card import ChapterCard

        display(live(lambda: ChapterCard(self.chapter), lambda c: c.look()))

    def look(self) -> Any:
        """What is there now; changes nothing."""
        if headless():
            return show.look(self.chapter)
        from ispguide.notebook.cards import LookCard

        return live(lambda: LookCard(self.chapter), lambda c: c.look())

    def step(self, name: str) -> Any:
        """Look, and with "make it so" also make it true."""
        if name not in self.chapter:
            return problem(
                NoSuchStep(
                    f"The chapter {self.chapter.name} has no step {name!r}.",
                    f"Its steps are {', '.join(s.name for s in self.chapter.steps)}.",
                )
            )
        if headless():
            return show.step(f"{self.chapter.name}.{name}")
        from ispguide.notebook.cards import StepCard

        return live(
            lambda: StepCard(self.chapter, self.chapter[name]),
            lambda c: c.look() if _looking() else c.make(),
        )

    def prove(self) -> Any:
        """Act like a user and look.  Proofs send mail, so looking only, they wait."""
        if headless():
            return show.prove(self.chapter)
        from ispguide.notebook.cards import ProofsCard

        return live(
            lambda: ProofsCard(self.chapter),
            lambda c: c.wait() if _looking() else c.prove(),
        )

    def settings(self) -> Any:
        """The decisions that belong to this chapter, as a form."""
        from ispguide.notebook.forms import settings

        return settings.form(self.chapter.settings, self.chapter.title)

    def ask(self, question: str) -> Any:
        """A question whose answer is judged, where possible by the server."""
        return questions.ask(self.chapter.name, question)

    def quiz(self, question: str) -> Shown:
        """A question, and its answer folded away."""
        return questions.quiz(question)

    def __repr__(self) -> str:
        return f"Chapter {self.chapter.number:02d}: {self.chapter.title}."


def _looking() -> bool:
    return switch.position() == switch.LOOK
