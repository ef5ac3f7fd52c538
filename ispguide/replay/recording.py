"""A recorded run: a bare server's answers, and what each step changed in them.

Pure but for reading its file.  For steps that are done it says what the server would
answer: the bare answers, with the changes of those steps put in as they were recorded.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ispguide.engine import problems
from ispguide.engine.facts import Fact
from ispguide.engine.settings import Settings

# What a step changed in an answer, and how it is put into another answer.
#
# Answers like Postfix's settings belong to many steps; each step's recording keeps only
# its own keys, so that steps may be replayed in another order.  Pure.


Patch = dict[str, Any]


def difference(old: Any, new: Any) -> Patch | None:
    """None: the same; {"set": new}; or {"keys": {key: patch}, "gone": [key]}."""
    if old == new:
        return None
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return {"set": new}
    keys = {key: difference(old.get(key), value) for key, value in new.items()}
    # A key that is new with the value None would look like one that is the same.
    keys |= {k: {"set": v} for k, v in new.items() if k not in old}
    return {
        "keys": {key: patch for key, patch in keys.items() if patch},
        "gone": [key for key in old if key not in new],
    }


def patched(answer: Any, patch: Patch) -> Any:
    """The answer after the change; `answer` itself stays as it is."""
    if "set" in patch:
        return patch["set"]
    if not isinstance(answer, dict):
        answer = {}
    kept = {key: value for key, value in answer.items() if key not in patch["gone"]}
    return kept | {k: patched(kept.get(k), p) for k, p in patch["keys"].items()}


# A recorded run: a bare server's answers, and what each step changed in them.


#: Whose run it was.
WHO = "you@replay"
#: Where the practice server and its resolver were, once their network had moved.
HOST, RESOLVER = "198.18.1.10", "198.18.1.2"

PATH = Path(__file__).with_name("recording.json.gz")

#: [seconds since the change began, what the server said]
Line = tuple[float, str]
Row = tuple[Fact, Any]


@dataclass(frozen=True)
class Change:
    """What one step did: how it looked, what is otherwise since, and its entries in
    the ledger, which have no time."""

    step: str
    lines: Sequence[Line] = ()
    patches: Sequence[tuple[Fact, Patch]] = ()
    ledger: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True)
class Proven:
    """What the proofs of a chapter saw, and what was to be seen after them, once the
    steps in `needs` were done."""

    chapter: str
    needs: Sequence[str]
    answers: Sequence[Row]
    after: int = 0  #: how many changes were recorded before it

    def missing(self, done: Collection[str]) -> list[str]:
        """The steps it needs that are not done."""
        return [step for step in self.needs if step not in done]


@dataclass(frozen=True)
class Recording:
    """The whole run.  `settings`: those of the recorded server, as TOML."""

    settings: str
    base: dict[Fact, Any]
    changes: tuple[Change, ...] = ()
    proofs: tuple[Proven, ...] = ()
    _named: dict[str, Change] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        self._named.update({change.step: change for change in self.changes})

    def change(self, step: str) -> Change | None:
        """What the step of this name did, if it was recorded."""
        return self._named.get(step)

    def answers(self, done: Collection[str]) -> dict[Fact, Any]:
        """What the server answers when these steps are done, and no others."""
        now = dict(self.base)
        for count, change in enumerate(self.changes, 1):
            for fact, patch in change.patches if change.step in done else ():
                now[fact] = patched(now.get(fact), patch)
            for proven in self.proofs:
                if proven.after == count and not proven.missing(done):
                    now |= dict(proven.answers)
        for proven in self.proofs:
            for fact, _ in proven.answers:
                if fact not in now:
                    now[fact] = {"error": _too_early(proven.missing(done)[0])}
        return now

    def made_settings(self) -> Settings:
        """The settings of the recorded server."""
        return problems.read(self.settings)

    def to_json(self) -> str:
        """One line a fact, a change or a proof, so that two can be compared."""
        rows: list[dict[str, Any]] = [{"settings": self.settings}]
        rows += [{"fact": fact, "answer": answer} for fact, answer in self.base.items()]
        rows += [asdict(change) for change in self.changes]
        rows += [asdict(proven) for proven in self.proofs]
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    @classmethod
    def from_json(cls, text: str) -> Recording:
        """From such lines."""
        first, *rows = map(json.loads, text.splitlines())
        return cls(
            first["settings"],
            {tuple(r["fact"]): r["answer"] for r in rows if "fact" in r},
            tuple(_change(r) for r in rows if "step" in r),
            tuple(_proven(r) for r in rows if "chapter" in r),
        )

    def save(self, path: Path = PATH) -> None:
        """Packed, and without a date: the same run makes the same file."""
        path.write_bytes(gzip.compress(self.to_json().encode(), mtime=0))

    @classmethod
    def load(cls, path: Path = PATH) -> Recording:
        """What was saved there."""
        return cls.from_json(gzip.decompress(path.read_bytes()).decode())


@cache
def recorded() -> Recording:
    """The recording that is part of the guide; read once."""
    return Recording.load()


def _too_early(step: str) -> str:
    return f"this was recorded after the step {step}; make that true first"


def _change(row: dict[str, Any]) -> Change:
    return Change(
        row["step"],
        tuple((seconds, line) for seconds, line in row["lines"]),
        _by_fact(row["patches"]),
        row["ledger"],
    )


def _proven(row: dict[str, Any]) -> Proven:
    answers = _by_fact(row["answers"])
    return Proven(row["chapter"], row["needs"], answers, row["after"])


def _by_fact(rows: Sequence[Any]) -> tuple[Row, ...]:
    return tuple((tuple(fact), value) for fact, value in rows)
