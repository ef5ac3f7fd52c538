"""What can be done on a server, as data: shown first, then sent, never called here.

Every action says in `by_hand` what a sysadmin would type instead.  A secret stands
in texts as a marker, ⟦name⟧; only `remote`, on the server, puts the value in,
and only into files and standard input, never into a command line.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Protocol

# Passwords that somebody typed and the server has to keep, as data.
#
# Those the server makes for itself are `MakeSecret`.  A value is never part of
# what is shown or recorded; on the server it is known before anything is said.


@dataclass(frozen=True)
class KeepSecret:
    """Keep what was typed as the server's secret `name`, in place of an older one.

    A file that holds the older one is to be removed before, in the same run: later
    nobody would know what to hide in it.  `value`: the password (revealed)."""

    name: str
    value: str = field(repr=False, compare=False)

    do: ClassVar[str] = "keep"

    def by_hand(self) -> str:
        return f"keep the password you typed as the secret {self.name}"


@dataclass(frozen=True)
class ForgetSecret:
    """The server's secret `name` is not needed any more."""

    name: str

    do: ClassVar[str] = "forget"

    def by_hand(self) -> str:
        return f"forget the secret {self.name}"


# What can be done on a server, as data: shown first, then sent, never called here.


class Action(Protocol):
    """A frozen dataclass whose fields are all that is sent.  `do`: what the program on
    the server calls it; an action that it does not know is done elsewhere before."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    do: ClassVar[str]

    def by_hand(self) -> str:
        """What a sysadmin would type instead."""
        ...


def marker(name: str) -> str:
    """Where the server's secret `name` goes in a text."""
    return f"⟦{name}⟧"


def quote(word: str) -> str:
    """The one door through which values reach a shell."""
    return shlex.quote(word)


@dataclass(frozen=True)
class Run:
    """A shell command.  `touches`: files it changes, kept for undo and put back
    when the transaction fails.  `hashes`: marker name → password (revealed), put
    into stdin as a BLF-CRYPT hash made on the server.  `seconds`: time limit."""

    command: str
    stdin: str = ""
    touches: tuple[str, ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    seconds: int = 1200

    do: ClassVar[str] = "run"

    def by_hand(self) -> str:
        given = f" <<'END'\n{self.stdin.rstrip()}\nEND" if self.stdin else ""
        return self.command + given


@dataclass(frozen=True)
class Write:
    """A file, whole: written beside, given its owner and mode, then renamed."""

    path: str
    text: str
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"

    do: ClassVar[str] = "write"

    def by_hand(self) -> str:
        path, who = quote(self.path), f"-o {self.owner} -g {self.group}"
        return (
            f"install -m {self.mode:04o} {who} /dev/null {path}"
            f"   # its rights come before its content\neditor {path}"
        )


@dataclass(frozen=True)
class Attributes:
    """Owner and mode of something that exists."""

    path: str
    mode: int
    owner: str
    group: str

    do: ClassVar[str] = "attributes"

    def by_hand(self) -> str:
        path = quote(self.path)
        return f"chown {self.owner}:{self.group} {path}; chmod {self.mode:04o} {path}"


@dataclass(frozen=True)
class MakeDirectory:
    """A directory with its owner and mode; parents as they come."""

    path: str
    mode: int = 0o755
    owner: str = "root"
    group: str = "root"

    do: ClassVar[str] = "directory"

    def by_hand(self) -> str:
        who = f"-o {self.owner} -g {self.group}"
        return f"install -d -m {self.mode:04o} {who} {quote(self.path)}"


@dataclass(frozen=True)
class MakeLink:
    """A symbolic link."""

    path: str
    to: str

    do: ClassVar[str] = "link"

    def by_hand(self) -> str:
        return f"ln -sfn {quote(self.to)} {quote(self.path)}"


@dataclass(frozen=True)
class Remove:
    """A file or link that should not be; its content is kept in the ledger."""

    path: str

    do: ClassVar[str] = "remove"

    def by_hand(self) -> str:
        return f"rm {quote(self.path)}"


@dataclass(frozen=True)
class MakeSecret:
    """A random password made on the server, or one derived from another there.

    `derive`: a command that reads the secret `source` and prints the derived value.
    """

    name: str
    source: str = ""
    derive: str = ""
    length: int = 30

    do: ClassVar[str] = "secret"

    def by_hand(self) -> str:
        if self.derive:
            return f"{self.derive}   # type {marker(self.source)}, keep the answer"
        return (
            f"openssl rand -hex {self.length // 2}   # keep it as {marker(self.name)}"
        )


@dataclass(frozen=True)
class Start:
    """Test the configuration, then start, reload or restart the unit.

    `verb`: start, reload or restart.  `enable`: also at boot.  `unit` is what one
    types, `watch` the unit whose state tells.  `ports` must answer afterwards.
    """

    unit: str
    verb: str = "restart"
    test: str = ""
    watch: str = ""
    enable: bool = True
    ports: tuple[int, ...] = ()

    do: ClassVar[str] = "start"

    def by_hand(self) -> str:
        lines = [self.test] if self.test else []
        lines += [f"systemctl enable {quote(self.unit)}"] if self.enable else []
        return "\n".join([*lines, f"systemctl {self.verb} {quote(self.unit)}"])


@dataclass(frozen=True)
class Restore:
    """Undo of one path: `before` is what the ledger remembers of it."""

    path: str
    before: Mapping[str, Any]

    do: ClassVar[str] = "restore"

    def by_hand(self) -> str:
        if self.before["kind"] == "none":
            return f"rm {quote(self.path)}"
        return f"put {quote(self.path)} back as it was"


def as_message(action: Action) -> dict[str, Any]:
    """The action as the program on the server takes it."""
    return {"do": action.do, "say": action.by_hand(), "with": asdict(action)}


def typed_in(action: Action) -> list[str]:
    """The passwords somebody typed for it, to be hidden in all that is said."""
    kept = [action.value] if isinstance(action, KeepSecret) else []
    return kept + (list(action.hashes.values()) if isinstance(action, Run) else [])
