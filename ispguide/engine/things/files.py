"""Files, directories and links: content, owner and mode.  A gap is a diff."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ispguide.engine import facts
from ispguide.engine.actions import (
    Action,
    Attributes,
    MakeDirectory,
    MakeLink,
    Remove,
    Run,
    Write,
)
from ispguide.engine.facts import Fact, Have, failed_answer
from ispguide.engine.gaps import NO_GAP, Gap, Unsure
from ispguide.engine.settings import Settings
from ispguide.engine.templates import render
from ispguide.engine.things.thing import Plain


@dataclass(frozen=True, init=False)
class File(Plain):
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

    def gap(self, have: Have) -> Gap:
        now = have[facts.file(self.path)]
        if why := failed_answer(now):
            return Unsure(f"Could not read {self.path}: {why}.")
        if now["kind"] != "file":
            return _instead(self.path, now, "a file, as the step writes it")
        if now["text"] != self.text:
            return _diff(self.path, now["text"], self.text)
        return _attribute_gap(self, now)

    def fix(self, have: Have) -> Sequence[Action]:
        now = have[facts.file(self.path)]
        if now.get("text") == self.text:
            return [Attributes(self.path, self.mode, self.owner, self.group)]
        write = Write(self.path, self.text, self.mode, self.owner, self.group)
        # A unit's file counts only when systemd has read it.
        of_unit = self.path.startswith("/etc/systemd/")
        return [write, Run("systemctl daemon-reload")] if of_unit else [write]


@dataclass(frozen=True)
class Directory(Plain):
    """A directory with this owner and mode; what is in it stays."""

    path: str
    mode: int = 0o755
    owner: str = "root"
    group: str = "root"

    def __str__(self) -> str:
        return f"directory {self.path}"

    def facts(self) -> Iterable[Fact]:
        return [facts.file(self.path)]

    def gap(self, have: Have) -> Gap:
        now = have[facts.file(self.path)]
        if why := failed_answer(now):
            return Unsure(f"Could not look at {self.path}: {why}.")
        if now["kind"] != "directory":
            return _instead(self.path, now, "a directory")
        return _attribute_gap(self, now)

    def fix(self, have: Have) -> Sequence[Action]:
        return [MakeDirectory(self.path, self.mode, self.owner, self.group)]


@dataclass(frozen=True)
class Link(Plain):
    """A symbolic link to `to`."""

    path: str
    to: str

    def __str__(self) -> str:
        return f"link {self.path}"

    def facts(self) -> Iterable[Fact]:
        return [facts.file(self.path)]

    def gap(self, have: Have) -> Gap:
        now = have[facts.file(self.path)]
        should = f"a link to {self.to}"
        if now["kind"] != "link":
            return _instead(self.path, now, should)
        if now["to"] == self.to:
            return NO_GAP
        words = f"{self.path} is a link to {now['to']}. It should be {should}."
        return Gap("elsewhere", words)

    def fix(self, have: Have) -> Sequence[Action]:
        return [MakeLink(self.path, self.to)]


@dataclass(frozen=True)
class Absent(Plain):
    """Nothing should be at this path; `why` says what would go wrong."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"no {self.path}"

    def facts(self) -> Iterable[Fact]:
        return [facts.file(self.path)]

    def gap(self, have: Have) -> Gap:
        now = have[facts.file(self.path)]
        if now["kind"] == "none":
            return NO_GAP
        return Gap("unwanted", f"{self.path} is there. It should not be: {self.why}")

    def fix(self, have: Have) -> Sequence[Action]:
        return [Remove(self.path)]


def _attribute_gap(want: File | Directory, now: dict[str, Any]) -> Gap:
    seen = f"{now['mode']} {now['owner']}:{now['group']}"
    should = f"{want.mode:04o} {want.owner}:{want.group}"
    if seen == should:
        return NO_GAP
    return Gap(
        "wrong-permissions",
        f"{want.path} has mode and owner {seen}. It should have {should}.",
    )


def _instead(path: str, now: dict[str, Any], should: str) -> Gap:
    none = now["kind"] == "none"
    kind, is_ = ("missing",) * 2 if none else ("wrong-type", f"a {now['kind']}")
    return Gap(kind, f"{path} is {is_}. It should be {should}.")


def _diff(path: str, now: str, want: str) -> Gap:
    # A known password is a marker on both sides.  Where one is missing on the
    # server's side, an unknown password may stand in its place.
    missing = [m for m in re.findall("⟦[^⟧]+⟧", want) if m not in now]
    if missing:
        return Gap(
            "differs",
            f"{path} differs from what it should be. It lacks {', '.join(missing)}; "
            "its lines are not shown, because another password may stand in them.",
        )
    lines = difflib.unified_diff(
        now.splitlines(),
        want.splitlines(),
        f"{path} (now)",
        f"{path} (should be)",
        lineterm="",
        n=2,
    )
    words = f"{path} differs from what it should be:\n" + "\n".join(lines)
    return Gap("differs", words)
