"""Replay: a server that is a recording.  The same one verb; nothing is changed.

`do` plays what the server said when the step was made true, at a pace one can watch,
and remembers the step as done; `tell` answers what the server would answer then.
It also answers what else is asked from outside or by proofs, and knows no settings,
passwords or steps but the recorded ones.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from ispguide.engine.actions import Action
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Fact, Have, ledger, proved
from ispguide.engine.guide import Guide
from ispguide.engine.local import alone, home, write_whole
from ispguide.engine.profile import REPLAY, Profile
from ispguide.engine.server import Answer, Server, Watch, ignore
from ispguide.engine.settings import Secret
from ispguide.engine.undo import UNDO
from ispguide.replay.recording import HOST, RESOLVER, WHO, Recording, recorded

# What was clicked in the replay: the one thing it keeps, below `home()`.
#
# Every notebook has a kernel of its own and all of them should see the same server, so
# it is a small file.  An event is {time} and one of {step}, {undone} or {proved}.


Event = dict[str, Any]


class Memory:
    """The events so far, oldest first, in the file `replay.json`."""

    def __init__(self, folder: Path | None = None):
        self._folder = folder

    @property
    def _path(self) -> Path:
        return (self._folder or home()) / "replay.json"

    def events(self) -> list[Event]:
        """All of them."""
        return json.loads(self._path.read_text()) if self._path.is_file() else []

    def done(self) -> list[str]:
        """The steps that stand, in the order in which they were made true."""
        steps: dict[str, None] = {}
        for event in self.events():
            if step := event.get("step"):
                steps[step] = None
            elif step := event.get("undone"):
                steps.pop(step, None)
        return list(steps)

    def add(self, **what: Any) -> None:
        """One more event, now."""
        with alone(self._path):
            self._write([*self.events(), {"time": time.time(), **what}])

    def forget(self) -> None:
        """A bare server again."""
        with alone(self._path):
            self._write([])

    def _write(self, events: list[Event]) -> None:
        write_whole(self._path, json.dumps(events))


# The pace of the replay: as it was, or as much quicker as it takes to be watched.


#: Seconds that something takes at most; ISPGUIDE_REPLAY_SECONDS says otherwise.
SECONDS = 2.5
T = TypeVar("T")


def paced(events: Sequence[T], at: Callable[[T], float]) -> Iterator[T]:
    """Each event when it is due; `at`: seconds since the beginning."""
    longest = float(os.environ.get("ISPGUIDE_REPLAY_SECONDS", SECONDS))
    whole = max(map(at, events), default=0.0)
    pace = min(1.0, longest / whole) if whole > 0 else 0.0
    begin = time.monotonic()
    for event in events:
        time.sleep(max(0.0, begin + at(event) * pace - time.monotonic()))
        yield event


# Replay: a server that is a recording.  The same one verb; nothing is changed.


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

    def connect(self) -> None:
        """A recording is there."""

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

    def resolvers(self) -> Sequence[str]:
        """None: what the zone's own servers said is recorded."""
        return ()

    def live(self, is_: str, should: str, do: str) -> None:
        """Nobody is there."""
        raise GuideError(is_, should, do, kind="not-recorded")


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
