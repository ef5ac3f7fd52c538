"""The card that traces a letter: a word goes in, the ways of its letters come out.

It only reads the journal, so it works in both positions of the switch.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from ispguide import tasks
from ispguide.journey.way import FATES, Way
from ispguide.notebook.inputs import button
from ispguide.notebook.pictures import ways
from ispguide.notebook.pictures.card import PictureCard

INTRO = (
    "<p>An address, a Message-ID, or the number that Postfix gave a letter "
    "(<i>queued as …</i>). All letters that it names are told, the newest first.</p>"
)

#: What became of the newest letter → the card's state.  A no can be as it should be.
STATES = {"delivered": "ok", "passed": "ok", "junk": "ok"}


class TraceCard(PictureCard):
    """`what`: begin with this word."""

    def __init__(self, what: str = ""):
        trace = button("trace it", self.look, css="ispg-do", tip="read the journal")
        super().__init__("trace", "Where is the letter?", [trace])
        self.what = widgets.Text(
            value=what,
            description="trace",
            placeholder="anna@example.test, a Message-ID, or a number like 4XyZ…",
            style={"description_width": "initial"},
            layout={"width": "32em", "max_width": "100%"},
        )
        self.inside.children = (self.what,)
        self.show(INTRO)
        if what:
            self.look()

    def look(self, quiet: bool = False) -> None:
        """Nothing typed is no fault."""
        if not self.what.value.strip():
            self.show(INTRO)
            return
        super().look(quiet)

    def ask(self, server: str, sudo: Any) -> list[Way]:
        found: list[Way] = tasks.trace(tasks.HERE, self.what.value, server, sudo)
        return found

    def draw(self, seen: list[Way]) -> str:
        word = FATES[seen[0].fate][1] if seen else "not found"
        self.state(STATES.get(seen[0].fate, "gap") if seen else "unknown", word)
        return INTRO + ways.ways_html(seen)
