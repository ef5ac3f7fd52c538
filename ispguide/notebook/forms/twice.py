"""A password typed twice, or the wish that one is made; judged, and out of its fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ispguide import people as book
from ispguide.errors import GuideError
from ispguide.notebook import inputs
from ispguide.notebook.inputs import taken
from ispguide.settings import Secret


class Twice:
    """A password typed twice, or the wish that one is made."""

    def __init__(self) -> None:
        self.make = inputs.tick(
            "make one for me, and show it once",
            "Long, random, and only for this mailbox.",
            True,
        )
        self.first = inputs.hidden("password")
        self.again = inputs.hidden("the same again", "One line, at most 72 bytes.")
        self.fields = [self.make, self.first, self.again]
        self.make.on_change(self._changed_mind)

    def _changed_mind(self, _: Any) -> None:
        """What was typed before is not wanted any more."""
        self.first.input.value = self.again.input.value = ""

    def ready(self) -> bool:
        """Say what is wrong; whether there is one, or one is to be made."""
        for one in (self.first, self.again):
            one.input.disabled = self.make.value
        if self.make.value:
            self.again.say("")
            return True
        first, again = self.first.input.value, self.again.input.value
        wrong = problem(first, lambda text: book.valid_password(Secret(text)))
        if not wrong and again and first != again:
            wrong = "The two are not the same."
        self.again.say(wrong)
        return bool(first) and first == again and not wrong

    def taken(self) -> Secret | None:
        """Out of both fields; None when one is to be made."""
        secret, _ = taken(self.first.input), taken(self.again.input)
        return None if self.make.value else secret


def problem(typed: str, valid: Callable[[str], Any]) -> str:
    """What is wrong with what was typed; nothing is wrong with nothing."""
    try:
        if typed:
            valid(typed)
    except GuideError as error:
        return " ".join(part for part in (error.is_, error.should) if part)
    return ""
