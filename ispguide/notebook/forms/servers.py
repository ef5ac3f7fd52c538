"""The servers this computer knows, which one is in use, and the practice server.

Looking starts nothing: the practice server is started by its button, beside the cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from ispguide import lab, tasks
from ispguide.engine.errors import GuideError
from ispguide.engine.overview import CHAPTER_STATES, ChapterState, Overview
from ispguide.engine.profile import REPLAY, Profile, names
from ispguide.notebook import inputs, switch
from ispguide.notebook.card import CARDS, Card, Watch
from ispguide.notebook.cards import publish
from ispguide.notebook.chapter_card import map_html
from ispguide.notebook.forms.fields import FormCard
from ispguide.notebook.inputs import button
from ispguide.notebook.switch import Switch
from ispguide.tasks import base
from ispguide.tasks.base import PRACTICE
from ispguide.views import html, style

# The switch, big: what each position means, and how a real server is armed.
#
# The place that decides is `switch`; this shows how it stands and asks for the name.


MEANS = {
    switch.LOOK: "A cell looks and reports. It never changes anything, so Run All is a rehearsal of the chapter.",
    switch.DO: "A cell looks, changes what is missing, and looks again. Run All builds the chapter; one cell repairs one thing.",
}


class Arming(switch.Switch):
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
        switch.update()


def _name(profile: Profile) -> str:
    return profile.settings.hostname if profile.settings else profile.host


def _means_html(profile: Profile) -> Markup:
    here = switch.position()
    rows = (
        (html.label(f"→ {to} (now)" if to == here else to), text)
        for to, text in MEANS.items()
    )
    made = html.table(("position", "what running a cell does"), rows)
    return Markup("{}<p>{}</p>").format(made, _about(profile))


def _about(profile: Profile) -> str:
    name, kind = _name(profile), switch.kind(profile)
    if kind == "REPLAY":
        return "This is a replay: whatever the switch says, nothing is changed."
    if kind == "practice":
        return f"{name} is a practice server: break it as you like."
    return Markup(
        "<strong>{} is a REAL server.</strong> It is armed by its name, so that no "
        "tired finger does it, and stays armed in all notebooks until it is disarmed."
    ).format(name)


# The whole guide at a glance: every chapter's state, and where it goes on.


class GlanceCard(Card):
    """A look at everything; changes nothing, whatever the switch says."""

    def __init__(self) -> None:
        super().__init__(
            "start.look", "The whole guide", [button("look again", self.look)]
        )
        self.switch = Switch()
        self.bar.children = (*self.bar.children, self.switch.box)
        self.show(map_html(None, ()))

    def look(self) -> None:
        """One exchange."""
        self.state("busy", "looking")
        on = switch.here()
        self.run(
            "Looking at the whole guide",
            lambda _: on(tasks.overview),
            self.take,
        )

    def refresh_map(self) -> None:
        """Something was changed: look again, when nothing else is to do."""
        on = switch.here()
        self.run(
            "Looking",
            lambda _: on(tasks.overview),
            self.take,
            quiet=True,
        )

    def take(self, found: Overview) -> None:
        """The map, and the first thing that is open in each chapter."""
        left = [c for c in found.chapters if c.state not in ("proved", "true")]
        open_ = f"{len(left)} chapter{'s' if len(left) > 1 else ''} open"
        self.state("gap" if left else "ok", open_ if left else "all true")
        self.show(map_html(None, found.chapters) + _open_html(left))
        publish(found.report, gently=True)


def _open_html(left: list[ChapterState]) -> Markup:
    heads = ("state", "chapter", "first of all")
    return html.table(heads, map(_open, left)) if left else Markup()


def _open(one: ChapterState) -> tuple[str, ...]:
    chapter = one.chapter
    name = f"{chapter.number:02d} {chapter.title}"
    return (
        html.state(" ".join(CHAPTER_STATES[one.state])),
        style.link(chapter.notebook, name, one.step),
        one.missing.splitlines()[0],
    )


# The servers this computer knows, which one is in use, and the practice server.


def known() -> list[Profile]:
    """Every server there is a profile of; the replay when it is in use."""
    replay = {REPLAY} & {switch.current()}
    return [base.known(name) for name in sorted({*names(), *replay})]


def rows() -> list[tuple[str, str, str, str]]:
    """Name, address, kind, and which one is in use."""
    return [
        (
            p.name,
            p.host,
            switch.kind(p),
            "→ yes" if p.name == switch.current() else "",
        )
        for p in known()
    ]


def changed() -> None:
    """Another server is in use, or known: all that shows it looks again."""
    switch.update()
    for card in list(CARDS.values()):
        if isinstance(card, ServersCard):
            card.update()


class ServersCard(FormCard):
    """The table, and another one to choose."""

    def __init__(self) -> None:
        self.choice = inputs.choice("server to use", [])
        self.use_button = button("use this server", self.use, "ispg-do")
        super().__init__("start.servers", "Your servers")
        self._choosing = (self.choice.box, inputs.row(self.use_button))
        self.choice.on_change(self.check)
        self.update()

    def spare(self) -> Sequence[Any]:
        return self._choosing

    def update(self) -> None:
        """As it stands now."""
        there = [p.name for p in known()]
        self.choice.input.options = there
        if switch.current() in there:
            self.choice.input.value = switch.current()
        self.inside.children = self._choosing if len(there) > 1 else ()
        nobody = Markup("<p>This computer knows no server yet.</p>")
        self.show(_table() if there else nobody)
        self.check()

    def check(self, *_: Any) -> None:
        chosen = self.choice.value
        self.choice.input.disabled = not chosen
        self.use_button.disabled = not chosen or chosen == switch.current()

    def use(self) -> None:
        """All notebooks work on this one from now on."""
        profile = switch.use(self.choice.value)
        changed()
        self.rest(
            f"{profile.name} is in use. What other cells show is of the one before: "
            "run them again."
        )


def _table() -> Markup:
    return html.table(("name", "address", "kind", "in use"), rows())


class PracticeCard(Card):
    """Whether the practice server runs, and a button that starts it."""

    def __init__(self) -> None:
        super().__init__(
            "start.practice",
            "The practice server",
            [button("start the practice server", self.start, "ispg-do")],
        )
        self.show(Markup())

    def look(self) -> None:
        """Ask how it is; starts nothing.  A replay needs none, and may have no engine."""
        if switch.current() == REPLAY:
            self.show(Markup("<p>This is a replay: it needs no practice server.</p>"))
            return
        self.run("Looking", lambda _: lab.status().running, self.told, on=PRACTICE)

    def start(self) -> None:
        """Have it running; the first time, its image is made, which takes minutes."""
        self.state("busy", "starting")

        def work(watch: Watch) -> bool:
            return lab.up(watch).running

        self.run("Starting the practice server", work, self.told, on=PRACTICE)

    def told(self, running: bool) -> None:
        """What there is now."""
        changed()
        if not running:
            self.state("gap", "it does not run")
            self.show(Markup("<p>It begins at the button above.</p>"))
            return
        self.state("ok", "it runs")
        other = Markup()
        if switch.current() != PRACTICE:
            choose = style.link("00-start.ipynb", "Your servers", "servers")
            stays = Markup("<p>{} stays in use. {} is where you choose.</p>")
            other = stays.format(switch.badge_html(), choose)
        self.show(Markup("<p>{}</p>{}").format(_address(), other))


def _address() -> str:
    profile = Profile.load(PRACTICE)
    name = profile.settings.hostname if profile.settings else profile.host
    return f"{name} answers at {profile.host}, in this computer only."
