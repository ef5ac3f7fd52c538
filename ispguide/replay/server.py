"""Replay: a server that is a recording.  The same one verb; nothing is changed.

`do` plays what the server said when the step was made true, at a pace one can watch,
and remembers the step as done; `tell` answers what the server would answer then.
It also answers what else is asked from outside or by proofs, and knows no settings,
passwords or steps but the recorded ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ispguide.actions import Action
from ispguide.errors import GuideError
from ispguide.facts import Fact, Have, ledger, proved
from ispguide.guide import Guide
from ispguide.profile import REPLAY, Profile
from ispguide.replay.memory import Event, Memory
from ispguide.replay.pace import paced
from ispguide.replay.recording import HOST, RESOLVER, WHO, Recording, recorded
from ispguide.server import Answer, Server, ignore
from ispguide.settings import Secret
from ispguide.undoing import UNDO
from ispguide.wire import Watch

UNKNOWN = {"error": "not in the recording"}


class NotRecorded(GuideError):
    """The recorded run did not do that."""


def profile() -> Profile:
    """The recorded server, as if this computer knew it."""
    settings = recorded().made_settings()
    return Profile(
        REPLAY, HOST, "", practice=True, replay=True, settings=settings,
        resolver=RESOLVER,
    )  # fmt: skip


def start() -> None:
    """A bare server in the replay, known to this computer under its name."""
    Memory().forget()
    profile().save()


class Replay(Server):
    """The recording, with what was clicked so far."""

    def __init__(
        self,
        profile: Profile,
        recording: Recording | None = None,
        memory: Memory | None = None,
    ):
        super().__init__(profile)
        self.recording, self.memory = recording or recorded(), memory or Memory()
        self.profile = profile.with_settings(self.recording.made_settings())

    def exchange(
        self,
        do: Sequence[Action] = (),
        tell: Iterable[Fact] = (),
        watch: Watch = ignore,
        *,
        step: str = "",
        wait: bool = False,
        proved: Mapping[str, bool] | None = None,
    ) -> Answer:
        """Play the step, then answer as the server did after it."""
        self.exchanges += 1
        done = self._play(step, watch) if do else None
        if proved:
            self.memory.add(proved=dict(proved))
        return Answer(self._have(tell), done, None, None)

    def _play(self, step: str, watch: Watch) -> dict[str, Any]:
        if step.startswith(UNDO):
            self.memory.add(undone=step.removeprefix(UNDO))
            return {"ok": True, "seconds": 0.0}
        change = self.recording.change(step)
        if change is None:
            raise NotRecorded(
                f"This is a replay, and “{step}” is not in the recording.",
                "It shows what was recorded, and changes nothing.",
                "With a practice server it can be done: ./guide start makes one.",
            )
        begin = time.monotonic()
        for _, line in paced(change.lines, lambda line: line[0]):
            watch(line)
        self.memory.add(step=step)
        return {"ok": True, "seconds": time.monotonic() - begin}

    def _have(self, tell: Iterable[Fact]) -> dict[Fact, Any]:
        now = self.recording.answers(self.memory.done())
        events = self.memory.events()
        now |= {ledger(): self._ledger(events), proved(): _proved(events)}
        return {fact: now.get(fact, UNKNOWN) for fact in dict.fromkeys(tell)}

    def _ledger(self, events: Iterable[Event]) -> list[dict[str, Any]]:
        """What was recorded of each step, at the time when it was clicked here."""
        rows = []
        for event in events:
            if undone := event.get("undone"):
                rows.append(_entry(event, step=UNDO + undone, did=UNDO + undone))
            change = self.recording.change(event.get("step", ""))
            for row in change.ledger if change else ():
                rows.append(row | {"time": event["time"], "who": WHO})
        return rows

    @contextmanager
    def mailbox(
        self, domain: str, quota: int = 0, locked: bool = False
    ) -> Iterator[dict[str, str]]:
        """There is none: what the proofs saw with theirs is in the recording."""
        raise NotRecorded(
            "This is a replay, and there is no mailbox in it.",
            "It shows what was recorded, and sends no mail.",
            "With a practice server it can be done: ./guide start makes one.",
        )
        yield {}

    def secret(self, name: str) -> Secret:
        """A recording holds no password."""
        raise NotRecorded(
            "This is a replay, and there is no password in it.",
            "It shows what was recorded, and passwords are never recorded.",
            "With a practice server it can be done: ./guide start makes one.",
        )


class Recorded:
    """The world outside, as it was seen then: nothing goes out, and nobody is asked."""

    def __init__(self, server: Server):
        self.server = server

    def sent(self, do: Sequence[Action]) -> tuple[Sequence[Action], None]:
        """All of it is left for the recording."""
        return do, None

    def confirmed(
        self,
        do: Sequence[Action],
        tell: Sequence[Fact],
        said: Answer,
        watch: Watch,
        step: str,
    ) -> Answer:
        """As it was said."""
        return said

    def answers(self, asked: Sequence[Fact], told: Have) -> Have:
        """What was seen then."""
        return self.server.exchange(tell=asked).have

    def proofs(self, guide: Guide, asked: Sequence[Fact], watch: Watch) -> Have:
        """What the proofs saw then."""
        return self.server.exchange(tell=asked, watch=watch).have


def _entry(event: Event, **more: Any) -> dict[str, Any]:
    return {"time": event["time"], "run": "", "who": WHO, "ok": True, **more}


def _proved(events: Iterable[Event]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for event in events:
        about = {"time": event["time"], "who": WHO}
        found |= {
            name: {"ok": ok, **about} for name, ok in event.get("proved", {}).items()
        }
    return found
