"""Numbers as a person says them, and answers that did not come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Ran

HOUR, DAY = 3600.0, 86400.0


def said_by(answer: Mapping[str, Any], what: str, chapter: str) -> str:
    """What the command said; GuideError when it could not."""
    ran = Ran.of(answer)
    if ran.err and not ran.ok:
        last = (ran.err.strip().splitlines() or ["no reason given"])[-1]
        raise GuideError(
            f"{what} cannot be seen: {last}",
            f"The server should tell it once chapter {chapter} is done.",
            f"Run chapter {chapter}, then look again.",
            ran.err,
            kind="no-answer",
        )
    return ran.out


def count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def span(seconds: float) -> str:
    """A length of time as a person says it."""
    for size, name in (
        (365 * DAY, "year"),
        (DAY, "day"),
        (HOUR, "hour"),
        (60, "minute"),
    ):
        if seconds >= 2 * size or (seconds >= size and name != "year"):
            return count(int(seconds // size), name, f"{name}s")
    return count(int(seconds), "second", "seconds")


def amount(size: float) -> str:
    """Bytes as a person says it."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return (
        f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
    )
