"""Which server is in use, and the switch "look only" or "make it so".

Every notebook has a kernel of its own, so both live in one small file below `home()`.
A practice server starts with "make it so"; a real one starts with "look only" and is
armed by typing its name.  ISPGUIDE_CELLS=look|do decides for headless runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import ipywidgets as widgets
from markupsafe import Markup

from ispguide.engine.errors import GuideError
from ispguide.engine.local import alone, home, write_whole
from ispguide.engine.profile import Profile, names
from ispguide.engine.settings import Secret
from ispguide.tasks.base import OnServer, known
from ispguide.views import style

LOOK, DO = "look only", "make it so"


#: What somebody typed for sudo: in this kernel's memory and nowhere else.
_SUDO: dict[str, Secret] = {}


def sudo() -> Secret | None:
    """The password for sudo on the server in use, if one was typed."""
    return _SUDO.get(current())


def remember_sudo(secret: Secret) -> None:
    """Keep it for as long as this kernel lives."""
    _SUDO[current()] = secret


def _read() -> dict[str, Any]:
    path = home() / "notebooks.json"
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def _write(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """What is remembered, with a change made from it."""
    path = home() / "notebooks.json"
    with alone(path):  # two kernels may choose at the same moment
        now = _read()
        write_whole(path, json.dumps(now | change(now)))


def current() -> str:
    """The name of the server in use: the chosen one, else the practice server."""
    chosen = os.environ.get("ISPGUIDE_SERVER") or _read().get("server", "practice")
    return str(chosen)


def here() -> OnServer:
    """Calls tasks on the server in use now, whichever is in use by then."""
    return OnServer(current(), sudo())


def profile() -> Profile:
    """The profile of the server in use; the recording's, too."""
    return known(current())


def use(name: str) -> Profile:
    """Choose another server for all notebooks."""
    if name not in names():
        raise GuideError(
            f"This computer knows no server called {name!r}.",
            f"It knows {', '.join(names()) or 'none yet'}.",
            "start.practice() starts a practice server; start.connect(…) adds a real one.",
            kind="no-such-server",
        )
    _write(lambda _: {"server": name})
    return Profile.load(name)


def position() -> str:
    """LOOK or DO, for the server in use."""
    forced = os.environ.get("ISPGUIDE_CELLS")
    if forced in ("look", "do"):
        return LOOK if forced == "look" else DO
    now = profile()
    default = DO if now.practice else LOOK
    return str(_read().get("switch", {}).get(now.name, default))


def kind(profile: Profile) -> str:
    """What sort of server a profile means: practice, REAL or REPLAY."""
    if profile.replay:
        return "REPLAY"
    return "practice" if profile.practice else "REAL"


def turn(to: str, name: str = "") -> str:
    """Turn the switch.  A real server is armed only by its own name."""
    if to not in (LOOK, DO):
        raise GuideError(
            f"The switch has no position {to!r}.",
            f"It has two: {LOOK!r} and {DO!r}.",
            f'start.switch("{LOOK}")',
            kind="no-such-position",
        )
    now = profile()
    wanted = now.settings.hostname if now.settings else now.host
    if to == DO and not now.practice and name != wanted:
        raise GuideError(
            f"{wanted} is a real server.",
            "Whoever lets cells change it should type its name.",
            f'start.switch("{DO}", name="{wanted}")',
            kind="not-confirmed",
        )
    _write(lambda old: {"switch": old.get("switch", {}) | {now.name: to}})
    return to


# The switch as it is seen on every card: radio buttons and a badge.
#
# They show what `switch` remembers and hold nothing themselves; turning one turns all
# of this notebook.  A real server is armed only in 00-start, by typing its name.


_SEEN: WeakSet[Switch] = WeakSet()


def badge_html() -> Markup:
    """Practice, REAL or replay, and the server's name."""
    try:
        now = profile()
    except GuideError as error:
        return Markup('<span class="badge">{}</span>').format(error.is_)
    name = now.settings.hostname if now.settings else now.host
    sort = kind(now)
    css = "badge real" if sort == "REAL" else "badge"
    more = ": nothing is changed" if sort == "REPLAY" else ""
    more = ": armed" if sort == "REAL" and position() == DO else more
    words = f"{sort} server {name}{more}"
    return Markup('<span class="{}">{}</span>').format(css, words)


class Switch:
    """What the reader sees: the badge, the two positions, a word when one is refused."""

    def __init__(self) -> None:
        self.radio = widgets.RadioButtons(
            options=[LOOK, DO],
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
        self.badge.value = style.box(badge_html())
        try:
            self.radio.value = position()
        except GuideError:
            self.radio.disabled = True

    def _turned(self, change: Any) -> None:
        if change["new"] == position():
            return
        try:
            turn(change["new"])
            self.said.value = ""
        except GuideError as error:
            where = style.link("00-start.ipynb", "arm it in 00-start", "switch")
            said = Markup("{} {} → {}").format(error.is_, error.should, where)
            self.said.value = style.box(said, role="alert")
        update()


def update() -> None:
    """Let every switch of this notebook show how it stands."""
    for one in list(_SEEN):
        one.update()
