"""The card of a mail's journey: three letters to send, and what becomes of each.

A letter leaves only when a button is pressed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from ispguide import tasks
from ispguide.journey import STATIONS, Hop
from ispguide.journey.hop import outcome
from ispguide.journey.travel import KINDS
from ispguide.notebook import frame, switch
from ispguide.notebook.card import Watch
from ispguide.notebook.inputs import button
from ispguide.notebook.pictures import timeline
from ispguide.notebook.pictures.card import PictureCard
from ispguide.progress import Running

INTRO = (
    "<p>A stranger brings a letter to port 25, and every hop appears with its time. "
    "Without an address it goes to a mailbox that exists only for this letter, and "
    "nothing is left behind. With one it stays there, for you to find it.</p>"
)


#: What should become of each letter; else the card's state; the words for it.
WANTED = {"letter": "ok", "spam": "no", "nobody": "no"}
OTHERWISE = {"ok": "failed", "no": "failed"}
WORDS = {"ok": "arrived", "no": "refused", "wait": "waits"}


class JourneyCard(PictureCard):
    """`hops`: what is known of the letter under way."""

    def __init__(self) -> None:
        self.hops: list[Hop] = []
        self.kind, self._drawn = "letter", 0
        buttons = [button(f"send {what}", self._sender(k)) for k, what in KINDS.items()]
        super().__init__("journey", "The journey of a mail", buttons)
        self.to = widgets.Text(
            description="to",
            placeholder="empty: a mailbox made for it",
            style={"description_width": "initial"},
        )
        self.inside.children = (self.to,)
        self.show(INTRO + timeline.strip(()))

    def _sender(self, kind: str) -> Callable[[], None]:
        return lambda: self.send(kind)

    def send(self, kind: str) -> None:
        """Send it, and follow it on the server's worker."""
        name, sudo = switch.current(), switch.sudo()
        to = "" if kind == "nobody" else str(self.to.value).strip()
        self.kind, self.hops, self._drawn = kind, [], 0
        self.state("busy", "on its way")
        self.show(timeline.timeline((), under_way=True))

        def work(watch: Watch) -> Any:
            def tell(hop: Hop) -> None:
                self.hops.append(hop)
                watch(f"{STATIONS[hop.who]} {hop.what}")

            return tasks.travel(tasks.HERE, kind, to, name, sudo, tell)

        self.run(f"Sending {KINDS[kind]}", work, self.ended)

    def ended(self, hops: Sequence[Hop]) -> None:
        """Where it ended.  A no is what some letters deserve, so it is no failure."""
        end = outcome(hops)
        found = end.state if end else ""
        state = "ok" if found == WANTED[self.kind] else OTHERWISE.get(found, "unknown")
        self.state(state, WORDS.get(found, "lost sight of"))
        self.show(timeline.timeline(hops))

    def _paint(self, running: Running) -> None:
        """New hops are drawn with the progress: at most some times a second."""
        super()._paint(running)
        if len(self.hops) != self._drawn:
            self._drawn = len(self.hops)
            self.show(timeline.timeline(tuple(self.hops), under_way=True))

    def stumble(self, error: Exception) -> None:
        """The error first, then how far the letter came."""
        super().stumble(error)
        if self.hops:
            came = frame.box(timeline.timeline(tuple(self.hops)))
            self.body.value = self.body.value + came
