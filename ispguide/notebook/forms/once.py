"""A password that was made, shown once: beside the card's report and never in it.

It goes by a press of the button, by the next thing the card does, or by itself after
some minutes.  A saved notebook gets the report alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from threading import Timer
from typing import Any

import ipywidgets as widgets

from ispguide.names import shown
from ispguide.notebook import frame, inputs

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
            f"The password of {shown(address)}, shown this once; nobody else knows it, "
            "and nothing keeps it:",
            made,
            "Lost? Give a new one.",
        )

    def tell(self, words: str, secret: str, after: str = "") -> None:
        """Show it below these words, until it is hidden."""
        self._put(
            f'<p>{escape(words)}</p><pre class="once">{escape(secret)}</pre>'
            f"<p>It goes after {MINUTES} minutes. {escape(after)}</p>"
        )

    def show_all(self, made: Mapping[str, str]) -> None:
        """Those of many, by their addresses; nothing for none."""
        lines = "\n".join(f"{shown(who)}  {word}" for who, word in made.items())
        if made:
            self._put(
                "<p>Passwords that were made, shown this once; nothing keeps them:</p>"
                f'<pre class="once">{escape(lines)}</pre>'
                f"<p>They go after {MINUTES} minutes. Copy them now.</p>"
            )

    def _put(self, html: str) -> None:
        self.hide()
        self._shown.value = frame.box(html, role="status")
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
