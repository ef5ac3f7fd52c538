"""What this computer remembers of a server: how to reach it, and which it is.

A profile is a small TOML file: host, user, port, key, the pinned host key's file
and a copy of the settings.  It holds no password.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import tomli_w

from ispguide.engine import problems
from ispguide.engine.errors import GuideError
from ispguide.engine.local import home, write_whole
from ispguide.engine.settings import Settings

#: The name of the recorded server; it needs no file to be known.
REPLAY = "replay"


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
        values = asdict(self)
        del values["name"]
        if self.settings is None:
            del values["settings"]
        write_whole(_path(self.name), tomli_w.dumps(values))

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
        return profile.with_settings(problems.checked(Settings.from_table(table)))


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
