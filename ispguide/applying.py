"""Applying: the walk through the steps that makes them true.

Each step is one transaction: the fixes of all its gaps, and its services, which read
what was written.  A step whose ground is not true waits and says for what.
Everything is looked at again at the end, because a later step may disturb an earlier
one, and the report is what that last look says.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ispguide.chapter import Step
from ispguide.planning import Plan, gaps_of, names_of, plan_of, together
from ispguide.report import Finding

if TYPE_CHECKING:
    from ispguide.guide import Guide
    from ispguide.wire import Watch

#: Seconds between looks after a change; together the patience of rule 2.
WAITS = (0.2, 0.3, 0.5, 1, 1, 2, 2, 4, 4)
#: Rounds of fixing within a step: a user needs the secret, a row needs its table.
ROUNDS = 4


class Applying:
    """One apply.  `actions` counts what was done on the server."""

    def __init__(self, guide: Guide, watch: Watch):
        self.guide, self.watch = guide, watch
        self.actions = 0
        self.chosen: Sequence[Step] = ()
        self.own: set[str] = set()  # the things of the chosen steps, by name
        self.fresh: set[str] = set()  # steps looked at since the last change
        #: How many steps the next look takes in: after a change the next one may have
        #: to change something, too; twice as many for each that had nothing to do.
        self.ahead = 1
        #: step → {thing: why what rests on it must wait}
        self.bad: dict[str, dict[str, str]] = {}
        self.fixed: dict[tuple[str, str], float] = {}  # (step, thing) → seconds

    def run(self, steps: Sequence[Step]) -> list[Finding]:
        """Findings of all steps after making them true."""
        self.chosen = steps
        self.own = {name for step in steps for name in names_of(self.guide, step)}
        base = {str(b): b for s in steps for b in self.guide.rests_on(s)}
        ground = [b for b in base.values() if b not in steps]
        self.guide.look([*ground, *steps], wait=True, watch=self.watch)
        self.fresh = {str(s) for s in [*ground, *steps]}
        self._judge(ground)
        found = {str(s): self._one(s, steps[i + 1 :]) for i, s in enumerate(steps)}
        if self.actions:
            found |= self._look_back(steps, found)
        return [f for s in steps for f in found[str(s)]]

    def _judge(self, ground: Sequence[Step]) -> None:
        for step in ground:
            where = f"First make “{step.title}” true (chapter {step.chapter})"
            gaps = [f for f in self.guide.findings(step) if f.state == "gap"]
            if gaps:
                self.bad[str(step)] = {f.thing: f"{where}: {f.gap}" for f in gaps}

    def _reason_to_wait(self, step: Step) -> str:
        """The first gap below the step that this run would not close itself: a stopped
        service that one of its steps starts anyway is no reason to wait."""
        for need in self.guide.rests_on(step):
            for thing, why in self.bad.get(str(need), {}).items():
                if thing not in self.own:
                    return why
        return ""

    def _one(self, step: Step, following: Sequence[Step]) -> list[Finding]:
        if why := self._reason_to_wait(step):
            self.bad[str(step)] = {"": why}
            return [f.now(gap=why, kind="waits") for f in self._blank(step)]
        if str(step) not in self.fresh:
            near = [step, *following][: self.ahead]
            self.guide.exchange(tell=self.guide.facts(near), watch=self.watch)
            self.fresh |= {str(s) for s in near}
            self.ahead *= 2
        found = self._make_true(step, following[:1])
        if worst := next(
            (f for f in found if f.state in ("failed", "gap", "blocked")), None
        ):
            where = f"First repair “{step.title}” (chapter {step.chapter})"
            self.bad[str(step)] = {"": f"{where}: {worst.gap}"}
        return found

    def _blank(self, step: Step) -> list[Finding]:
        return [
            Finding(step.chapter, step.name, str(t), "blocked")
            for t in self.guide.things(step)
        ]

    def _make_true(self, step: Step, following: Sequence[Step]) -> list[Finding]:
        begin, tried = time.monotonic(), set[str]()
        for _ in range(ROUNDS):
            plan = plan_of(self.guide, step, tried)
            if not plan:
                break
            failure = self._do(step, plan, following)
            if failure:
                more = together(self.guide, self.chosen, step, plan, failure[0])
                failure = self._do(step, more, following) if more else failure
            tried |= {str(thing) for thing, _ in plan}
            share = (time.monotonic() - begin) / len(tried)
            self.fixed |= {(str(step), name): share for name in tried}
            if failure:
                return self._failed(step, failure)
            self._be_patient(step, tried)
        return self._states(step)

    def _do(
        self, step: Step, plan: Plan, following: Sequence[Step]
    ) -> tuple[str, dict[str, Any]] | None:
        """None, or the name of the thing that failed and what the server said."""
        self.watch(f"{step.chapter}: {step.title}")
        answer = self.guide.exchange(
            [action for _, action in plan],
            self.guide.facts([step, *following]),
            self.watch,
            step=str(step),
        )
        self.fresh, self.ahead = {str(s) for s in (step, *following)}, 1
        done = answer.done
        if done is None:
            done = {"ok": False, "failed": 0, "evidence": "The server restarted."}
        self.actions += len(plan) if done["ok"] else done["failed"] + 1
        return None if done["ok"] else (str(plan[done["failed"]][0]), done)

    def _be_patient(self, step: Step, tried: set[str]) -> None:
        """Look again for a while when something just done is not seen yet."""
        for wait in WAITS:
            open_ = gaps_of(self.guide, step)
            untried = [
                t for t in open_ if str(t) not in tried and t.fix(self.guide.have)
            ]
            if untried or not open_:
                return
            time.sleep(wait)
            self.guide.exchange(tell=self.guide.facts([step]), watch=self.watch)

    def _failed(self, step: Step, failure: tuple[str, dict[str, Any]]) -> list[Finding]:
        name, done = failure
        found = []
        for f in self.guide.findings(step):
            if f.thing == name:
                said = done["evidence"]
                gap, kind = _sentence(f, done), f.kind or "stale"
                f = f.now(state="failed", gap=gap, kind=kind, evidence=said)
            elif f.state == "gap":
                why = f"Not done, because “{name}” failed. {f.gap}"
                f = f.now(state="blocked", gap=why)
            found.append(f)
        return found

    def _states(self, step: Step) -> list[Finding]:
        found = []
        for f in self.guide.findings(step):
            seconds = self.fixed.get((str(step), f.thing))
            if seconds is not None and f.state == "ok":
                f = f.now(state="fixed", seconds=seconds)
            elif f.state == "gap":
                f = f.now(state="failed")
            found.append(f)
        return found

    def _look_back(
        self, steps: Sequence[Step], found: dict[str, list[Finding]]
    ) -> dict[str, list[Finding]]:
        """Every step that was well, looked at again; disturbed ones made true again."""
        well = [s for s in steps if str(s) not in self.bad]
        self.guide.exchange(tell=self.guide.facts(well), watch=self.watch)
        self.fresh = {str(s) for s in well}
        again: dict[str, list[Finding]] = {}
        for step in well:
            disturbed = gaps_of(self.guide, step)
            again[str(step)] = self._one(step, ()) if disturbed else self._states(step)
        return again


def _sentence(f: Finding, done: dict[str, Any]) -> str:
    back = done.get("back")
    undone = f" Put back as before: {', '.join(back)}." if back else ""
    if words := done.get("words"):
        return str(words)
    was = f.gap or "It was to be read anew."
    return f"{was}\nMaking it true failed; the server's own words are below.{undone}"
