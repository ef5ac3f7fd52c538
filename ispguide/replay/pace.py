"""The pace of the replay: as it was, or as much quicker as it takes to be watched."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

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
