"""What should be true on a server, in values that touch no network.

Every thing has three parts, in the order want – have – fix: the `facts` it needs,
the `gap` it sees in the answers ("" when there is none, else what a reader is
shown), and the actions that `fix` it.  `facts` and `gap` are pure.
A thing with `follows = True` acts again after any change in its step: a service
must read what was just written.
Sources: systemctl(1), dpkg-query(1), apt-get(8).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from ispguide import facts
from ispguide.actions import (
    Action,
    Attributes,
    MakeDirectory,
    MakeLink,
    MakeSecret,
    Remove,
    Run,
    Start,
    Write,
    quote,
)
from ispguide.facts import Fact, Have, Unsure, failed_answer
from ispguide.settings import Settings
from ispguide.templates import render


@runtime_checkable
class Thing(Protocol):
    """Something that should be true."""

    follows: bool

    def facts(self) -> Iterable[Fact]: ...
    def gap(self, have: Have) -> str: ...
    def fix(self, have: Have) -> Sequence[Action]: ...


@dataclass(frozen=True)
class _Plain:
    """What most things share: they do not follow others."""

    @property
    def follows(self) -> bool:
        return False


@dataclass(frozen=True, init=False)
class Packages(_Plain):
    """Debian packages, installed without recommendations nobody chose.

    `preseed`: debconf answers, each "package question type value"."""

    names: tuple[str, ...]
    preseed: tuple[str, ...]

    def __init__(self, *names: str, preseed: Sequence[str] = ()):
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "preseed", tuple(preseed))

    def __str__(self) -> str:
        return f"packages {' '.join(self.names)}"

    def facts(self) -> Iterable[Fact]:
        return map(facts.package, self.names)

    def gap(self, have: Have) -> str:
        missing = [n for n in self.names if not have[facts.package(n)]]
        if not missing:
            return ""
        return (
            f"Not installed: {', '.join(missing)}. This step installs what is missing."
        )

    def fix(self, have: Have) -> Sequence[Action]:
        missing = [n for n in self.names if not have[facts.package(n)]]
        seed = [Run("debconf-set-selections", stdin="\n".join(self.preseed) + "\n")]
        return [*(seed if self.preseed else []), Run(apt_install(missing))]


def apt_install(names: Sequence[str]) -> str:
    """The command line that installs `names` and asks nothing.

    It first finishes what an interrupted dpkg left half done, refreshes lists older
    than a day (a day without network is no reason to stop), waits for whoever holds
    the lock (a fresh server updates itself), and keeps configuration files."""
    lists = "find /var/lib/apt/lists -name '*_Packages*' -mtime -1 | grep -q ."
    update = "apt-get -q update || echo 'Package lists stay as they are: no network.'"
    options = (
        "-q -y --no-install-recommends -o DPkg::Lock::Timeout=300 "
        "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold"
    )
    return (
        "export DEBIAN_FRONTEND=noninteractive\n"
        "dpkg --configure -a --force-confdef --force-confold\n"
        f"{lists} || {update}\n"
        f"apt-get {options} install {' '.join(map(quote, names))}"
    )


@dataclass(frozen=True, init=False)
class File(_Plain):
    """A file with exactly this content, owner and mode.

    The content is the template at the same path, rendered with the settings, or
    `text`.  A secret stands in it as a marker on both sides of a diff."""

    path: str
    text: str
    mode: int
    owner: str
    group: str

    def __init__(
        self,
        path: str,
        s: Settings | None = None,
        *,
        text: str | None = None,
        mode: int = 0o644,
        owner: str = "root",
        group: str = "root",
        **values: object,
    ):
        if text is None:
            text = render(path, s, **values)  # type: ignore[arg-type]
        for name, value in zip(
            ("path", "text", "mode", "owner", "group"),
            (path, text, mode, owner, group),
            strict=True,
        ):
            object.__setattr__(self, name, value)

    def __str__(self) -> str:
        return f"file {self.path}"

    def facts(self) -> Iterable[Fact]:
        return [facts.file(self.path)]

    def gap(self, have: Have) -> str:
        now = have[facts.file(self.path)]
        if why := failed_answer(now):
            return Unsure(f"Could not read {self.path}: {why}.")
        if now["kind"] == "none":
            return f"{self.path} is missing. It should be there, as the template says."
        if now["kind"] != "file":
            return f"{self.path} is a {now['kind']}. It should be a file."
        if now["text"] != self.text:
            return _diff(self.path, now["text"], self.text)
        return _attribute_gap(self, now)

    def fix(self, have: Have) -> Sequence[Action]:
        now = have[facts.file(self.path)]
        if now.get("text") == self.text:
            return [Attributes(self.path, self.mode, self.owner, self.group)]
        return [Write(self.path, self.text, self.mode, self.owner, self.group)]


@dataclass(frozen=True)
class Directory(_Plain):
    """A directory with this owner and mode; what is in it stays."""

    path: str
    mode: int = 0o755
    owner: str = "root"
    group: str = "root"

    def __str__(self) -> str:
        return f"directory {self.path}"

    def facts(self) -> Iterable[Fact]:
        return [facts.file(self.path)]

    def gap(self, have: Have) -> str:
        now = have[facts.file(self.path)]
        if now["kind"] != "directory":
            what = "missing" if now["kind"] == "none" else f"a {now['kind']}"
            return f"{self.path} is {what}. It should be a directory."
        return _attribute_gap(self, now)

    def fix(self, have: Have) -> Sequence[Action]:
        return [MakeDirectory(self.path, self.mode, self.owner, self.group)]


@dataclass(frozen=True)
class Link(_Plain):
    """A symbolic link to `to`."""

    path: str
    to: str

    def __str__(self) -> str:
        return f"link {self.path}"

    def facts(self) -> Iterable[Fact]:
        return [facts.file(self.path)]

    def gap(self, have: Have) -> str:
        now = have[facts.file(self.path)]
        if now["kind"] == "link" and now["to"] == self.to:
            return ""
        return f"{self.path} is {_seen(now)}. It should be a link to {self.to}."

    def fix(self, have: Have) -> Sequence[Action]:
        return [MakeLink(self.path, self.to)]


@dataclass(frozen=True)
class Absent(_Plain):
    """Nothing should be at this path; `why` says what would go wrong."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"no {self.path}"

    def facts(self) -> Iterable[Fact]:
        return [facts.file(self.path)]

    def gap(self, have: Have) -> str:
        now = have[facts.file(self.path)]
        there = "" if now["kind"] == "none" else f"{self.path} is there."
        return f"{there} It should not be: {self.why}" if there else ""

    def fix(self, have: Have) -> Sequence[Action]:
        return [Remove(self.path)]


@dataclass(frozen=True)
class User(_Plain):
    """A system user with a group of the same name and no way to log in."""

    name: str
    uid: int
    home: str

    def __str__(self) -> str:
        return f"user {self.name}"

    def facts(self) -> Iterable[Fact]:
        return [facts.user(self.name)]

    def gap(self, have: Have) -> str:
        now = have[facts.user(self.name)]
        if not now:
            return f"There is no user {self.name}. It should own {self.home}."
        seen = {"uid": now["uid"], "gid": now["gid"], "home": now["home"]}
        want = {"uid": self.uid, "gid": self.uid, "home": self.home}
        wrong = [
            f"{k} {seen[k]} (should be {want[k]})" for k in want if seen[k] != want[k]
        ]
        return f"User {self.name} has {', '.join(wrong)}." if wrong else ""

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
class Service:
    """A unit that runs, starts at boot, and is younger than what it reads.

    `reads`: paths whose newest change must be older than the unit's last start or
    reload.  `test`: must succeed before a restart.  `watch`: the unit to look at
    when it differs from the one to type.  `reload`: enough after a change."""

    unit: str
    reads: tuple[str, ...] | str = ()
    test: str = ""
    watch: str = ""
    reload: bool = False
    ports: tuple[int, ...] = ()
    follows: bool = field(default=True, init=False)

    def __str__(self) -> str:
        return f"service {self.unit}"

    def _paths(self) -> tuple[str, ...]:
        return (self.reads,) if isinstance(self.reads, str) else self.reads

    def facts(self) -> Iterable[Fact]:
        yield facts.unit(self.unit)
        yield facts.unit(self.watch or self.unit)
        if self.reads:
            yield facts.newest(*self._paths())
        if self.ports:
            yield facts.listening()

    def gap(self, have: Have) -> str:
        now = have[facts.unit(self.watch or self.unit)]
        if why := failed_answer(now):
            return Unsure(f"Could not ask for {self.unit}: {why}.")
        if now["load"] == "not-found" and now["active"] != "active":
            return f"There is no service {self.unit}: its package is not installed."
        if now["active"] != "active":
            return (
                f"{self.unit} is {_activity(now)}. It should run. "
                f"`journalctl -u {self.watch or self.unit} -n 20` tells why it does not."
            )
        return self._boot_gap(have) or self._fresh_gap(have) or self._port_gap(have)

    def _boot_gap(self, have: Have) -> str:
        state = have[facts.unit(self.unit)]["enabled"]
        if state in ("enabled", "enabled-runtime", "static", "alias", "generated", ""):
            return ""
        return (
            f"{self.unit} runs, but is {state}: it would not start at boot. It should."
        )

    def _fresh_gap(self, have: Have) -> str:
        if not self.reads:
            return ""
        since = have[facts.unit(self.watch or self.unit)]["since"]
        newest = have[facts.newest(*self._paths())]
        if since > newest["time"]:
            return ""
        return (
            f"{self.unit} still runs with what it read before {newest['path']} "
            f"changed. It should read it again: a {'reload' if self.reload else 'restart'}."
        )

    def _port_gap(self, have: Have) -> str:
        open_ = (
            {port for _, port, _ in have[facts.listening()]} if self.ports else set()
        )
        closed = [str(p) for p in self.ports if p not in open_]
        if not closed:
            return ""
        return f"{self.unit} runs, but nothing listens on port {', '.join(closed)} yet."

    def fix(self, have: Have) -> Sequence[Action]:
        now = have[facts.unit(self.watch or self.unit)]
        running = now.get("active") == "active" and not self._port_gap(have)
        verb = "reload" if self.reload and running else "restart"
        return [
            Start(self.unit, verb, self.test, self.watch or self.unit, ports=self.ports)
        ]


@dataclass(frozen=True)
class ServerSecret(_Plain):
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

    def gap(self, have: Have) -> str:
        now = have[facts.secret(self.name)]
        if not now["made"]:
            return (
                f"The password {self.name} is not made yet. The server makes it itself."
            )
        if not now["source_same"]:
            return (
                f"{self.name} was made from another {self.source} than the present one."
            )
        return ""

    def fix(self, have: Have) -> Sequence[Action]:
        return [MakeSecret(self.name, self.source, self.derive, self.length)]


@dataclass(frozen=True)
class Once(_Plain):
    """What no other thing describes: `command` makes true what `unless` asks.

    `unless` is a command that only looks and succeeds when all is well."""

    sentence: str
    command: str
    unless: str
    touches: tuple[str, ...] = ()
    stdin: str = ""

    def __str__(self) -> str:
        return self.sentence

    def facts(self) -> Iterable[Fact]:
        return [facts.run(self.unless)]

    def gap(self, have: Have) -> str:
        now = have[facts.run(self.unless)]
        if why := failed_answer(now):
            return Unsure(f"Could not tell whether {self.sentence}: {why}.")
        return "" if now["rc"] == 0 else f"Not so yet: {self.sentence}.{_said(now)}"

    def fix(self, have: Have) -> Sequence[Action]:
        return [Run(self.command, stdin=self.stdin, touches=self.touches)]


@dataclass(frozen=True)
class Check(_Plain):
    """A look that changes nothing: `command` should succeed and say `answer`.

    `answer`: a regular expression.  `do`: what the reader should do when not.
    Exit code 75 (EX_TEMPFAIL of sysexits.h) says "could not tell"."""

    sentence: str
    command: str
    answer: str = ""
    stdin: str = ""
    do: str = ""

    def __str__(self) -> str:
        return self.sentence

    def facts(self) -> Iterable[Fact]:
        return [facts.run(self.command, self.stdin)]

    def gap(self, have: Have) -> str:
        now = have[facts.run(self.command, self.stdin)]
        if why := failed_answer(now):
            return Unsure(f"Could not tell: {self.sentence} ({why}).")
        if now["rc"] == 75:
            return Unsure(f"Could not tell whether {self.sentence}.{_said(now)}")
        if now["rc"] == 0 and re.search(self.answer, now["out"], re.M):
            return ""
        return f"Not so: {self.sentence}.{_said(now)} {self.do}".rstrip()

    def fix(self, have: Have) -> Sequence[Action]:
        return ()


@dataclass(frozen=True)
class Proof(_Plain):
    """A behaviour, seen by acting like a user.  The answer says {ok, seen}."""

    sentence: str
    fact: Fact

    def __str__(self) -> str:
        return self.sentence

    def facts(self) -> Iterable[Fact]:
        return [self.fact]

    def gap(self, have: Have) -> str:
        now: dict[str, Any] = have[self.fact]
        if why := failed_answer(now):
            return Unsure(f"Could not tell: {why}.")
        if now["ok"] is None:
            return Unsure(f"Could not tell: {now['seen']}")
        return "" if now["ok"] else f"It did not happen. Seen instead: {now['seen']}"

    def fix(self, have: Have) -> Sequence[Action]:
        return ()

    def evidence(self, have: Have) -> str:
        """What was seen, for the report."""
        return str(have[self.fact].get("seen", ""))


def _attribute_gap(want: File | Directory, now: dict[str, Any]) -> str:
    seen = f"{now['mode']} {now['owner']}:{now['group']}"
    should = f"{want.mode:04o} {want.owner}:{want.group}"
    if seen == should:
        return ""
    return f"{want.path} has mode and owner {seen}. It should have {should}."


def _seen(now: dict[str, Any]) -> str:
    if now["kind"] == "none":
        return "missing"
    return f"a link to {now['to']}" if now["kind"] == "link" else f"a {now['kind']}"


def _activity(now: dict[str, Any]) -> str:
    if now["active"] == "failed":
        return f"not running: it failed ({now['result']})"
    return f"not running ({now['active']})"


def _said(now: dict[str, Any]) -> str:
    text = (now["err"].strip() or now["out"].strip()).splitlines()
    return f" It said: {' / '.join(text[-3:])}." if text else ""


def _diff(path: str, now: str, want: str) -> str:
    lines = difflib.unified_diff(
        now.splitlines(),
        want.splitlines(),
        f"{path} (now)",
        f"{path} (should be)",
        lineterm="",
        n=2,
    )
    return f"{path} differs from what it should be:\n" + "\n".join(lines)
