"""Whether two recordings tell the same: what was asked, what was done, what was true.

Times, versions and the words of programs may differ from run to run; the questions,
the steps, and the states after every step may not.  Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ispguide.chapters import GUIDE
from ispguide.engine.facts import Fact
from ispguide.engine.guide import Guide
from ispguide.engine.things import Service
from ispguide.replay.recording import Recording
from ispguide.replay.server import Memory, Recorded, Replay, profile


class Noted(Memory):
    """A memory that is told what is done, and writes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[str] = []

    def events(self) -> list[dict[str, Any]]:
        return [{"time": float(n), "step": step} for n, step in enumerate(self.steps)]


def states(recording: Recording, done: Iterable[str], *chapters: str) -> dict[str, str]:
    """How each thing stands in the recording when these steps are done; of these
    chapters, or of all."""
    memory = Noted()
    memory.steps = list(done)
    server = Replay(profile(), recording, memory)
    guide = Guide(server, recording.made_settings(), GUIDE, Recorded(server))
    return told(guide, memory.steps, *chapters)


def told(guide: Guide, done: Collection[str], *chapters: str) -> dict[str, str]:
    """Each thing of these chapters, or of all, and its state when these steps are
    done; of a step that is not, only whether all of it is true, its services aside:
    they may just be starting for another one."""
    services = {
        f"{step}: {thing}"
        for step in guide.select()
        for thing in step.things(guide.settings)
        if isinstance(thing, Service)
    }
    found: dict[str, str] = {}
    for f in guide.check(*chapters):
        step = f"{f.chapter}.{f.step}"
        name = f"{step}: {f.thing}"
        if step in done:
            found[name] = f.state
        elif f.state != "ok" and name not in services:
            found[step] = "open"
    return found


def differences(old: Recording, new: Recording) -> list[str]:
    """In sentences; none: they tell the same."""
    found = [*_names("question", _questions(old), _questions(new))]
    steps = [[change.step for change in r.changes] for r in (old, new)]
    found += _names("step", *steps)
    if not found and steps[0] != steps[1]:
        found.append("The steps are in another order.")
    return found or [*_states(old, new, steps[0]), *_proofs(old, new)]


def _questions(recording: Recording) -> list[str]:
    proofs = (fact for proven in recording.proofs for fact, _ in proven.answers)
    return [" ".join(fact) for fact in (*recording.base, *proofs)]


def _names(kind: str, old: list[str], new: list[str]) -> Iterator[str]:
    for name in dict.fromkeys(old):
        if name not in new:
            yield f"Only the older one has the {kind} {name!r}."
    for name in dict.fromkeys(new):
        if name not in old:
            yield f"Only the newer one has the {kind} {name!r}."


def _states(old: Recording, new: Recording, steps: list[str]) -> Iterator[str]:
    told: set[str] = set()
    for count in range(len(steps) + 1):
        after = steps[count - 1] if count else "the beginning"
        before, now = (states(r, steps[:count]) for r in (old, new))
        for thing, (was, is_) in otherwise(before, now).items():
            if thing not in told:
                told.add(thing)
                yield f"After {after}: {thing} was {was}, is {is_}."


def otherwise(
    before: Mapping[str, str], now: Mapping[str, str]
) -> dict[str, tuple[str, str]]:
    """Each thing whose state is another one: (then, now); what is not named is true."""
    names = dict.fromkeys([*before, *now])
    pairs = {n: (before.get(n, "true"), now.get(n, "true")) for n in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _proofs(old: Recording, new: Recording) -> Iterator[str]:
    before, now = (_verdicts(r) for r in (old, new))
    for fact, verdict in before.items():
        if verdict != now[fact]:
            yield f"The proof {' '.join(fact[1:])} was {verdict}, is {now[fact]}."


def _verdicts(recording: Recording) -> Mapping[Fact, Any]:
    rows = (row for proven in recording.proofs for row in proven.answers)
    return {fact: answer.get("ok") for fact, answer in rows if fact[0] == "proof"}
