"""Card: the frame of everything that lives on a page.

Heading, buttons and the switch, a line of progress, room for widgets, the report.
It holds no truth: what it shows is the last look.  One card a key: running a cell
again replaces its card, and what the old one waited for is forgotten.
Sources: https://ipywidgets.readthedocs.io/en/stable/
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import ipywidgets as widgets
from markupsafe import Markup

from ispguide import jupyter
from ispguide.engine.errors import GuideError, NoRoot
from ispguide.engine.progress import Running
from ispguide.notebook import inputs, switch
from ispguide.notebook.inputs import button
from ispguide.notebook.show import guarded
from ispguide.notebook.switch import Switch
from ispguide.notebook.work import Job, drop, worker
from ispguide.tasks.base import OnServer
from ispguide.views import style

T = TypeVar("T")
Watch = Callable[[str], None]

#: Every live card by its key.
CARDS: dict[str, Card] = {}


def headless() -> bool:
    """Whether nobody looks at widgets: a script runs the notebooks."""
    return bool(os.environ.get("ISPGUIDE_CELLS"))


def live(
    make: Callable[[], T], begin: Callable[[T], object] = lambda card: None
) -> Any:
    """The card, its first work handed over; or in a sentence why there can be none."""

    def work() -> T:
        card = make()
        begin(card)
        return card

    return guarded(work)


class Card:
    """A live card.  `key` names it: there is one card a key in each kernel."""

    def __init__(self, key: str, title: str, buttons: Sequence[Any] = ()):
        if old := CARDS.pop(key, None):
            old.close()
        CARDS[key] = self
        self.key, self.title, self._state = key, title, ""
        self.head, self.live = widgets.HTML(), widgets.HTML()
        self.body, self.inside = widgets.HTML(), widgets.VBox()
        self.bar = widgets.HBox(list(buttons)).add_class("ispg-bar")
        parts = [self.head, self.bar, self.live, self.inside, self.body]
        self.box = widgets.VBox(parts).add_class("ispg-card")
        self.state("")
        self.live.value = style.resting("")

    # what it shows

    def state(self, state: str, word: str = "") -> None:
        """The heading's shape and word, and the colour beside them."""
        self.box.remove_class(f"ispg-{self._state}").add_class(f"ispg-{state}")
        self._state = state
        about = style.box(style.heading(self.title, state, word) + self.about())
        self.head.value = style.style() + about

    def about(self) -> Markup:
        """More HTML below the heading."""
        return Markup()

    def show(self, html: Markup) -> None:
        """The report; a saved notebook keeps it in the card's place."""
        self.body.value = style.box(html)
        jupyter.keep(self._model, self.static)

    def _model(self) -> str | None:
        """Its id on the page; none once it is closed."""
        comm = self.box.comm
        return comm.comm_id if comm else None

    def static(self) -> str:
        """The card as plain HTML, without anything to press.

        What a widget holds is HTML already, but a plain text by its type."""
        return f"<div>{self.head.value}{self.body.value}</div>"

    def rest(self, words: str) -> None:
        """The line of progress when nothing runs."""
        self.live.value = style.resting(words)

    # what it does

    def run(
        self,
        doing: str,
        work: Callable[[Watch], T],
        done: Callable[[T], None],
        quiet: bool = False,
        on: str = "",
    ) -> None:
        """Do `work(watch)` on the worker of the server in use (or `on` another one),
        then `done(result)`."""
        self._enable(False)
        if not quiet:
            self.live.value = style.running(Running(f"{doing}: waits for its turn"))

        def finish(result: T) -> None:
            self._enable(True)
            self.rest(f"{doing}: done at {time.strftime('%H:%M:%S')}.")
            done(result)

        job = Job(self, doing, work, finish, self.stumble, self._paint, quiet)
        worker(on or switch.current()).submit(job)

    def _paint(self, running: Running) -> None:
        self.live.value = style.running(running)

    def _enable(self, yes: bool) -> None:
        (self.box.remove_class if yes else self.box.add_class)("ispg-working")
        for child in inputs.every(self.bar):
            if isinstance(child, widgets.Button):
                child.disabled = not yes

    def stumble(self, error: Exception) -> None:
        """An error in its three parts; a fault of ours is told with its traceback."""
        self._enable(True)
        if isinstance(error, NoRoot):
            _ask_for_sudo(self)
        self.rest(f"Stopped at {time.strftime('%H:%M:%S')}.")
        if not isinstance(error, GuideError):
            trace = "".join(traceback.format_exception(error)[-3:])
            error = GuideError(
                f"This card met a fault of the guide: {type(error).__name__}.",
                "It should have shown what it found.",
                "Run the cell again; if it stays, this is ours to mend.",
                trace,
                kind="bug",
            )
        self.state("failed", "stopped")
        told = Markup('<div role="alert">{}</div>').format(style.problem(error))
        self.show(told)

    def close(self) -> None:
        """Leave nothing behind: no job, no model, no file."""
        drop(self)
        model = self._model()
        for part in (
            *inputs.every(self.bar),
            *inputs.every(self.inside),
            *inputs.every(self.box),
        ):
            part.close()
        if model:
            jupyter.forget(model)  # last: a job may still show how it ended

    def _repr_mimebundle_(self, **more: Any) -> Any:
        found = self.box._repr_mimebundle_(**more)
        data = found[0] if isinstance(found, tuple) else found
        return {**data, "text/html": self.static(), "text/plain": self.title}


def _ask_for_sudo(card: Card) -> None:
    """Put the question into the card, once.  A new answer replaces the last one.

    Each notebook has a kernel of its own, and the password lives in a kernel's memory
    and nowhere else; so whichever card is refused asks where it stands."""
    if any("ispg-sudo" in child._dom_classes for child in card.inside.children):
        return
    field = inputs.Hidden(description="password for sudo")
    field.style.description_width = "initial"
    field.layout.width = "auto"
    note = inputs.words(
        "It stays in the memory of this notebook's kernel and is never saved. "
        "Not needed for root, nor where sudo asks for none."
    )

    def use() -> None:
        if secret := inputs.taken(field):
            switch.remember_sudo(secret)
            card.inside.children = [c for c in card.inside.children if c is not box]
            card.rest("Kept in memory. Now press again what was refused.")
            for part in inputs.every(box):
                part.close()

    box = inputs.row(field, inputs.button("use this password", use), note).add_class(
        "ispg-sudo"
    )
    card.inside.children = (box, *card.inside.children)


# PictureCard: a card that shows one look, and looks again.


class PictureCard(Card):
    """`task(here, server=…, sudo=…)` brings what `draw` shows."""

    def __init__(self, key: str, title: str, buttons: Sequence[Any] = ()):
        again = button("look again", self.look, tip="look at the server anew")
        super().__init__(key, title, list(buttons) or [again])
        self.switch = Switch()
        self.bar.children = (*self.bar.children, self.switch.box)

    def ask(self, on: OnServer) -> Any:
        """What the server says; runs on its worker."""
        raise NotImplementedError

    def draw(self, seen: Any) -> Markup:
        """What was seen, as HTML; sets the card's state."""
        raise NotImplementedError

    def look(self, quiet: bool = False) -> None:
        """A fresh look; nothing is changed."""
        on = switch.here()
        if not quiet:
            self.state("busy", "looking")
        self.run("Looking", lambda _: self.ask(on), self.take, quiet)

    def take(self, seen: Any) -> None:
        """Show it."""
        self.show(self.draw(seen))
        self.rest(f"Looked at {time.strftime('%H:%M:%S')}.")


# A button that asks once more where a click would change a real server.
#
# A practice server is there to be changed, so there it acts at once, unless it is
# told to ask always.  The answer stands where the button was, so nothing moves.


class Sure:
    """The button, and its question."""

    def __init__(
        self, label: str, act: Callable[[], None], css: str = "", always: bool = False
    ):

        self._act, self._always, self._label = act, always, label
        self._ask = button(label, self._pressed, css)
        self._yes = button("yes", self._agreed, "ispg-do")
        self._no = button("no, leave it", self._back)
        # All three stay in the box, so that closing the card closes them too.
        three = [self._ask, self._yes, self._no]
        self.box = widgets.HBox(three).add_class("ispg-bar")
        self._back()

    def _pressed(self) -> None:
        profile = switch.profile()
        careful = not profile.practice and switch.position() == switch.LOOK
        if not (careful or self._always):
            self._act()
            return
        name = profile.settings.hostname if profile.settings else profile.host
        self._yes.description = f"yes, {self._label} on {name}"
        self._shown(asking=True)

    def _agreed(self) -> None:
        self._back()
        self._act()

    def _back(self) -> None:
        self._shown(asking=False)

    def _shown(self, asking: bool) -> None:
        self._ask.layout.display = "none" if asking else ""
        for one in (self._yes, self._no):
            one.layout.display = "" if asking else "none"
