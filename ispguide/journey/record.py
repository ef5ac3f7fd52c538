"""Record: the lines of a talk, each with the moment it was said."""

from __future__ import annotations

import time


class Record(list[str]):
    """The lines of a talk, each with the seconds since the beginning."""

    def __init__(self) -> None:
        super().__init__()
        self._begin = time.monotonic()
        self.heard: list[tuple[float, str]] = []

    @property
    def now(self) -> float:
        return time.monotonic() - self._begin

    def append(self, line: str) -> None:
        super().append(line)
        self.heard.append((self.now, line))
