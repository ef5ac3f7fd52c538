"""The card of the big picture: drawn at once, made real by a look at the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ispguide import tasks
from ispguide.components import UNSEEN, PartState
from ispguide.notebook.pictures import diagram
from ispguide.notebook.pictures.card import PictureCard


class BigPictureCard(PictureCard):
    """`highlight`: the chapter whose components are lit."""

    def __init__(self, highlight: str = ""):
        self.highlight = highlight
        super().__init__(f"big-picture.{highlight}", "The big picture")
        self.show(diagram.big_picture(UNSEEN, highlight))

    def ask(self, server: str, sudo: Any) -> Any:
        return tasks.parts(tasks.HERE, server, sudo)

    def draw(self, seen: Sequence[PartState]) -> str:
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
