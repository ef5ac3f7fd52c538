"""Users of the system, and passwords the server makes for itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ispguide.engine import facts
from ispguide.engine.actions import Action, ForgetSecret, MakeSecret, Run, quote
from ispguide.engine.facts import Fact, Have
from ispguide.engine.gaps import NO_GAP, Gap
from ispguide.engine.things.thing import Plain


@dataclass(frozen=True)
class User(Plain):
    """A system user with a group of the same name and no way to log in."""

    name: str
    uid: int
    home: str

    def __str__(self) -> str:
        return f"user {self.name}"

    def facts(self) -> Iterable[Fact]:
        return [facts.user(self.name)]

    def gap(self, have: Have) -> Gap:
        now = have[facts.user(self.name)]
        if not now:
            return Gap(
                "missing",
                f"There is no user {self.name}. There should be: a part of the server runs under its name.",
            )
        seen = {"uid": now["uid"], "gid": now["gid"], "home": now["home"]}
        want = {"uid": self.uid, "gid": self.uid, "home": self.home}
        wrong = [
            f"{k} {seen[k]} (should be {want[k]})" for k in want if seen[k] != want[k]
        ]
        if not wrong:
            return NO_GAP
        return Gap("differs", f"User {self.name} has {', '.join(wrong)}.")

    def fix(self, have: Have) -> Sequence[Action]:
        name, home = quote(self.name), quote(self.home)
        if have[facts.user(self.name)]:
            return [
                Run(
                    f"usermod -u {self.uid} -d {home} {name} && groupmod -g {self.uid} {name}"
                )
            ]
        return [
            Run(f"getent group {name} || groupadd -g {self.uid} {name}"),
            Run(
                f"useradd -g {name} -u {self.uid} -d {home} -M -s /usr/sbin/nologin {name}"
            ),
        ]


@dataclass(frozen=True)
class ServerSecret(Plain):
    """A password made on the server that never leaves it.

    With `derive` it is computed there from the secret `source` (a hash, say)."""

    name: str
    source: str = ""
    derive: str = ""
    length: int = 30

    def __str__(self) -> str:
        return f"secret {self.name}"

    def facts(self) -> Iterable[Fact]:
        return [facts.secret(self.name)]

    def gap(self, have: Have) -> Gap:
        now = have[facts.secret(self.name)]
        if not now["made"]:
            return Gap(
                "missing",
                f"The password {self.name} is not made yet. The server makes it itself.",
            )
        if not now["source_same"]:
            return Gap(
                "stale",
                f"{self.name} was made from another {self.source} than the present one.",
            )
        return NO_GAP

    def fix(self, have: Have) -> Sequence[Action]:
        return [MakeSecret(self.name, self.source, self.derive, self.length)]


@dataclass(frozen=True)
class TypedSecret(Plain):
    """A password that somebody typed and the server keeps.

    Nobody can make it here; `how` tells the reader where it is typed."""

    name: str
    what: str
    how: str

    def __str__(self) -> str:
        return self.what

    def facts(self) -> Iterable[Fact]:
        return [facts.secret(self.name)]

    def gap(self, have: Have) -> Gap:
        if have[facts.secret(self.name)]["made"]:
            return NO_GAP
        words = f"The server does not know {self.what} yet. {self.how}"
        return Gap("missing", words)

    def fix(self, have: Have) -> Sequence[Action]:
        return ()


@dataclass(frozen=True)
class NoSecret(Plain):
    """A password that is not needed any more should be forgotten.

    It comes after the files that held it: while it is known, it is hidden in them."""

    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.what} is forgotten"

    def facts(self) -> Iterable[Fact]:
        return [facts.secret(self.name)]

    def gap(self, have: Have) -> Gap:
        if not have[facts.secret(self.name)]["made"]:
            return NO_GAP
        return Gap("unwanted", f"The server still keeps {self.what}. Nobody needs it.")

    def fix(self, have: Have) -> Sequence[Action]:
        return [ForgetSecret(self.name)]
