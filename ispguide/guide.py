"""The engine: look, gap, fix, look again, report.

It never believes a fix: only an empty gap afterwards counts.  Patience comes only
after a change; a plain check never waits.  Talks to nobody but `Server.exchange`
and, for what is seen from outside, `outside`, `publishing` and `proofs`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ispguide import problems
from ispguide.actions import Action
from ispguide.chapter import Chapter, Step, What, rests_on, select
from ispguide.facts import Fact
from ispguide.firewall.trying import confirmed, tried
from ispguide.planning import finding
from ispguide.publishing import Key, noted, published, read_key
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
    busy: Mapping[str, Any] | None = None
    key: Key | None = None  #: for zones that take updates, if the reader typed one

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
        from ispguide.applying import Applying

        with self._report() as report:
            steps = self.select(*what)
            work = Applying(self, watch)
            report.extend(work.run([s for s in steps if not s.proves]))
            report.actions = work.actions
            aside = {(s.chapter, s.name) for s in steps if s.aside}
            open_ = {
                f.chapter
                for f in report.findings
                if f.state in ("failed", "blocked", "gap")
                and (f.chapter, f.step) not in aside
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
        from ispguide.proving import proved

        return proved(self, proofs, watch)

    # looking

    def things(self, step: Step) -> list[Thing]:
        """What the step says should be true."""
        return list(step.things(self.settings))

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
        asked = [*self.facts(steps), *more]
        answer = self.exchange(tell=asked, wait=wait, watch=watch)
        if answer.settings and answer.settings["text"] is not None:
            self._take_over(answer.settings["text"])
            asked = [*self.facts(steps), *more]
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

        What is to be published in the DNS goes out from here, before all else."""
        if do and not self.server.profile.replay:
            if failure := published(do, *self._zones()):
                return Answer({}, failure, None, None)
            do = [noted(action) for action in do]
        asked = list(dict.fromkeys(tell))
        later = [f for f in asked if f[:2] == ("outside", "after")]
        here = [f for f in asked if f[0] == "outside" and f not in later]
        there = [f for f in asked if f[0] not in ("outside", "proof")]
        with ThreadPoolExecutor(1) as pool:
            outside = pool.submit(self._outside, here)
            answer = self.server.exchange(do, there, watch, **more)
            if tried(do, answer) and not self.server.profile.replay:
                step = str(more.get("step", ""))
                answer = confirmed(self.server, do, there, watch, step)
            self.have |= {**answer.have, **outside.result()}
        self.have |= self._outside(later)
        self.busy = answer.busy
        if run := answer.busy:
            self.notes.append(
                f"{run['who']} is changing this server now (step {run['step']})."
            )
        return answer

    def _outside(self, asked: list[Fact]) -> dict[Fact, Any]:
        if not asked:
            return {}
        if self.server.profile.replay:  # it was seen from outside then, not now
            return dict(self.server.exchange(tell=asked).have)
        from ispguide import outside

        key, resolver = self._zones()
        host, updates = self.server.profile.host, key is not None
        return dict(outside.answers(asked, host, self.have, resolver, updates))

    def _zones(self) -> tuple[Key | None, str]:
        """The key for zones that take updates, and whom to ask for names."""
        profile = self.server.profile
        return self.key or read_key(profile.zone_key), profile.resolver

    def findings(self, step: Step) -> list[Finding]:
        """What the last look says about a step."""
        return [finding(step, thing, self.have) for thing in self.things(step)]

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


def _touched(guide: Guide, proof: Step, open_: set[str]) -> bool:
    """Whether what the proof rests on is open."""
    return proof.chapter in open_ or any(
        s.chapter in open_ for s in guide.rests_on(proof)
    )
