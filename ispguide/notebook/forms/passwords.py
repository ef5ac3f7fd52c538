"""A password that was made, shown once: beside the card's report and never in it.

It goes by a press of the button, by the next thing the card does, or by itself after
some minutes.  A saved notebook gets the report alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Timer
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from ispguide.engine.errors import GuideError
from ispguide.engine.names import to_unicode
from ispguide.engine.settings import Secret
from ispguide.mail import people
from ispguide.notebook import inputs
from ispguide.notebook.inputs import taken
from ispguide.views import style

#: Seconds after which it goes by itself: time to copy it, not to forget it.
MINUTES = 5


class Once:
    """The place where it is shown."""

    def __init__(self) -> None:
        self._shown = widgets.HTML()
        self._hide = inputs.button("hide it", self.hide)
        self._row = inputs.row(self._hide)
        self.box = inputs.column()
        self._timer: Timer | None = None

    def show(self, address: str, made: str) -> None:
        """Show it, until it is hidden."""
        self.tell(
            f"The password of {to_unicode(address)}, shown this once; nobody else knows it, "
            "and nothing keeps it:",
            made,
            "Lost? Give a new one.",
        )

    def tell(self, words: str, secret: str, after: str = "") -> None:
        """Show it below these words, until it is hidden."""
        to_unicode = Markup(
            '<p>{}</p><pre class="once">{}</pre><p>It goes after {} minutes. {}</p>'
        )
        self._put(to_unicode.format(words, secret, MINUTES, after))

    def show_all(self, made: Mapping[str, str]) -> None:
        """Those of many, by their addresses; nothing for none."""
        lines = "\n".join(f"{to_unicode(who)}  {word}" for who, word in made.items())
        if made:
            whole = Markup(
                "<p>Passwords that were made, shown this once; nothing keeps them:</p>"
                '<pre class="once">{}</pre>'
                "<p>They go after {} minutes. Copy them now.</p>"
            )
            self._put(whole.format(lines, MINUTES))

    def _put(self, html: Markup) -> None:
        self.hide()
        self._shown.value = style.box(html, role="status")
        self.box.children = (self._shown, self._row)
        self._timer = Timer(60 * MINUTES, self.hide)
        self._timer.daemon = True
        self._timer.start()

    def hide(self) -> None:
        """Gone from the page and from this kernel's memory."""
        if self._timer:
            self._timer.cancel()
        self._timer, self._shown.value, self.box.children = None, "", ()

    def spare(self) -> Sequence[Any]:
        """Parts that are not on the page all the time."""
        return [self._shown, self._row]


# A password typed twice, or the wish that one is made; judged, and out of its fields.


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
        wrong = problem(first, lambda text: people.valid_password(Secret(text)))
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
