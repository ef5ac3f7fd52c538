"""The switch, big: what each position means, and how a real server is armed.

The place that decides is `switch`; this shows how it stands and asks for the name.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from ispguide.errors import GuideError
from ispguide.notebook import inputs, switch, switching
from ispguide.notebook.forms.fields import FormCard
from ispguide.notebook.inputs import button
from ispguide.profile import Profile

MEANS = {
    switch.LOOK: "A cell looks and reports. It never changes anything, so Run All is a rehearsal of the chapter.",
    switch.DO: "A cell looks, changes what is missing, and looks again. Run All builds the chapter; one cell repairs one thing.",
}


class Arming(switching.Switch):
    """The switch of this card: every turn of any switch is shown in the card too."""

    def __init__(self, card: SwitchCard):
        self._card = card
        super().__init__()

    def update(self) -> None:
        super().update()
        self._card.update()


class SwitchCard(FormCard):
    """Practice servers are turned by a click; a real one is armed by its name."""

    def __init__(self) -> None:
        self.name = inputs.text("type its name to arm it")
        self.arm_button = button("arm it: make it so", self.arm, "ispg-do")
        self.disarm_button = button("disarm it: look only", self.disarm, "ispg-do")
        super().__init__("start.switch", "The switch")
        self._arming = inputs.column(self.name.box, inputs.row(self.arm_button))
        self._armed = inputs.row(self.disarm_button)
        self.name.on_change(self.check)
        self.switch = Arming(self)
        self.bar.children = (self.switch.box,)

    def spare(self) -> Sequence[Any]:
        return [self._arming, self._armed]

    def update(self) -> None:
        """As it stands now, whoever turned it."""
        profile = switch.profile()
        real = switch.kind(profile) == "REAL"
        armed = switch.position() == switch.DO
        self.inside.children = (
            ((self._armed if armed else self._arming),) if real else ()
        )
        if real and armed:
            self.state("drifted", "⚠ ARMED: cells change this server")
        else:
            self.state("ok", switch.position())
        self.show(_means_html(profile))
        self.check()

    def check(self, *_: Any) -> None:
        """A wrong name is said as soon as it cannot become the right one."""
        wanted, typed = _name(switch.profile()), self.name.value
        wrong = bool(typed) and not wanted.startswith(typed)
        self.name.say(
            f"That is not the name of this server, {wanted}." if wrong else ""
        )
        self.arm_button.disabled = typed != wanted

    def arm(self) -> None:
        """Cells may change this server until it is disarmed."""
        self._turn(switch.DO, self.name.value)

    def disarm(self) -> None:
        """Cells only look again."""
        self._turn(switch.LOOK)

    def _turn(self, to: str, name: str = "") -> None:
        self.name.input.value = ""
        try:
            switch.turn(to, name)
        except GuideError as error:
            self.stumble(error)
            return
        self.rest(f"The switch stands on “{to}” now.")
        switching.update()


def _name(profile: Profile) -> str:
    return profile.settings.hostname if profile.settings else profile.host


def _means_html(profile: Profile) -> str:
    here = switch.position()
    rows = "".join(
        f"<tr><th scope='row'>{'→ ' if to == here else ''}{to}"
        f"{' (now)' if to == here else ''}</th><td>{escape(text)}</td></tr>"
        for to, text in MEANS.items()
    )
    heads = '<th scope="col">position</th><th scope="col">what running a cell does</th>'
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return table + f"<p>{_about(profile)}</p>"


def _about(profile: Profile) -> str:
    name, kind = escape(_name(profile)), switch.kind(profile)
    if kind == "REPLAY":
        return "This is a replay: whatever the switch says, nothing is changed."
    if kind == "practice":
        return f"{name} is a practice server: break it as you like."
    return (
        f"<strong>{name} is a REAL server.</strong> It is armed by its name, so that no "
        "tired finger does it, and stays armed in all notebooks until it is disarmed."
    )
