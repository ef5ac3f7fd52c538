"""The engine: look, gap, fix, look again, report.

It never believes a fix: only an empty gap afterwards counts.  Patience comes only
after a change; a plain check never waits.  Talks to nobody but `Server.exchange`
and, for what is seen from outside, `outside` and `proofs`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ispguide.actions import Action
from ispguide.chapter import Chapter, Step, What, rests_on, select
from ispguide.facts import Fact, Unsure
from ispguide.report import Draft, Finding, Report
from ispguide.server import Answer, Server, ignore
from ispguide.settings import Settings
from ispguide.things import Thing
from ispguide.wire import Watch


@dataclass
class Guide:
    """A server, its settings, and the story that should be true of it."""

    server: Server
    settings: Settings
    chapters: Sequence[Chapter]
    have: dict[Fact, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def select(self, *what: What) -> list[Step]:
        """The steps meant by chapters, "chapter" or "chapter.step"; all for none."""
        return select(self.chapters, what)

    def rests_on(self, step: Step) -> list[Step]:
        """Earlier steps of its chapter, and the chapters that one needs."""
        return rests_on(self.chapters, step)

    def check(self, *what: What) -> Report:
        """Look, in one exchange, and change nothing."""
        with self._report() as report:
            steps = [s for s in self.select(*what) if not s.proves]
            self.look(steps)
            report.extend(f for s in steps for f in self.findings(s))
        return report.done

    def apply(self, *what: What, watch: Watch = ignore) -> Report:
        """Make it true, step by step, and prove it; what rests on a failure waits."""
        from ispguide.applying import Applying

        with self._report() as report:
            steps = self.select(*what)
            work = Applying(self, watch)
            report.extend(work.run([s for s in steps if not s.proves]))
            report.actions = work.actions
            open_ = {
                f.chapter
                for f in report.findings
                if f.state in ("failed", "blocked", "gap")
            }
            proofs = [s for s in steps if s.proves and not _touched(self, s, open_)]
            report.extend(self._proved(proofs, watch))
        return report.done

    def prove(self, *what: What, watch: Watch = ignore) -> Report:
        """Act like a user and look; leaves nothing behind."""
        with self._report() as report:
            proofs = [s for s in self.select(*what) if s.proves]
            report.extend(self._proved(proofs, watch))
        return report.done

    def _proved(self, proofs: Sequence[Step], watch: Watch) -> list[Finding]:
        if not proofs:
            return []
        from ispguide.proving import seen

        asked = list(self.facts(proofs))
        server_side = [f for f in asked if f[0] not in ("proof", "outside")]
        if server_side:
            self.exchange(tell=server_side, watch=watch)
        for last in (False, False, True):
            self.have |= seen(self, [f for f in asked if f[0] == "proof"], watch)
            found = [f for s in proofs for f in self.findings(s)]
            if all(f.state != "gap" for f in found) or last:
                break
            # One more look: the first mail after a restart meets a half-started rspamd.
            asked = [
                f
                for s in proofs
                for t in self.things(s)
                if t.gap(self.have)
                for f in t.facts()
            ]
        return [f.now(state="failed") if f.state == "gap" else f for f in found]

    # looking

    def things(self, step: Step) -> list[Thing]:
        """What the step says should be true."""
        return list(step.things(self.settings))

    def facts(self, steps: Iterable[Step]) -> Iterator[Fact]:
        """The questions of these steps."""
        return (f for s in steps for t in self.things(s) for f in t.facts())

    def look(
        self, steps: Sequence[Step], wait: bool = False, watch: Watch = ignore
    ) -> None:
        """One exchange; a second one only when the server has other settings."""
        answer = self.exchange(tell=self.facts(steps), wait=wait, watch=watch)
        if answer.settings and answer.settings["text"] is not None:
            self._take_over(answer.settings["text"])
            self.exchange(tell=self.facts(steps), wait=wait, watch=watch)

    def _take_over(self, text: str) -> None:
        """The server remembers its guide: its settings win over the profile's copy."""
        self.settings = Settings.from_toml(text)
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
        """One round trip; outside facts are asked in threads meanwhile."""
        asked = list(dict.fromkeys(tell))
        here = [f for f in asked if f[0] == "outside"]
        there = [f for f in asked if f[0] not in ("outside", "proof")]
        with ThreadPoolExecutor(1) as pool:
            outside = pool.submit(self._outside, here)
            answer = self.server.exchange(do, there, watch, **more)
            self.have |= {**answer.have, **outside.result()}
        if answer.busy:
            run = answer.busy
            self.notes.append(
                f"{run['who']} is changing this server now (step {run['step']})."
            )
        return answer

    def _outside(self, asked: list[Fact]) -> dict[Fact, Any]:
        if not asked:
            return {}
        from ispguide import outside

        return dict(outside.answers(asked, self.server.profile.host, self.settings))

    def findings(self, step: Step) -> list[Finding]:
        """What the last look says about a step."""
        return [self._finding(step, thing) for thing in self.things(step)]

    def _finding(self, step: Step, thing: Thing) -> Finding:
        gap = thing.gap(self.have)
        state = "unknown" if isinstance(gap, Unsure) else "gap" if gap else "ok"
        commands = (
            tuple(a.by_hand() for a in thing.fix(self.have)) if state == "gap" else ()
        )
        evidence = getattr(thing, "evidence", None)
        shown = evidence(self.have) if evidence and state == "ok" else ""
        return Finding(
            step.chapter,
            step.name,
            str(thing),
            state,
            str(gap),
            commands,
            evidence=shown,
        )

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
        )


def _touched(guide: Guide, proof: Step, open_: set[str]) -> bool:
    """Whether what the proof rests on is open."""
    return proof.chapter in open_ or any(
        s.chapter in open_ for s in guide.rests_on(proof)
    )
