"""The servers this computer knows, which one is in use, and the practice server.

Looking starts nothing: the practice server is started by its button, beside the cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from ispguide import lab, opening
from ispguide.notebook import frame, inputs, switch, switching
from ispguide.notebook.card import CARDS, Card, Watch
from ispguide.notebook.forms.fields import FormCard
from ispguide.notebook.inputs import button
from ispguide.opening import PRACTICE
from ispguide.profile import REPLAY, Profile, names


def known() -> list[Profile]:
    """Every server there is a profile of; the replay when it is in use."""
    replay = {REPLAY} & {switch.current()}
    return [opening.known(name) for name in sorted({*names(), *replay})]


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
    switching.update()
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
        self.show(_table() if there else "<p>This computer knows no server yet.</p>")
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


def _table() -> str:
    heads = "".join(
        f'<th scope="col">{h}</th>' for h in ("name", "address", "kind", "in use")
    )
    lines = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows()
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"


class PracticeCard(Card):
    """Whether the practice server runs, and a button that starts it."""

    def __init__(self) -> None:
        super().__init__(
            "start.practice",
            "The practice server",
            [button("start the practice server", self.start, "ispg-do")],
        )
        self.show("")

    def look(self) -> None:
        """Ask how it is; starts nothing.  A replay needs none, and may have no engine."""
        if switch.current() == REPLAY:
            self.show("<p>This is a replay: it needs no practice server.</p>")
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
            self.show("<p>It begins at the button above.</p>")
            return
        self.state("ok", "it runs")
        other = (
            ""
            if switch.current() == PRACTICE
            else (
                f"<p>{switching.badge_html()} stays in use. "
                f"{frame.link('00-start.ipynb', 'Your servers', 'servers')} is where you choose.</p>"
            )
        )
        self.show(f"<p>{_address()}</p>{other}")


def _address() -> str:
    profile = Profile.load(PRACTICE)
    name = profile.settings.hostname if profile.settings else profile.host
    return f"{escape(name)} answers at {escape(profile.host)}, in this computer only."
