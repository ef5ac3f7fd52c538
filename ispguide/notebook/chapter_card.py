"""The card on top of a chapter: what it is about, and the map with your place in it.

The map is drawn from a fresh look at the whole guide, which is one exchange.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from ispguide import tasks
from ispguide.chapters import GUIDE
from ispguide.engine.chapter import Chapter
from ispguide.engine.overview import CHAPTER_STATES, ChapterState, Overview
from ispguide.engine.report import Report
from ispguide.notebook import switch
from ispguide.notebook.card import Card, Sure, Watch
from ispguide.notebook.cards import publish
from ispguide.notebook.inputs import button
from ispguide.notebook.switch import Switch
from ispguide.views import html, style


class ChapterCard(Card):
    """One chapter.  `made`: the steps the ledger knows as done."""

    def __init__(self, chapter: Chapter):
        self.chapter, self.made = chapter, dict[str, float]()
        buttons = [
            button("look", self.look),
            Sure("make it so", self.make, css="ispg-do").box,
            button("next chapter", self.next),
        ]
        title = f"{chapter.number:02d} {chapter.title}"
        super().__init__(f"{chapter.name}.chapter", title, buttons)
        self.switch = Switch()
        self.bar.children = (*self.bar.children, self.switch.box)
        self.show(map_html(chapter, ()))

    def about(self) -> Markup:
        minutes = f" {self.chapter.minutes} minutes." if self.chapter.minutes else ""
        told = f"{self.chapter.learn}{minutes}"
        return Markup('<div class="soft">{}</div>').format(told)

    # what may be done

    def refresh_map(self) -> None:
        """Look at everything, when nothing else is to do."""
        self._overview(quiet=True)

    def look(self) -> None:
        """Look at everything now."""
        self.state("busy", "looking")
        self._overview(quiet=False)

    def _overview(self, quiet: bool) -> None:
        on = switch.here()

        def work(_: Watch) -> Any:
            return on(tasks.overview)

        self.run("Looking at the whole guide", work, self.take_overview, quiet)

    def make(self) -> None:
        """The whole chapter: look, fix, look again, prove."""
        on = switch.here()
        self.state("busy", "at work")

        def work(watch: Watch) -> Any:
            what = [self.chapter.name]
            return on(tasks.apply, what, watch=watch)

        def done(report: Report) -> None:
            publish(report)
            self.look()

        self.run("Making the chapter so", work, done)

    def next(self) -> None:
        """The next chapter, or what is missing before it."""
        on = switch.here()

        def done(found: Overview) -> None:
            self.take_overview(found)
            self.rest(next_html(self.chapter, found))

        def work(_: Watch) -> Any:
            return on(tasks.overview)

        self.run("Looking", work, done)

    def rest(self, words: str) -> None:
        """Here the line may hold links, made by us."""
        self.live.value = Markup('<div class="ispg-live ispg">{}</div>').format(words)

    def take_overview(self, found: Overview) -> None:
        """Draw the map; every other card may use the same look."""
        self.made = dict(found.made)
        mine = found.of(self.chapter.name)
        state, word = card_state(mine)
        self.state(state, word)
        self.show(map_html(self.chapter, found.chapters))
        publish(found.report, gently=True)


def card_state(mine: ChapterState) -> tuple[str, str]:
    """A chapter's state as a state and word of a card."""
    states = {"proved": "ok", "true": "ok", "open": "gap"}
    return states.get(mine.state, mine.state), CHAPTER_STATES[mine.state][1]


def map_html(here: Chapter | None, states: tuple[ChapterState, ...]) -> Markup:
    """All chapters in order, each with its state, a link, and your place."""
    known = {s.chapter.name: s for s in states}
    first = (
        style.link("00-start.ipynb", "00 Start"),
        style.link("01-big-picture.ipynb", "01 The big picture"),
    )
    legend = " · ".join(" ".join(pair) for pair in CHAPTER_STATES.values())
    return Markup(
        '<nav aria-label="map of the guide"><ul class="map">{}{}</ul>'
        '</nav><div class="soft">{}</div>'
    ).format(
        html.each("<li>{}</li>", first),
        html.joined(_item(c, known.get(c.name), c is here) for c in GUIDE),
        legend,
    )


def _item(chapter: Chapter, state: ChapterState | None, here: bool) -> Markup:
    sign, word = CHAPTER_STATES[state.state] if state else ("…", "not looked yet")
    css = (card_state(state)[0] if state else "") + (" here" if here else "")
    current = html.attribute("aria-current", "page" if here else "")
    mark = " (you are here)" if here else ""
    label = style.link(chapter.notebook, f"{chapter.number:02d} {chapter.title}")
    why = state.missing.splitlines()[0] if state and state.missing else word
    return Markup(
        '<li class="{}"{} title="{}"><span aria-label="{}">{}</span> {}{}</li>'
    ).format(css, current, why, word, sign, label, mark)


def next_html(here: Chapter, found: Overview) -> str:
    """A link to the next chapter; before it is time, what is missing and where."""
    later = [c for c in GUIDE if c.number > here.number]
    if not later:
        return "This was the last chapter so far."
    mine, after = found.of(here.name), later[0]
    go = style.link(after.notebook, f"{after.number:02d} {after.title}", css="go")
    if mine.ready:
        return Markup("On to {}").format(go)
    first = (mine.missing.splitlines() or ["something"])[0]
    where = (
        style.link(here.notebook, f"the step {mine.step.replace('_', ' ')}", mine.step)
        if mine.step
        else "the proofs of this chapter"
    )
    early = "Too early: {} First make {} true. You may still read {}"
    return Markup(early).format(first, where, go)
