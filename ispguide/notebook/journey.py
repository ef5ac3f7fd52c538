"""The card of a mail's journey: three letters to send, and what becomes of each.

A letter leaves only when a button is pressed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from ispguide import tasks
from ispguide.engine.progress import Running
from ispguide.mail.log.hops import STATIONS, Hop, outcome
from ispguide.mail.log.way import FATES, Way
from ispguide.notebook import switch
from ispguide.notebook.card import PictureCard, Watch
from ispguide.notebook.inputs import button
from ispguide.proofs.journey import KINDS
from ispguide.tasks.base import OnServer
from ispguide.tasks.components import UNSEEN, PartState
from ispguide.views import diagram, journey, style

# The card of the big picture: drawn at once, made real by a look at the server.


class BigPictureCard(PictureCard):
    """`highlight`: the chapter whose components are lit."""

    def __init__(self, highlight: str = ""):
        self.highlight = highlight
        super().__init__(f"big-picture.{highlight}", "The big picture")
        self.show(diagram.big_picture(UNSEEN, highlight))

    def ask(self, on: OnServer) -> Any:
        return on(tasks.parts)

    def draw(self, seen: Sequence[PartState]) -> Markup:
        self.state(*summary(seen))
        return diagram.big_picture(seen, self.highlight)

    def refresh_map(self) -> None:
        """Somebody changed the server: look again when nothing else is to do."""
        self.look(quiet=True)


def summary(states: Sequence[PartState]) -> tuple[str, str]:
    """State and word of the card: the worst, and how many are well."""
    ours = [s for s in states if s.state != "later"]
    well = sum(s.state in ("proved", "true") for s in ours)
    word = f"{well} of {len(ours)} components are well"
    found = {s.state for s in ours}
    if found & {"failed", "stopped"}:
        return "failed", word
    if found & {"open", "drifted"}:
        return "gap", word
    return ("unknown" if "unknown" in found else "ok"), word


# The card of a mail's journey: three letters to send, and what becomes of each.


INTRO = Markup(
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
        self.show(INTRO + journey.strip(()))

    def _sender(self, kind: str) -> Callable[[], None]:
        return lambda: self.send(kind)

    def send(self, kind: str) -> None:
        """Send it, and follow it on the server's worker."""
        on = switch.here()
        to = "" if kind == "nobody" else str(self.to.value).strip()
        self.kind, self.hops, self._drawn = kind, [], 0
        self.state("busy", "on its way")
        self.show(journey.timeline((), under_way=True))

        def work(watch: Watch) -> Any:
            def tell(hop: Hop) -> None:
                self.hops.append(hop)
                watch(f"{STATIONS[hop.who]} {hop.what}")

            return on(tasks.travel, kind, to, tell=tell)

        self.run(f"Sending {KINDS[kind]}", work, self.ended)

    def ended(self, hops: Sequence[Hop]) -> None:
        """Where it ended.  A no is what some letters deserve, so it is no failure."""
        end = outcome(hops)
        found = end.state if end else ""
        state = "ok" if found == WANTED[self.kind] else OTHERWISE.get(found, "unknown")
        self.state(state, WORDS.get(found, "lost sight of"))
        self.show(journey.timeline(hops))

    def _paint(self, running: Running) -> None:
        """New hops are drawn with the progress: at most some times a second."""
        super()._paint(running)
        if len(self.hops) != self._drawn:
            self._drawn = len(self.hops)
            self.show(journey.timeline(tuple(self.hops), under_way=True))

    def stumble(self, error: Exception) -> None:
        """The error first, then how far the letter came."""
        super().stumble(error)
        if self.hops:
            came = style.box(journey.timeline(tuple(self.hops)))
            self.body.value = f"{self.body.value}{came}"


# The card that traces a letter: a word goes in, the ways of its letters come out.
#
# It only reads the journal, so it works in both positions of the switch.


TRACE_INTRO = Markup(
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
        self.show(TRACE_INTRO)
        if what:
            self.look()

    def look(self, quiet: bool = False) -> None:
        """Nothing typed is no fault."""
        if not self.what.value.strip():
            self.show(TRACE_INTRO)
            return
        super().look(quiet)

    def ask(self, on: OnServer) -> list[Way]:
        found: list[Way] = on(tasks.trace, self.what.value)
        return found

    def draw(self, seen: list[Way]) -> Markup:
        word = FATES[seen[0].fate][1] if seen else "not found"
        self.state(STATES.get(seen[0].fate, "gap") if seen else "unknown", word)
        return TRACE_INTRO + journey.ways_html(seen)
