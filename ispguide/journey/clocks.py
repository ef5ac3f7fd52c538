"""Two clocks, one time: when the stranger knocked, by the server's clock.

Pure.  Some lines of the journal were surely written between something said and its
answer; each such pair bounds the difference of the clocks, and all together tell it to
a few milliseconds, whatever the clocks show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ispguide.journal import Line
from ispguide.journey.door import Turn

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
