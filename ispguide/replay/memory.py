"""What was clicked in the replay: the one thing it keeps, below `home()`.

Every notebook has a kernel of its own and all of them should see the same server, so
it is a small file.  An event is {time} and one of {step}, {undone} or {proved}.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ispguide.profile import home

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
        with self._alone():
            self._write([*self.events(), {"time": time.time(), **what}])

    def forget(self) -> None:
        """A bare server again."""
        with self._alone():
            self._write([])

    def _write(self, events: list[Event]) -> None:
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(events))
        part.replace(self._path)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two notebooks may click at the same moment."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._path.with_suffix(".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
