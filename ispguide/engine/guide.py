"""The engine: look, gap, fix, look again, report.

It never believes a fix: only an empty gap afterwards counts.  Patience comes only
after a change; a plain check never waits.  Talks to nobody but `Server.exchange` and
the `Outside` it was given: who that is, it does not know.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Protocol

from ispguide.engine import problems
from ispguide.engine.actions import Action
from ispguide.engine.chapter import Chapter, Step, What, rests_on, select
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Fact, Have, ledger
from ispguide.engine.gaps import Gap, Unsure
from ispguide.engine.report import Draft, Finding, Report
from ispguide.engine.server import Answer, Server, Watch, ignore
from ispguide.engine.settings import Settings
from ispguide.engine.things import Thing
from ispguide.engine.undo import named_now

#: As a transaction on the server ends: {ok, failed, evidence, …}.
Done = dict[str, Any]
LEDGER = ledger()
Plan = list[tuple[Thing, Action]]

#: Seconds between looks after a change; together the patience of rule 2.
WAITS = (0.2, 0.3, 0.5, 1, 1, 2, 2, 4, 4)
#: Seconds before a proof that failed is tried again: the first message after a restart
#: meets a half-started rspamd.
PAUSES = (0.3, 2)
#: Rounds of fixing within a step: a user needs the secret, a row needs its table.
ROUNDS = 4


class Outside(Protocol):
    """This computer's half of the world, handed in by whoever opens the guide."""

    def sent(self, do: Sequence[Action]) -> tuple[Sequence[Action], Done | None]:
        """Do what goes out from here.  What is left for the server, or how it failed."""
        ...

    def confirmed(
        self,
        do: Sequence[Action],
        tell: Sequence[Fact],
        said: Answer,
        watch: Watch,
        step: str,
    ) -> Answer:
        """What the server said, or says once it was seen from here that it still
        lets us in."""
        ...

    def answers(self, asked: Sequence[Fact], told: Have) -> Have:
        """The facts ("outside", …).  `told`: what the server has said so far."""
        ...

    def proofs(self, guide: Guide, asked: Sequence[Fact], watch: Watch) -> Have:
        """The facts ("proof", …): act like a user, and look."""
        ...

    def resolvers(self) -> Sequence[str]:
        """Whom else to ask for names, besides the zone's own servers."""
        ...

    def live(self, is_: str, should: str, do: str) -> None:
        """Go on where a server answers; raise GuideError of these words where only a
        recording does."""
        ...


@dataclass
class Guide:
    """A server, its settings, and the story that should be true of it."""

    server: Server
    settings: Settings
    chapters: Sequence[Chapter]
    outside: Outside
    have: dict[Fact, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    busy: Mapping[str, Any] | None = None
    _built: dict[tuple[Step, Settings], tuple[Thing, ...]] = field(default_factory=dict)

    def select(self, *what: What) -> list[Step]:
        """The steps meant by chapters, "chapter" or "chapter.step"; all for none."""
        return select(self.chapters, what)

    def rests_on(self, step: Step) -> list[Step]:
        """Earlier steps of its chapter, and the chapters that one needs."""
        return rests_on(self.chapters, step)

    def check(self, *what: What, also: Iterable[Fact] = ()) -> Report:
        """Look, in one exchange, and change nothing.  `also`: more questions, whose
        answers are in `have` afterwards."""
        with self._report() as report:
            steps = [s for s in self.select(*what) if not s.proves]
            self.look(steps, also)
            report.extend(f for s in steps for f in self.findings(s))
        return report.done

    def apply(self, *what: What, watch: Watch = ignore) -> Report:
        """Make it true, step by step, and prove it; what rests on a failure waits."""
        with self._report() as report:
            steps = self.select(*what)
            work = _Applying(self, watch)
            report.extend(work.run([s for s in steps if not s.proves]))
            report.actions = work.actions
            aside = {(s.chapter, s.name) for s in steps if s.aside}
            open_ = {
                f.chapter
                for f in report.findings
                if f.state in ("failed", "blocked", "gap")
                and (f.chapter, f.step) not in aside
            }
            proofs = [s for s in steps if s.proves and not self._touched(s, open_)]
            report.extend(self.proved(proofs, watch))
        return report.done

    def prove(self, *what: What, watch: Watch = ignore) -> Report:
        """Act like a user and look; leaves nothing behind."""
        with self._report() as report:
            proofs = [s for s in self.select(*what) if s.proves]
            report.extend(self.proved(proofs, watch))
        return report.done

    def _touched(self, proof: Step, open_: set[str]) -> bool:
        """Whether what the proof rests on is open."""
        return proof.chapter in open_ or any(
            s.chapter in open_ for s in self.rests_on(proof)
        )

    # looking

    def things(self, step: Step) -> tuple[Thing, ...]:
        """What the step says should be true; built once for the same settings."""
        key = (step, self.settings)
        if key not in self._built:
            self._built[key] = tuple(step.things(self.settings))
        return self._built[key]

    def names(self, step: Step) -> set[str]:
        """The things of the step by their names."""
        return {str(thing) for thing in self.things(step)}

    def facts(self, steps: Iterable[Step]) -> Iterator[Fact]:
        """The questions of these steps."""
        return (f for s in steps for t in self.things(s) for f in t.facts())

    def look(
        self,
        steps: Sequence[Step],
        also: Iterable[Fact] = (),
        wait: bool = False,
        watch: Watch = ignore,
    ) -> None:
        """One exchange; a second one only when the server has other settings."""
        more = list(also)
        asked = chain(self.facts(steps), more)
        answer = self.exchange(tell=asked, wait=wait, watch=watch)
        if answer.settings and answer.settings["text"] is not None:
            self._take_over(answer.settings["text"])
            asked = chain(self.facts(steps), more)
            self.exchange(tell=asked, wait=wait, watch=watch)

    def _take_over(self, text: str) -> None:
        """The server remembers its guide: its settings win over the profile's copy."""
        self.settings = problems.read(text)
        self.server.profile = self.server.profile.with_settings(self.settings)
        if self.server.profile.name:
            self.server.profile.save()

    def exchange(
        self,
        do: Sequence[Action] = (),
        tell: Iterable[Fact] = (),
        watch: Watch = ignore,
        **more: Any,
    ) -> Answer:
        """One round trip; outside facts are asked in threads meanwhile.

        What goes out from here, into the DNS for instance, goes before all else."""
        if do:
            do, failure = self.outside.sent(do)
            if failure:
                return Answer({}, failure, None, None)
        with ThreadPoolExecutor(2) as pool:
            coming = pool.submit(
                self.server.connect
            )  # the questions are made meanwhile
            asked = list(dict.fromkeys(tell))
            later = [f for f in asked if f[:2] == ("outside", "after")]
            here = [f for f in asked if f[0] == "outside" and f not in later]
            there = [f for f in asked if f[0] not in ("outside", "proof")]
            outside = pool.submit(self._outside, here)
            coming.result()
            answer = self.server.exchange(do, there, watch, **more)
            if do:
                step = str(more.get("step", ""))
                answer = self.outside.confirmed(do, there, answer, watch, step)
            if isinstance(rows := answer.have.get(LEDGER), list):
                named = {LEDGER: named_now(self.chapters, rows)}
                answer = replace(answer, have={**answer.have, **named})
            self.have |= {**answer.have, **outside.result()}
        self.have |= self._outside(later)
        self.busy = answer.busy
        if run := answer.busy:
            self.notes.append(
                f"{run['who']} is changing this server now (step {run['step']})."
            )
        return answer

    def must(
        self,
        do: Sequence[Action],
        step: str,
        otherwise: GuideError,
        watch: Watch = ignore,
    ) -> None:
        """Do it, or raise `otherwise` with the server's own words."""
        self.exchange(do, watch=watch, step=step).must(otherwise)

    def _outside(self, asked: Sequence[Fact]) -> Have:
        return self.outside.answers(asked, self.have) if asked else {}

    def findings(self, step: Step) -> list[Finding]:
        """What the last look says about a step."""
        return [finding(step, thing, self.have) for thing in self.things(step)]

    def gaps(self, step: Step) -> list[Thing]:
        """The things of the step that are not true, by the last look."""
        return [t for t in self.things(step) if _is_gap(t.gap(self.have))]

    @contextmanager
    def _report(self) -> Iterator[Draft]:
        draft = Draft(self.server.exchanges, time.monotonic())
        self.notes.clear()
        yield draft
        draft.done = Report(
            tuple(draft.findings),
            self.server.exchanges - draft.exchanges,
            draft.actions,
            time.monotonic() - draft.begin,
            tuple(dict.fromkeys(self.notes)),
            self.busy,
        )

    # proving

    def proved(self, proofs: Sequence[Step], watch: Watch = ignore) -> list[Finding]:
        """The findings of these proofs; the server remembers when each was tried."""
        if not proofs:
            return []
        asked = list(self.facts(proofs))
        for pause in (*PAUSES, None):
            self.tried(asked, watch)
            found = [f for s in proofs for f in self.findings(s)]
            if pause is None or all(f.state != "gap" for f in found):
                break
            time.sleep(pause)
            open_ = (t for s in proofs for t in self.things(s) if t.gap(self.have))
            asked = [f for t in open_ for f in t.facts()]
        found = [f.now(state="failed") if f.state == "gap" else f for f in found]
        self.server.exchange(proved=verdicts(found))
        return found

    def tried(self, asked: Sequence[Fact], watch: Watch = ignore) -> None:
        """Ask the server and act like a user, once; the answers are in `have`."""
        if server_side := [f for f in asked if f[0] not in ("proof", "outside")]:
            self.exchange(tell=server_side, watch=watch)
        if acts := [f for f in asked if f[0] == "proof"]:
            watch("Proving: " + ", ".join(dict.fromkeys(f[1] for f in acts)))
            self.have |= self.outside.proofs(self, acts, watch)


def verdicts(found: Iterable[Finding]) -> dict[str, bool]:
    """Each proof, and whether all of it held; what could not be told says nothing."""
    rows = [f for f in found if f.state != "unknown"]
    names = dict.fromkeys(f"{f.chapter}.{f.step}" for f in rows)
    return {
        name: all(f.state == "ok" for f in rows if f"{f.chapter}.{f.step}" == name)
        for name in names
    }


def _is_gap(gap: Gap) -> bool:
    """ "Could not tell" is neither broken nor something to repair."""
    return bool(gap) and not isinstance(gap, Unsure)


def finding(step: Step, thing: Thing, have: Have) -> Finding:
    """What the last look says about a thing."""
    gap = thing.gap(have)
    state = "unknown" if isinstance(gap, Unsure) else "gap" if gap else "ok"
    commands = tuple(a.by_hand() for a in thing.fix(have)) if state == "gap" else ()
    evidence = getattr(thing, "evidence", None)
    shown = evidence(have) if evidence and state == "ok" else ""
    return Finding(
        step.chapter,
        step.name,
        str(thing),
        state,
        str(gap),
        commands,
        evidence=shown,
        kind=gap.kind,
    )


class _Applying:
    """One walk through the steps that makes them true.  `actions` counts what was done.

    Each step is one transaction: the fixes of all its gaps, and its services, which read
    what was written.  A step whose ground is not true waits and says for what.
    Everything is looked at again at the end, because a later step may disturb an earlier
    one, and the report is what that last look says."""

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
        self.own = {name for step in steps for name in self.guide.names(step)}
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
            plan = self._plan(step, tried)
            if not plan:
                break
            failure = self._do(step, plan, following)
            if failure:
                more = self._together(step, plan, failure[0])
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

    def _plan(self, step: Step, tried: set[str]) -> Plan:
        """Fixes of the gaps not tried yet; services follow whatever changes."""
        plan: Plan = []
        for thing in self.guide.things(step):
            wanted = _is_gap(thing.gap(self.guide.have)) and str(thing) not in tried
            if wanted or (plan and thing.follows):
                plan += [(thing, action) for action in thing.fix(self.guide.have)]
        return plan

    def _together(self, step: Step, plan: Plan, failed: str) -> Plan:
        """A service's test reads all its files.  When it stumbles, the files of the
        other steps of that service are mended in the same transaction, before it;
        empty: there are none to mend."""
        services = [(t, a) for t, a in plan if t.follows]
        if failed not in {str(t) for t, _ in services}:
            return []
        others = [s for s in self.chosen if s != step and failed in self.guide.names(s)]
        wrong = [t for s in others for t in self.guide.gaps(s) if not t.follows]
        more = [(t, a) for t in wrong for a in t.fix(self.guide.have)]
        own = [(t, a) for t, a in plan if not t.follows]
        return [*own, *more, *services] if more else []

    def _be_patient(self, step: Step, tried: set[str]) -> None:
        """Look again for a while when something just done is not seen yet."""
        for wait in WAITS:
            open_ = self.guide.gaps(step)
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
            disturbed = self.guide.gaps(step)
            again[str(step)] = self._one(step, ()) if disturbed else self._states(step)
        return again


def _sentence(f: Finding, done: dict[str, Any]) -> str:
    back = done.get("back")
    undone = f" Put back as before: {', '.join(back)}." if back else ""
    if words := done.get("words"):
        return str(words)
    was = f.gap or "It was to be read anew."
    return f"{was}\nMaking it true failed; the server's own words are below.{undone}"
