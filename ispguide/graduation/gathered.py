"""Everything the report tells, from one look and one round of proofs.

Pure.  It holds what the server said, in which every known password is a marker
already, and no list of people: a report is shown to others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ispguide.chapter import Step
from ispguide.components import PartState
from ispguide.dns.coach import Row
from ispguide.facts import Have
from ispguide.journal import Judged
from ispguide.measures.certificate import Certificate
from ispguide.measures.flow import Flow
from ispguide.measures.health import Seen
from ispguide.overview import Overview
from ispguide.report import Finding
from ispguide.settings import Settings
from ispguide.things import Check


@dataclass(frozen=True)
class Tried:
    """A proof.  `time`: when it was tried, in s since 1970; 0: never."""

    chapter: str
    step: str
    sentence: str
    state: str
    evidence: str
    time: float
    who: str = ""


@dataclass(frozen=True)
class Graduation:
    """`made`: chapter → when its last step was done and by whom."""

    time: float
    settings: Settings
    overview: Overview
    parts: tuple[PartState, ...]
    proofs: tuple[Tried, ...]
    records: tuple[Row, ...]
    health: tuple[Seen, ...]
    flow: Flow | None
    certificate: Certificate | None
    scores: tuple[Judged, ...]
    made: Mapping[str, tuple[float, str]]


def fresh(
    findings: Iterable[Finding],
    steps: Sequence[Step],
    s: Settings,
    have: Have,
    now: float,
) -> Iterator[Tried]:
    """The proofs that were just run, each with what was seen."""
    things = {(str(step), str(t)): t for step in steps for t in step.things(s)}
    for f in findings:
        thing = things.get((f"{f.chapter}.{f.step}", f.thing))
        seen = f.evidence or f.gap or _said(thing, have)
        yield Tried(f.chapter, f.step, f.thing, f.state, seen, now)


def _said(thing: Any, have: Have) -> str:
    """The last lines that a look printed."""
    if not isinstance(thing, Check):
        return ""
    (fact,) = thing.facts()
    answer = have.get(fact, {})
    lines = str(answer.get("out", "")).strip().splitlines()[-3:]
    return (
        " / ".join(line.strip()[:200] for line in lines)
        or "It ended without complaint."
    )


def remembered(
    steps: Iterable[Step], s: Settings, proved: Mapping[str, Mapping[str, Any]]
) -> Iterator[Tried]:
    """The proofs as the server remembers them: when, whether they held, and no more."""
    for step in steps:
        last = proved.get(str(step))
        state = "unknown" if last is None else "ok" if last["ok"] else "failed"
        said = "Never tried." if last is None else ""
        when = float(last["time"]) if last else 0.0
        who = str(last["who"]) if last else ""
        for thing in step.things(s):
            yield Tried(step.chapter, step.name, str(thing), state, said, when, who)


def made(ledger: Iterable[Mapping[str, Any]]) -> dict[str, tuple[float, str]]:
    """Chapter → when something in it was last done, and by whom."""
    found: dict[str, tuple[float, str]] = {}
    for entry in ledger:
        if entry["ok"]:
            chapter = entry["step"].partition(".")[0]
            found[chapter] = (float(entry["time"]), str(entry["who"]))
    return found
