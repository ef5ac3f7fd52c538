"""One worker a server: jobs run one after the other, away from the cells.

Kernels call a button's callback on whatever thread they like, and a busy cell makes
buttons wait; so a cell and a callback only hand a job over and return.  A worker's
thread lives while there is something to do and is gone afterwards.  It never prints
or displays: that would land in whichever cell runs.  Knows no widgets.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock, Thread, current_thread
from typing import Any

from ispguide.engine.progress import Running

#: Seconds between two paintings of progress; at most ten a second are allowed.
PAINT = 0.2


@dataclass(eq=False)
class Job:
    """Something to do for a card.  `work(watch)` does it; `paint` shows how it goes.

    `quiet`: it may wait until nobody else wants anything (a look at the map)."""

    owner: object
    doing: str
    work: Callable[[Callable[[str], None]], Any]
    done: Callable[[Any], None]
    failed: Callable[[Exception], None]
    paint: Callable[[Running], None]
    quiet: bool = False

    def __call__(self) -> None:
        running = Running(self.doing)
        try:
            with Painter(lambda: self.paint(running)):
                result = self.work(running.doing_now.hear)
            self.done(result)
        except Exception as error:  # the reader is told by the card, in a sentence
            self.failed(error)


class Painter:
    """Calls `paint` now and every PAINT seconds until the block ends."""

    def __init__(self, paint: Callable[[], None]):
        self._paint, self._end = paint, Event()
        self._thread = Thread(target=self._run, name="ispguide-painter", daemon=True)

    def _run(self) -> None:
        while True:
            self._paint()
            if self._end.wait(PAINT):
                return

    def __enter__(self) -> Painter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


class Worker:
    """The jobs of one server.  One thread, and only while there are any."""

    def __init__(self, name: str):
        self.name = name
        self._jobs: deque[Job] = deque()
        self._lock = Lock()
        self._thread: Thread | None = None

    def submit(self, job: Job) -> None:
        """Put it at the end of the line; a quiet job twice is asked once."""
        with self._lock:
            if job.quiet and any(j.quiet and j.owner is job.owner for j in self._jobs):
                return
            self._jobs.append(job)
            if self._thread is None:
                name = f"ispguide-{self.name}"
                self._thread = Thread(target=self._work, name=name, daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while job := self._next():
            job()

    def _next(self) -> Job | None:
        with self._lock:
            if not self._jobs:
                self._thread = None
                return None
            loud = next((j for j in self._jobs if not j.quiet), self._jobs[0])
            self._jobs.remove(loud)
            return loud

    def drop(self, owner: object) -> None:
        """Forget what `owner` still waits for; what runs, runs on."""
        with self._lock:
            self._jobs = deque(j for j in self._jobs if j.owner is not owner)

    @property
    def busy(self) -> bool:
        """Whether anything runs or waits."""
        return self._thread is not None

    def join(self, seconds: float = 60) -> None:
        """Wait until nothing is left to do (for tests and for scripts)."""
        thread = self._thread
        if thread is not None and thread is not current_thread():
            thread.join(seconds)


_WORKERS: dict[str, Worker] = {}


def worker(server: str) -> Worker:
    """The worker of the server with this profile name."""
    return _WORKERS.setdefault(server, Worker(server))


def drop(owner: object) -> None:
    """Forget what `owner` waits for, on every server."""
    for one in _WORKERS.values():
        one.drop(owner)
