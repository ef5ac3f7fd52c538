"""What this computer remembers of a server: how to reach it, and which it is.

A profile is a small TOML file: host, user, port, key, the pinned host key's file
and a copy of the settings.  It holds no password.  Everything local lies below
`home()`; nothing else on this computer is touched.
"""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from ispguide.engine import problems
from ispguide.engine.errors import GuideError
from ispguide.engine.settings import Settings

#: The name of the recorded server; it needs no file to be known.
REPLAY = "replay"


def home() -> Path:
    """The one folder for local state: $ISPGUIDE_HOME, else ~/.ispguide."""
    return Path(os.environ.get("ISPGUIDE_HOME") or "~/.ispguide").expanduser()


@dataclass(frozen=True)
class Profile:
    """A server as this computer knows it.  `practice` marks a practice server,
    `replay` a recording of one."""

    name: str
    host: str
    known_hosts: str
    user: str = "root"
    port: int = 22
    key: str = ""
    practice: bool = False
    ca_file: str = ""  #: what vouches for the server's certificate; "" = the system
    settings: Settings | None = None
    replay: bool = False
    resolver: str = ""  #: whom to ask for names; "" = this computer's resolver
    others: str = ""  #: resolvers besides, who may remember older answers; with spaces
    zone_key: str = ""  #: file with the key for zones that take updates, if any

    def with_settings(self, settings: Settings) -> Profile:
        """The same profile with the settings the server has."""
        return replace(self, settings=settings)

    def save(self) -> None:
        """Write it, whole or not at all, readable by its owner only."""
        if self.name == REPLAY and not self.replay:
            raise GuideError(
                f"The name {REPLAY!r} belongs to the recording.",
                "A server needs another one.",
                "Choose it with --name.",
                kind="reserved-name",
            )
        path = _path(self.name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_text(self._toml())
        part.replace(path)

    def _toml(self) -> str:
        names = ("host", "known_hosts", "user", "port", "key", "practice", "ca_file",
                 "replay", "resolver", "others", "zone_key")  # fmt: skip
        lines = [f"{n} = {json.dumps(getattr(self, n))}" for n in names]
        table = ["", "[settings]", self.settings.to_toml()] if self.settings else []
        return "\n".join([*lines, *table]) + "\n"

    @staticmethod
    def is_known(name: str) -> bool:
        """Whether this computer has a profile of that name."""
        return _path(name).is_file()

    @classmethod
    def load(cls, name: str) -> Profile:
        """The profile called `name`; GuideError when there is none."""
        path = _path(name)
        if not path.is_file():
            raise GuideError(
                f"There is no server called {name!r} on this computer.",
                "A server is made known once, before anything else.",
                "Practice: ./guide lab up. A real one: ./guide connect root@HOST.",
                kind="no-such-server",
            )
        values = tomllib.loads(path.read_text())
        table = values.pop("settings", None)
        profile = cls(name=name, **values)
        if table is None:
            return profile
        text = "\n".join(f"{k} = {json.dumps(v)}" for k, v in table.items())
        return profile.with_settings(problems.read(text))


def names() -> list[str]:
    """The profiles on this computer."""
    return sorted(path.stem for path in (home() / "profiles").glob("*.toml"))


def _path(name: str) -> Path:
    if not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise GuideError(
            f"{name!r} cannot name a server.",
            "A name has letters, digits, dots and hyphens.",
            "Choose another one.",
            kind="bad-name",
        )
    return home() / "profiles" / f"{name}.toml"
