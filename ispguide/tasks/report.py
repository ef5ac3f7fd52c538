"""The Fabric task that gathers the report to keep, and what is in it.

It gathers what was seen, reads the way home from the notebooks, and says what is left to
do.  `views.report` writes it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from ispguide.engine import facts
from ispguide.engine.chapter import Step
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Have, Ran
from ispguide.engine.guide import Guide
from ispguide.engine.local import notebooks
from ispguide.engine.overview import Overview, overview
from ispguide.engine.report import Finding
from ispguide.engine.server import Watch, ignore
from ispguide.engine.settings import Settings
from ispguide.engine.things import Check, Probe
from ispguide.mail.log import traffic
from ispguide.mail.log.journal import Judged
from ispguide.mail.log.traffic import Flow
from ispguide.mail.measures import certificate, health
from ispguide.mail.measures.certificate import Certificate
from ispguide.mail.measures.health import Seen
from ispguide.tasks import components, dns
from ispguide.tasks.base import guide_task
from ispguide.tasks.components import PartState
from ispguide.tasks.dns import Row

# Everything the report tells, from one look and one round of proofs.
#
# Pure.  It holds what the server said, in which every known password is a marker
# already, and no list of people: a report is shown to others.


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
    if not isinstance(thing, Check | Probe):
        return ""
    (fact,) = thing.facts()
    lines = Ran.of(have[fact]).out.strip().splitlines()[-3:]
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


# What is left to do with a server that runs: little, but that regularly.


#: When → what, in Markdown.  What stands in backticks is to be typed.
DUTIES: dict[str, tuple[str, ...]] = {
    "Every week": (
        "Look into Junk: honest mail there is dragged back, and the filter learns.",
        "`./guide health`: everything on one page, and what to do.",
        "Read what the server wrote to the postmaster. It writes only when something changed.",
    ),
    "Every month": (
        "`./guide check --prove`: look at everything, and run every proof.",
        "`./guide reports`: who sends in your name, by the reports of others.",
        "Bring one letter back from the backup. A backup that nobody ever read is a hope (chapter 20).",
        "`./guide people list`: who has left, and still has a mailbox?",
        "Restart the machine when an update asks for it, at an hour you choose.",
    ),
    "Every year": (
        "`./guide rotate`: another key for the seal, without losing a letter.",
        "Pay for the domain before somebody else does.",
        "Is Debian 12 still looked after? Its security team and its LTS team care for it until June 2028; move before (chapter 21).",
        "Who else knows how to get in? Show this report to that person.",
    ),
    "When something breaks": (
        "Breathe. Mail that cannot be delivered waits, here or at the others, for days.",
        "`./guide health` says what is wrong now, `./guide check` which step is not true any more.",
        "`./guide apply CHAPTER.STEP` makes that step true again, and touches nothing else.",
        "`./guide trace ADDRESS` says where a letter went.",
        "`./guide undo CHAPTER.STEP` puts back what a step replaced.",
        "The index below leads from what you see to the cell that repairs it.",
    ),
    "When the machine is gone": (
        "Rent another one, and make it known: `./guide connect root@HOST --domain D`.",
        "Bring back the backup as chapter 20 says, with the key that you kept elsewhere.",
        "Change the addresses in the DNS. Until then, other servers keep your mail and try again.",
    ),
}


# From what somebody sees to the cell that repairs it.
#
# Read from the tables *When it breaks* of all notebooks, each time anew: there is no
# second list that could say something else.


HEADING = "## When it breaks"
GLOSSARY = "90-glossary.ipynb"
_LINK = re.compile(r'\[([^\]]+)\]\(([^)\s]+)(?: "[^"]*")?\)')
#: A bar between two cells of a table; one behind a backslash is a bar.
_BAR = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Symptom:
    """A row of such a table, in Markdown.  `cells`: (notebook, cell id) it leads to."""

    sees: str
    usually: str
    repair: str
    notebook: str
    title: str
    cells: tuple[tuple[str, str], ...]


@cache
def symptoms() -> tuple[Symptom, ...]:
    """Every row of every notebook, in reading order."""
    found = (row for path in sorted(notebooks().glob("*.ipynb")) for row in _of(path))
    return tuple(found)


def _of(path: Path) -> Iterator[Symptom]:
    cells = json.loads(path.read_text())["cells"]
    texts = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
    title = texts[0].partition("\n")[0].removeprefix("# ") if texts else path.stem
    for text in texts:
        table = text.partition(HEADING)[2]
        rows = [row for row in table.splitlines() if row.startswith("|")]
        yield from (_symptom(row, path.name, title) for row in rows[2:])


def _symptom(row: str, notebook: str, title: str) -> Symptom:
    sees, usually, repair = (
        _linked(cell.strip(), notebook) for cell in _BAR.split(row.strip())[1:4]
    )
    targets = [target for _, target in _LINK.findall(repair)]
    cells = tuple(
        (name, cell)
        for name, mark, cell in (t.partition("#cell-id=") for t in targets)
        if mark
    )
    return Symptom(sees, usually, repair, notebook, title, cells)


def _linked(text: str, notebook: str) -> str:
    """Links name their notebook; words of the glossary are words again."""

    def one(found: re.Match[str]) -> str:
        words, target = found[1], found[2]
        if target.startswith(GLOSSARY):
            return words
        whole = target if not target.startswith("#") else notebook + target
        return f"[{words}]({whole})"

    return _LINK.sub(one, text)


def matching(words: str) -> list[Symptom]:
    """Those that hold every one of these words somewhere."""
    wanted = words.lower().split()
    return [
        s
        for s in symptoms()
        if all(
            w in f"{s.sees} {s.usually} {s.repair} {s.title}".lower() for w in wanted
        )
    ]


# The Fabric task that gathers the report to keep; `tasks` offers it with the others.


T = TypeVar("T")
LEDGER, PROVED = facts.ledger(), facts.proved()


@guide_task
def graduate(guide: Guide, *, prove: bool = True, watch: Watch = ignore) -> Graduation:
    """Look at everything and, with `prove`, run every proof; changes nothing."""
    tried = _proofs(guide, watch) if prove else ()
    watch("Looking at everything")
    return _gathered(guide, tried)


def _proofs(guide: Guide, watch: Watch) -> tuple[Tried, ...]:
    report = guide.prove(watch=watch)
    steps = [step for step in guide.select() if step.proves]
    return tuple(fresh(report, steps, guide.settings, guide.have, time.time()))


def _gathered(guide: Guide, tried: tuple[Tried, ...]) -> Graduation:
    cert = certificate.certificate_fact(guide.settings.cert_dir)
    look = health.HEALTH
    also = [
        LEDGER,
        PROVED,
        *components.UNITS,
        cert,
        look,
        traffic.FLOW,
        traffic.VERDICTS,
    ]
    report = guide.check(also=also)
    have, s = guide.have, guide.settings
    whole = overview(guide.chapters, report, have[LEDGER], have[PROVED])
    proofs = (step for step in guide.select() if step.proves)
    return Graduation(
        time.time(), s, whole, components.states(whole, have),
        tried or tuple(remembered(proofs, s, have[PROVED])),
        tuple(dns.rows(s, have)),
        tuple(told(lambda: health.health(have[look])) or ()),
        told(lambda: traffic.flow(have[traffic.FLOW])),
        told(lambda: certificate.certificate(have[cert])),
        tuple(told(lambda: traffic.scores(have[traffic.VERDICTS])) or ()),
        made(have[LEDGER]),
    )  # fmt: skip


def told(read: Callable[[], T]) -> T | None:
    """What could be read; a report has no page about what could not, and says so."""
    try:
        return read()
    except GuideError:
        return None
