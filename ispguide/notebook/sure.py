"""A button that asks once more where a click would change a real server.

A practice server is there to be changed, so there it acts at once, unless it is
told to ask always.  The answer stands where the button was, so nothing moves.
"""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets

from ispguide.notebook import switch


class Sure:
    """The button, and its question."""

    def __init__(
        self, label: str, act: Callable[[], None], css: str = "", always: bool = False
    ):
        from ispguide.notebook.inputs import button

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
