"""Moving house in a notebook: `target` and `move`.

A thin view over tasks: where a move stands is looked up each time, so the card can be
closed between any two stages.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from ispguide import tasks
from ispguide.mail.migration import STAGES, Move
from ispguide.notebook import backup, switch
from ispguide.notebook.card import PictureCard, Sure, Watch, headless, live
from ispguide.notebook.show import Shown, guarded, sentence
from ispguide.tasks.backup import Target
from ispguide.tasks.base import OnServer
from ispguide.views import html, migration, style

NOBODY = "No older server is named in the decisions, so there is nothing to fetch."


def target() -> Any:
    """The old server: what to lay down there, and the fingerprints it shows."""
    if not headless():
        return live(OldCard, OldCard.look)
    return guarded(lambda: sentence(told(switch.here()(tasks.move_target))))


def told(found: Target | None) -> str:
    """In words."""
    return backup.target_text(found) if found else NOBODY


def move() -> Any:
    """Where the move stands, and a button for its next stage."""
    if not headless():
        return live(MoveCard, MoveCard.look)
    return guarded(_plain)


def _plain() -> Shown:
    found = asked(switch.here())
    if found is None:
        return sentence(NOBODY)
    whole = style.style() + style.box(migration.move_html(found))
    return Shown(whole, migration.move_text(found))


def asked(on: OnServer) -> Move | None:
    """Both servers, counted; None where there is no older one."""
    if on(tasks.move_target) is None:
        return None
    return on(tasks.move_look)


class OldCard(PictureCard):
    """The old server as it shows itself now."""

    def __init__(self) -> None:
        super().__init__("house.target", "The old server")

    def ask(self, on: OnServer) -> Target | None:
        return on(tasks.move_target)

    def draw(self, seen: Target | None) -> Markup:
        same = seen is None or seen.compared in seen.fingerprints
        self.state("ok" if same else "gap", "known" if seen and same else "")
        return html.each("<p>{}</p>", told(seen).splitlines())


class MoveCard(PictureCard):
    """The stages, the counts, and a button for what comes next."""

    def __init__(self) -> None:
        super().__init__("house.move", "The move")
        self.first = self.bar.children

    def ask(self, on: OnServer) -> Move | None:
        return asked(on)

    def draw(self, seen: Move | None) -> Markup:
        if seen is None:
            self.state("ok", "nothing to move")
            return Markup("<p>{}</p>").format(NOBODY)
        self.state(*migration.state_of(seen))
        act = Sure(STAGES[seen.next], self.go_on, css="ispg-do").box
        buttons = (act,) if seen.doable else ()
        self.bar.children = (*buttons, *self.first)
        return migration.move_html(seen)

    def go_on(self) -> None:
        """The next stage, whichever that is by now."""
        on = switch.here()
        self.state("busy", "at work")

        def work(watch: Watch) -> Move:
            return on(tasks.move_next, False, watch=watch)

        self.run("The next stage", work, self.take)
