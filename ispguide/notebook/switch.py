"""Which server is in use, and the switch "look only" or "make it so".

Every notebook has a kernel of its own, so both live in one small file below `home()`.
A practice server starts with "make it so"; a real one starts with "look only" and is
armed by typing its name.  ISPGUIDE_CELLS=look|do decides for headless runs.
"""

from __future__ import annotations

import json
import os
from typing import Any

from ispguide.errors import GuideError
from ispguide.opening import known
from ispguide.profile import Profile, home, names
from ispguide.settings import Secret

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


def _write(**changes: Any) -> None:
    path = home() / "notebooks.json"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(_read() | changes))
    part.replace(path)


def current() -> str:
    """The name of the server in use: the chosen one, else the practice server."""
    chosen = os.environ.get("ISPGUIDE_SERVER") or _read().get("server", "practice")
    return str(chosen)


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
    _write(server=name)
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
    _write(switch=_read().get("switch", {}) | {now.name: to})
    return to
