"""PictureCard: a card that shows one look, and looks again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ispguide.notebook import switch
from ispguide.notebook.card import Card
from ispguide.notebook.inputs import button
from ispguide.notebook.switching import Switch


class PictureCard(Card):
    """`task(here, server=…, sudo=…)` brings what `draw` shows."""

    def __init__(self, key: str, title: str, buttons: Sequence[Any] = ()):
        again = button("look again", self.look, tip="look at the server anew")
        super().__init__(key, title, list(buttons) or [again])
        self.switch = Switch()
        self.bar.children = (*self.bar.children, self.switch.box)

    def ask(self, server: str, sudo: Any) -> Any:
        """What the server says; runs on its worker."""
        raise NotImplementedError

    def draw(self, seen: Any) -> str:
        """What was seen, as HTML; sets the card's state."""
        raise NotImplementedError

    def look(self, quiet: bool = False) -> None:
        """A fresh look; nothing is changed."""
        name, sudo = switch.current(), switch.sudo()
        if not quiet:
            self.state("busy", "looking")
        self.run("Looking", lambda _: self.ask(name, sudo), self.take, quiet)

    def take(self, seen: Any) -> None:
        """Show it."""
        self.show(self.draw(seen))
        self.rest(f"Looked at {time.strftime('%H:%M:%S')}.")
