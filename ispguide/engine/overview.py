"""How the whole guide stands: per chapter, what is proved, open, or drifted.

Pure.  Truth comes from a fresh look; the ledger and the remembered proofs only tell
a gap that was never closed from one that somebody opened again, and a chapter that
was proved from one that merely looks well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ispguide.engine.chapter import Chapter
from ispguide.engine.report import Report
from ispguide.engine.undo import standing

#: Shape and word of a chapter's state, the best first.
CHAPTER_STATES = {
    "proved": ("✔", "proved"),
    "true": ("✓", "true, not proved yet"),
    "open": ("○", "open"),
    "drifted": ("↯", "drifted"),
    "failed": ("✗", "a proof failed"),
    "unknown": ("?", "could not tell"),
}


@dataclass(frozen=True)
class ChapterState:
    """One chapter: a key of CHAPTER_STATES, and what is missing in words."""

    chapter: Chapter
    state: str
    missing: str = ""
    step: str = ""  #: the first step with a gap

    @property
    def ready(self) -> bool:
        """Whether a later chapter may rest on it."""
        return self.state in ("proved", "true", "failed")


@dataclass(frozen=True)
class Overview:
    """A look at everything.  `made`: steps the ledger knows as done."""

    report: Report
    chapters: tuple[ChapterState, ...]
    made: Mapping[str, float] = field(default_factory=dict)  #: step → s since 1970

    def of(self, name: str) -> ChapterState:
        """The state of the chapter called `name`."""
        return next(c for c in self.chapters if c.chapter.name == name)


def overview(
    chapters: Sequence[Chapter],
    report: Report,
    ledger: Sequence[Mapping[str, Any]],
    proved: Mapping[str, Mapping[str, Any]],
) -> Overview:
    """From a report on all steps, the ledger and the remembered proofs."""
    made: dict[str, float] = {}
    for entry in standing(dict(e) for e in ledger):
        made[entry["step"]] = float(entry["time"])
    states = tuple(_state(c, report, made, proved) for c in chapters)
    return Overview(report, states, made)


def _state(
    chapter: Chapter,
    report: Report,
    made: Mapping[str, float],
    proved: Mapping[str, Mapping[str, Any]],
) -> ChapterState:
    for finding in report:
        if finding.chapter == chapter.name and finding.state == "gap":
            name = f"{finding.chapter}.{finding.step}"
            state = "drifted" if name in made else "open"
            return ChapterState(chapter, state, finding.gap, finding.step)
    own = [f for f in report if f.chapter == chapter.name]
    if own and all(f.state == "unknown" for f in own):
        return ChapterState(chapter, "unknown", own[0].gap)
    return ChapterState(chapter, *_proof_state(chapter, report, made, proved))


def _proof_state(
    chapter: Chapter,
    report: Report,
    made: Mapping[str, float],
    proved: Mapping[str, Mapping[str, Any]],
) -> tuple[str, str]:
    """A proof counts as long as nothing of its chapter was changed after it."""
    last = max((made.get(str(s), 0.0) for s in chapter.steps), default=0.0)
    tried = [proved.get(str(p)) for p in chapter.proofs]
    if broken := [p for p in tried if p and not p["ok"]]:
        return "failed", f"A proof did not hold when {broken[0]['who']} last tried it."
    if tried and all(p and p["time"] >= last for p in tried):
        return "proved", ""
    if not chapter.steps:
        gaps = {f.chapter for f in report if f.state == "gap"}
        waits = [c.title for c in chapter.needs if c.name in gaps]
        why = f"It rests on “{waits[0]}”." if waits else "Its proofs have not run yet."
        return "open", why
    return "true", "Its proofs have not run since it was last changed."
