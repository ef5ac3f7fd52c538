"""Things told by a command, a probe or by acting: `Once`, `Check`, `Probe`, `Proof`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ispguide.engine import facts
from ispguide.engine.actions import Action, Run
from ispguide.engine.facts import TEMPFAIL, Fact, Have, Ran, failed_answer
from ispguide.engine.gaps import NO_GAP, Gap, Unsure
from ispguide.engine.things.thing import Plain


@dataclass(frozen=True)
class Once(Plain):
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

    def gap(self, have: Have) -> Gap:
        now = Ran.of(have[facts.run(self.unless)])
        if now.why:
            return Unsure(f"Could not tell whether {self.sentence}: {now.why}.")
        if now.ok:
            return NO_GAP
        return Gap("not-done", f"Not so yet: {self.sentence}.{_said(now)}")

    def fix(self, have: Have) -> Sequence[Action]:
        return [Run(self.command, stdin=self.stdin, touches=self.touches)]


@dataclass(frozen=True)
class Check(Plain):
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

    def gap(self, have: Have) -> Gap:
        now = Ran.of(have[facts.run(self.command, self.stdin)])
        return _looked(now, self.sentence, self.answer, self.do)

    def fix(self, have: Have) -> Sequence[Action]:
        return ()


@dataclass(frozen=True)
class Probe(Plain):
    """A look that takes more than one command: a probe on the server says yes.

    `name`, `words`: which, and what it is told.  `do`: what the reader should do when
    it says no."""

    sentence: str
    name: str
    words: tuple[str, ...] = ()
    do: str = ""

    def __str__(self) -> str:
        return self.sentence

    def facts(self) -> Iterable[Fact]:
        return [facts.probe(self.name, *self.words)]

    def gap(self, have: Have) -> Gap:
        now = Ran.of(have[facts.probe(self.name, *self.words)])
        return _looked(now, self.sentence, "", self.do)

    def fix(self, have: Have) -> Sequence[Action]:
        return ()


@dataclass(frozen=True)
class Proof(Plain):
    """A behaviour, seen by acting like a user.  The answer says {ok, seen}, and may
    name the `kind` of what is not so."""

    sentence: str
    fact: Fact

    def __str__(self) -> str:
        return self.sentence

    def facts(self) -> Iterable[Fact]:
        return [self.fact]

    def gap(self, have: Have) -> Gap:
        now: dict[str, Any] = have[self.fact]
        if why := failed_answer(now):
            return Unsure(f"Could not tell: {why}.")
        if now["ok"] is None:
            return Unsure(f"Could not tell: {now['seen']}")
        if now["ok"]:
            return NO_GAP
        kind = now.get("kind", "not-seen")
        return Gap(kind, f"It did not happen. Seen instead: {now['seen']}")

    def fix(self, have: Have) -> Sequence[Action]:
        return ()

    def evidence(self, have: Have) -> str:
        """What was seen, for the report."""
        return str(have[self.fact].get("seen", ""))


def _looked(now: Ran, sentence: str, answer: str, do: str) -> Gap:
    """What a look says, by its exit code and, where one is wanted, its answer."""
    if now.why:
        return Unsure(f"Could not tell: {sentence} ({now.why}).")
    if now.rc == TEMPFAIL:
        return Unsure(f"Could not tell whether {sentence}.{_said(now)}")
    if now.ok and re.search(answer, now.out, re.M):
        return NO_GAP
    return Gap("not-so", f"Not so: {sentence}.{_said(now)} {do}".rstrip())


def _said(now: Ran) -> str:
    text = (now.err.strip() or now.out.strip()).splitlines()
    return f" It said: {' / '.join(text[-3:])}." if text else ""
