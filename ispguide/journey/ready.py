"""Whether a letter can make its journey at all, and why not, in three parts."""

from __future__ import annotations

from ispguide import facts
from ispguide.chapters import GUIDE
from ispguide.errors import GuideError
from ispguide.guide import Guide
from ispguide.outside import NotReached
from ispguide.overview import overview
from ispguide.proofs import Context

#: The letter is delivered by what the chapters below this one make.
FIRST_MAIL = 9


def must_be_ready(guide: Guide) -> None:
    """Refuse while a chapter was never done; one that only drifted is worth watching."""
    needed = [c for c in GUIDE if c.number < FIRST_MAIL]
    asked = [facts.ledger(), facts.proved()]
    report = guide.check(*needed, also=asked)
    found = overview(needed, report, *(guide.have[fact] for fact in asked))
    for state in found.chapters:
        if state.state == "open" and state.step:
            gap = (state.missing.splitlines() or [""])[0]
            step, name = state.step.replace("_", " "), state.chapter.notebook
            raise GuideError(
                f"Chapter {state.chapter.number:02d}, “{state.chapter.title}”, is not "
                f"done yet: {gap}",
                "A letter needs the chapters 02 to 08 before it can be followed.",
                f"Run the step “{step}” in {name}, then those after it.",
                kind="not-ready",
            )


def unreached(stop: NotReached, context: Context) -> GuideError:
    """Nobody answered: is it the server, or something on the way to it?"""
    if not stop.opened and context.listens(stop.port):
        return GuideError(
            f"From this computer, {stop}.",
            "The server listens there, so something on the way is in between: a "
            "firewall, or your own provider, who keeps home lines from sending mail.",
            "Try from another network; the practice server can always be reached.",
            kind="blocked-on-the-way",
        )
    return GuideError(
        f"The server does not answer at {stop}.",
        "Postfix should listen there for the whole world.",
        "Run the proofs of chapter 06: they name what is missing.",
        kind="not-reached",
    )
