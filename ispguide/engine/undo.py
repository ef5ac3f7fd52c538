"""Undo and history: reads the ledger, decides what may be put back.

The ledger is on the server and holds, for every file a step changed, what was there
before.  Undo refuses when something later rests on the step.  Packages, database
rows and certificates are not taken away again: other things may use them by now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ispguide.engine.actions import Action, Restore, Run, quote
from ispguide.engine.chapter import Chapter, Step, called_now
from ispguide.engine.errors import CannotUndo
from ispguide.engine.facts import Have

Entry = dict[str, Any]
UNDO = "undo "


def named_now(chapters: Sequence[Chapter], ledger: Iterable[Entry]) -> list[Entry]:
    """The ledger, its steps called as they are today."""

    def name(step: str) -> str:
        bare = step.removeprefix(UNDO)
        return step.removesuffix(bare) + called_now(chapters, bare)

    return [entry | {"step": name(entry["step"])} for entry in ledger]


def standing(ledger: Iterable[Entry]) -> list[Entry]:
    """The entries that were not undone since.  An undo of which a part failed put
    everything back, so it counts for nothing."""
    ledger, rows = list(ledger), list[Entry]()
    failed = {entry["run"] for entry in ledger if not entry["ok"]}
    for entry in ledger:
        if not entry["step"].startswith(UNDO):
            rows += [entry] if entry["ok"] else []
        elif entry["run"] not in failed:
            rows = [r for r in rows if r["step"] != entry["step"].removeprefix(UNDO)]
    return rows


def restores(
    step: Step, ledger: Iterable[Entry], dependents: Iterable[Step]
) -> list[Restore]:
    """What puts the step's files back; CannotUndo with the reason when not."""
    rows = standing(ledger)
    mine = [r for r in rows if r["step"] == str(step)]
    first: dict[str, Entry] = {}
    for row in mine:
        if "path" in row:
            first.setdefault(row["path"], row)
    if not first:
        raise CannotUndo(
            f"The ledger of this server knows no file that {step} changed.",
            "Only what a step replaced can be put back.",
            "./guide history shows what was done.",
            kind="nothing-to-undo",
        )
    done = {r["step"] for r in rows}
    if later := [str(d) for d in dependents if str(d) in done]:
        raise CannotUndo(
            f"{', '.join(later)} rest on {step}.",
            "What rests on a step should be undone before it.",
            f"Undo {later[-1]} first, or leave both.",
            kind="still-needed",
        )
    _refuse_shared(str(step), first, rows)
    return [Restore(path, row["before"]) for path, row in first.items()]


def _refuse_shared(step: str, first: dict[str, Entry], rows: list[Entry]) -> None:
    for path, row in first.items():
        others = {
            r["step"]
            for r in rows
            if r.get("path") == path and r["time"] > row["time"] and r["step"] != step
        }
        if others:
            raise CannotUndo(
                f"{path} was changed again later by {', '.join(sorted(others))}.",
                "Putting it back would undo that too.",
                "Undo the later step first.",
                kind="changed-since",
            )


def services(
    things: Iterable[Any], back: Iterable[Restore], have: Have
) -> tuple[list[Action], list[Action]]:
    """(before the files go back, after it): what makes the step's services read them.

    A service whose own unit goes away is switched off while it can still be named."""
    gone = {r.path.rpartition("/")[2] for r in back if r.before["kind"] == "none"}
    following = [t for t in things if t.follows]
    off = [
        f"systemctl disable --now {quote(t.unit)}" for t in following if t.unit in gone
    ]
    stay = [t for t in following if t.unit not in gone]
    return [Run(command) for command in off], [a for t in stay for a in t.fix(have)]


def history_lines(ledger: Iterable[Entry]) -> list[str]:
    """One line per entry: when, who, step, what."""
    from datetime import datetime

    return [
        f"{datetime.fromtimestamp(e['time']):%Y-%m-%d %H:%M:%S}  {e['who']}  {e['step']}  "
        f"{'' if e['ok'] else 'FAILED '}{e.get('path') or e['did'].splitlines()[0]}"
        for e in ledger
    ]
