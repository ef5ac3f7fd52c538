"""Two clocks, one time: when the stranger knocked, by the server's clock.

Pure.  Some lines of the journal were surely written between something said and its
answer; each such pair bounds the difference of the clocks, and all together tell it to
a few milliseconds, whatever the clocks show.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from ispguide.mail.log.hops import Turn
from ispguide.mail.log.journal import Line

#: Piece of a line → the turn during which it was written ("." is the letter).
WRITTEN = (
    ("connect from ", ""),
    (": client=", "RCPT"),
    (": reject: RCPT", "RCPT"),
    (": message-id=", "."),
    ("rspamd_task_write_log", "."),
    (": milter-reject: END-OF-MESSAGE", "."),
)


def zero(lines: Iterable[Line], turns: Sequence[Turn]) -> float | None:
    """The server's time at the beginning of the record; None when nothing tells."""
    bounds = list(_bounds(lines, turns))
    if not bounds:
        return None
    low, high = max(b[0] for b in bounds), min(b[1] for b in bounds)
    return (low + high) / 2


def _bounds(
    lines: Iterable[Line], turns: Sequence[Turn]
) -> Iterator[tuple[float, float]]:
    """(earliest, latest) beginning that each line allows."""
    spoken = {turn.verb: turn for turn in turns if turn.answered}
    for line in lines:
        for piece, verb in WRITTEN:
            if piece in line.text and verb in spoken:
                turn = spoken[verb]
                yield line.time - turn.answered, line.time - turn.at


# Record: the lines of a talk, each with the moment it was said.


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
