"""What a run is doing, read from the lines it says: package 12 of 60.

Pure: lines go in, numbers and words come out.  Knows the words of apt and dpkg and
passes everything else on as it is.
Manuals: apt-get(8), dpkg(1).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

#: What a watcher hears when the line breaks.
BROKE = "The connection broke. The server works on; connecting again."

_TOTAL = re.compile(r"\d+ upgraded, (\d+) newly installed")
_PHASES = (
    (re.compile(r"Get:\d+ .* (\S+) \S+ \S+ \[.*\]$"), "fetching"),
    (re.compile(r"Unpacking (\S+)"), "unpacking"),
    (re.compile(r"Setting up (\S+)"), "setting up"),
)


@dataclass
class Doing:
    """The present state of a run.  `total` 0: how far it is cannot be told."""

    line: str = ""  #: the last line that was said
    step: str = ""  #: the step it is in, "chapter: title"
    phase: str = ""  #: fetching, unpacking or setting up
    name: str = ""  #: the package that the phase is at
    count: int = 0
    total: int = 0

    def hear(self, line: str) -> None:
        """Take one line of progress into account."""
        self.line = line.strip() or self.line
        if re.fullmatch(r"\w+: [\w ]+", line):
            self.step, self.total = line, 0
        if line == BROKE:  # the run is told again, from its beginning
            self.total = 0
        if found := _TOTAL.search(line):
            self.total, self.phase, self.count = int(found[1]), "", 0
        for pattern, phase in _PHASES:
            if found := pattern.match(line):
                self.count = self.count + 1 if phase == self.phase else 1
                self.phase, self.name = phase, found[1].removesuffix(":")

    @property
    def words(self) -> str:
        """One short line for a reader."""
        if not (self.total and self.phase):
            return self.line
        count = min(self.count, self.total)
        return f"{self.phase} package {count} of {self.total}: {self.name}"

    @property
    def share(self) -> float | None:
        """From 0 to 1 how far the packages are, or None where nobody knows."""
        if not (self.total and self.phase):
            return None
        order = [phase for _, phase in _PHASES]
        done = order.index(self.phase) + min(self.count / self.total, 1)
        return done / len(order)


@dataclass
class Running:
    """How a job goes: since when, and what it is doing now."""

    doing: str
    begin: float = field(default_factory=time.monotonic)
    doing_now: Doing = field(default_factory=Doing)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begin
