"""A walk through the guide that is recorded: each step, and all answers after it.

Works on a bare practice server, as a reader would: a chapter's steps, then its proofs.
Starts no server and writes no file; `__main__` does.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from ispguide.engine.chapter import Chapter, Step
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Fact, ledger
from ispguide.engine.guide import Guide
from ispguide.engine.report import Finding
from ispguide.engine.server import Answer, Server, Watch, ignore
from ispguide.engine.settings import Secret, Settings
from ispguide.mail import people
from ispguide.mail.backup.restore import LIST
from ispguide.mail.backup.things import LAST
from ispguide.mail.dkim import rotation
from ispguide.mail.dmarc.things import ReportsMailbox
from ispguide.mail.log import traffic
from ispguide.mail.measures import bans, certificate, health, mailboxes
from ispguide.proofs.journey import journey, travel
from ispguide.replay.recording import Change, Line, Proven, Recording, Row, difference
from ispguide.tasks import components, dns
from ispguide.tasks.authentication import search

# What is asked besides the steps: by the lists, pictures, coach and questions.
#
# Only recording needs it, and so only here the replay knows the notebook.  A question
# that is missing here shows in a replay as "could not tell: not in the recording".


#: After which chapter which letters are sent and followed.
MESSAGES = {"first_mail": ("letter", "nobody"), "spam": ("letter", "spam", "nobody")}
#: What is measured; the letters of proofs and journeys count, so it is asked after them.
MEASURED: tuple[Fact, ...] = (
    traffic.QUEUE, traffic.VERDICTS, traffic.FLOW, *mailboxes.ASKED, *bans.ASKED
)  # fmt: skip


def besides(settings: Settings) -> list[Fact]:
    """Asked of the server, whatever it answers."""
    from ispguide.quiz.asked import ASKED

    mine = [*people.LISTS, *components.UNITS, *MEASURED]
    mine += [LIST, LAST]
    mine.append(certificate.certificate_fact(settings.cert_dir))
    mine.append(health.HEALTH)
    mine += [rotation.QUEUE, search(ReportsMailbox(settings.domain).address)]
    return mine + [asked.fact(settings) for asked in ASKED]


def of_resolvers(guide: Guide) -> list[Fact]:
    """What the coach asks resolvers; the names depend on the server's addresses."""
    return dns.asked_of(guide.settings, guide.have, [guide.server.profile.resolver])


def messages(guide: Guide, chapter: str) -> Iterator[Row]:
    """The journeys of this chapter's letters, each as an answer."""
    for kind in MESSAGES.get(chapter, ()):
        hops = travel(guide, kind, "", lambda hop: None)
        yield journey(kind), [asdict(hop) for hop in hops]


# A walk through the guide that is recorded: each step, and all answers after it.


#: Who is added before which chapter's proofs: the mailboxes that notebooks make.
PEOPLE = {"first_mail": ("anna@example.test",)}


class Taped(Server):
    """A server that keeps what was said while something was done, and when."""

    lines: list[Line]

    def rewind(self) -> None:
        """A new tape."""
        self.lines, self._begin = [], time.monotonic()

    def exchange(
        self, do: Any = (), tell: Any = (), watch: Watch = ignore, **more: Any
    ) -> Answer:
        def taped(line: str) -> None:
            self.lines.append((round(time.monotonic() - self._begin, 2), line))
            watch(line)

        return super().exchange(do, tell, taped if do else watch, **more)


class Recorder:
    """One run.  A change is what lies between two looks at everything."""

    def __init__(self, guide: Guide, server: Taped, say: Watch):
        self.guide, self.server, self.say = guide, server, say
        self._asked = [f for f in guide.facts(guide.select()) if f[0] != "proof"]
        self._asked += besides(guide.settings)
        self._done: list[Step] = []
        self._changes: list[Change] = []
        self._now: dict[Fact, Any] = {}

    def run(self) -> Recording:
        """From a bare server to a proved one."""
        self._look()
        self._asked += of_resolvers(self.guide)
        base = self._now = self._look()
        proofs = tuple(self._chapter(chapter) for chapter in self.guide.chapters)
        entries = list(self.guide.exchange(tell=[ledger()]).have[ledger()])
        changes = (replace(c, ledger=_of(entries, c.step)) for c in self._changes)
        return Recording(self.guide.settings.to_toml(), base, tuple(changes), proofs)

    def _look(self) -> dict[Fact, Any]:
        self.guide.exchange(tell=self._asked, wait=True)
        return {fact: self.guide.have[fact] for fact in dict.fromkeys(self._asked)}

    def _chapter(self, chapter: Chapter) -> Proven:
        self.say(f"Recording chapter {chapter.number}, {chapter.title} …")
        for step in chapter.steps:
            with_step = [*self._done, step]
            self._change(str(step), partial(self._make_true, with_step))
            self._done = with_step
        for address in PEOPLE.get(chapter.name, ()):
            self._change(f"people: add {address}", partial(self._add, address))
        return self._proven(chapter)

    def _change(self, name: str, work: Callable[[], None]) -> None:
        before = self._now
        self.server.rewind()
        work()
        self._now = after = self._look()
        found = ((fact, difference(before[fact], after[fact])) for fact in before)
        patches = tuple((fact, patch) for fact, patch in found if patch)
        self._changes.append(Change(name, tuple(self.server.lines), patches))

    def _make_true(self, steps: list[Step]) -> None:
        """The last of the steps, and what it disturbed: a replay has no second try."""
        _must_be_well(self.guide.apply(steps[-1]))
        if not self.guide.check(*steps).ok:
            _must_be_well(self.guide.apply(*steps))

    def _add(self, address: str) -> None:
        action = people.add_mailbox(address, Secret(secrets.token_urlsafe(15)))
        self.guide.exchange([action], step=f"people: add {address}")

    def _proven(self, chapter: Chapter) -> Proven:
        proofs = chapter.proofs
        if proofs:
            _must_be_well(self.guide.proved(proofs))
        answers = [(f, self.guide.have[f]) for f in self.guide.facts(proofs)]
        answers = [(fact, answer) for fact, answer in answers if fact[0] == "proof"]
        answers += messages(self.guide, chapter.name)
        if answers:
            self._now = self._look()  # what proofs leave behind is no step's change
            answers += [(fact, self._now[fact]) for fact in MEASURED]
        below = {str(n) for p in proofs for n in self.guide.rests_on(p)}
        # What was true by itself is never done, neither here nor in the replay.
        needs = [c.step for c in self._changes if c.lines and c.step in below]
        return Proven(chapter.name, needs, tuple(answers), len(self._changes))


def _must_be_well(found: Iterable[Finding]) -> None:
    bad = [f for f in found if f.state not in ("ok", "fixed", "unknown")]
    if bad:
        rows = (f"{f.chapter}.{f.step} {f.thing}: {f.state} {f.gap}" for f in bad)
        raise GuideError(
            "The run cannot be recorded, because something in it failed.",
            "A recording shows a guide that works.",
            "Repair that first.",
            "\n".join(rows),
            kind="not-well",
        )


def _of(entries: Iterable[dict[str, Any]], step: str) -> list[dict[str, Any]]:
    """The entries of a step; when it happened is the replay's to say."""
    return [e | {"time": 0} for e in entries if e["step"] == step]
