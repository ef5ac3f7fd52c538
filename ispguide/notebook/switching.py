"""The switch as it is seen on every card: radio buttons and a badge.

They show what `switch` remembers and hold nothing themselves; turning one turns all
of this notebook.  A real server is armed only in 00-start, by typing its name.
"""

from __future__ import annotations

from html import escape
from typing import Any
from weakref import WeakSet

import ipywidgets as widgets

from ispguide.errors import GuideError
from ispguide.notebook import frame, switch

_SEEN: WeakSet[Switch] = WeakSet()


def badge_html() -> str:
    """Practice, REAL or replay, and the server's name."""
    try:
        now = switch.profile()
    except GuideError as error:
        return f'<span class="badge">{escape(error.is_)}</span>'
    name = now.settings.hostname if now.settings else now.host
    sort = switch.kind(now)
    css = "badge real" if sort == "REAL" else "badge"
    more = ": nothing is changed" if sort == "REPLAY" else ""
    more = ": armed" if sort == "REAL" and switch.position() == switch.DO else more
    return f'<span class="{css}">{sort} server {escape(name)}{more}</span>'


class Switch:
    """What the reader sees: the badge, the two positions, a word when one is refused."""

    def __init__(self) -> None:
        self.radio = widgets.RadioButtons(
            options=[switch.LOOK, switch.DO],
            description="cells",
            orientation="horizontal",
            tooltip="What running a cell does",
        )
        self.badge, self.said = widgets.HTML(), widgets.HTML()
        self.box = widgets.HBox([self.radio, self.badge, self.said])
        self.box.add_class("ispg-bar")
        _SEEN.add(self)
        self.update()
        self.radio.observe(self._turned, names="value")

    def update(self) -> None:
        """Show how it stands now."""
        self.badge.value = frame.box(badge_html())
        try:
            self.radio.value = switch.position()
        except GuideError:
            self.radio.disabled = True

    def _turned(self, change: Any) -> None:
        if change["new"] == switch.position():
            return
        try:
            switch.turn(change["new"])
            self.said.value = ""
        except GuideError as error:
            where = frame.link("00-start.ipynb", "arm it in 00-start", "switch")
            said = f"{escape(error.is_)} {escape(error.should)} → {where}"
            self.said.value = frame.box(said, role="alert")
        update()


def update() -> None:
    """Let every switch of this notebook show how it stands."""
    for one in list(_SEEN):
        one.update()
