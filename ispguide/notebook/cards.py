"""The cards of a chapter's cells: a step, a look at the chapter, its proofs.

Each shows what the newest report says of its steps.  A report that one card brings
is shared with all others of the kernel, so nothing on a page is older than it must be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from ispguide import tasks
from ispguide.chapters import GUIDE
from ispguide.engine.chapter import Chapter, Step
from ispguide.engine.report import Report
from ispguide.notebook import switch
from ispguide.notebook.card import CARDS, Card, Sure, Watch
from ispguide.notebook.inputs import button
from ispguide.notebook.switch import Switch
from ispguide.tasks.base import known_settings
from ispguide.views import findings, html, style


def step_links() -> dict[str, Markup]:
    """Step's title → the link to its cell."""
    return {
        s.title: style.link(c.notebook, f"{c.number:02d} {s.title}", s.name)
        for c in GUIDE
        for s in c.steps
    }


class StepsCard(Card):
    """Some steps of a chapter, and what may be done with them."""

    def __init__(self, chapter: Chapter, steps: Sequence[Step], key: str, title: str):
        self.chapter, self.steps = chapter, list(steps)
        self.what = [str(s) for s in self.steps]
        super().__init__(f"{chapter.name}.{key}", title, self.buttons())
        self.switch = Switch()
        self.bar.children = (*self.bar.children, self.switch.box)
        self.show(findings.waiting(self.things()) + self.more())

    def buttons(self) -> list[widgets.Widget]:
        """What may be pressed."""
        return [button("look again", self.look)]

    def things(self) -> list[str]:
        """What the steps say should be true, by name."""
        settings = known_settings(switch.current())
        return [str(t) for s in self.steps for t in s.things(settings)]

    def more(self) -> Markup:
        """Folded below the findings."""
        return Markup()

    # what may be done

    def look(self) -> None:
        """A fresh look; nothing is changed."""
        on = switch.here()
        self.state("busy", "looking")
        self.run(
            "Looking",
            lambda _: on(tasks.look, self.what),
            self.looked,
        )

    def looked(self, report: Report) -> None:
        """Show it; when somebody is at work on the server, watch that first."""
        publish(report)
        if report.busy:
            self.watch_run(f"{report.busy['who']} is in {report.busy['step']}")

    def watch_run(self, doing: str) -> None:
        """Follow the run under way, begun here or elsewhere, then look."""
        on = switch.here()
        self.state("busy", "a run is under way")

        def work(watch: Watch) -> Any:
            on(tasks.follow, watch=watch)
            return on(tasks.look, self.what)

        self.run(doing, work, publish)

    def change(self, doing: str, work: Callable[[Watch], Report]) -> None:
        """Something that changes the server; the map is drawn anew afterwards."""
        self.state("busy", "at work")

        def done(report: Report) -> None:
            publish(report)
            refresh_maps()

        self.run(doing, work, done)

    def take(self, report: Report, gently: bool = False) -> None:
        """Show what a report says of these steps, if it says anything.

        `gently`: a mere gap does not replace the reason why it is one."""
        mine = [f for f in report if f"{f.chapter}.{f.step}" in self.what]
        state = findings.worst(mine)
        told = self._state in ("failed", "blocked", "busy")
        if not mine or (gently and told and state == "gap"):
            return
        word = _drifted(mine) if state == "gap" else ""
        self.state("drifted" if word else state, word)
        notes = html.each("<p>{}</p>", report.notes)
        self.show(notes + findings.findings_html(mine, step_links()) + self.more())
        if not report.busy:
            changes = f"{report.actions} change{'s' * (report.actions != 1)}"
            cost = f"{changes}, {report.seconds:.1f} s"
            self.rest(f"Looked at {time.strftime('%H:%M:%S')} ({cost}).")


class StepCard(StepsCard):
    """One step: look, make it so, undo."""

    def __init__(self, chapter: Chapter, step: Step):
        self.step = step
        super().__init__(chapter, [step], step.name, step.title)

    def buttons(self) -> list[widgets.Widget]:
        make = Sure("make it so", self.make, css="ispg-do")
        undo = Sure("undo", self.undo, always=True)
        return [button("look again", self.look), make.box, undo.box]

    def more(self) -> Markup:
        return findings.about_step(self.step, known_settings(switch.current()))

    def make(self) -> None:
        """Look, fix, look again, on the server."""
        on = switch.here()
        self.change(
            "Making it so",
            lambda watch: on(tasks.apply, self.what, watch=watch),
        )

    def undo(self) -> None:
        """Put back the files the step replaced."""
        on = switch.here()
        self.change(
            "Putting back",
            lambda watch: on(tasks.undo, str(self.step), watch=watch),
        )


class LookCard(StepsCard):
    """A look at all steps of a chapter, or of those it rests on when it has none."""

    def __init__(self, chapter: Chapter):
        own = chapter.steps or tuple(s for c in chapter.needs for s in c.steps)
        super().__init__(chapter, own, "look", "What is there now")


class ProofsCard(StepsCard):
    """The proofs of a chapter: they act like a user and look."""

    def __init__(self, chapter: Chapter):
        super().__init__(chapter, chapter.proofs, "prove", "The proofs")

    def buttons(self) -> list[widgets.Widget]:
        return [Sure("prove it", self.prove, css="ispg-do").box]

    def prove(self) -> None:
        """Really send, log in, be refused; nothing is left behind."""
        on = switch.here()
        self.change(
            "Proving",
            lambda watch: on(tasks.prove, self.what, watch=watch),
        )

    def wait(self) -> None:
        """Looking only: the proofs act, and some send mail, so they wait."""
        self.rest("Looking only: the proofs act like a user, so they wait for a click.")


def publish(report: Report, gently: bool = False) -> None:
    """Every card of the kernel shows what this report says of its steps."""
    for card in list(CARDS.values()):
        if isinstance(card, StepsCard):
            card.take(report, gently)


def refresh_maps() -> None:
    """Every map of the guide looks again, when nothing else is to do."""
    for card in list(CARDS.values()):
        if refresh := getattr(card, "refresh_map", None):
            refresh()


def _drifted(mine: Sequence[object]) -> str:
    """A word for a gap in what the ledger knows as done once; "" for a new one."""
    made = {name for card in CARDS.values() for name in getattr(card, "made", ())}
    names = {f"{f.chapter}.{f.step}" for f in mine if f.state == "gap"}  # type: ignore[attr-defined]
    return "drifted: it was true once" if names & made else ""
