"""A recorded letter: the journey it made then, told again at its own pace."""

from __future__ import annotations

from collections.abc import Callable

from ispguide.errors import GuideError
from ispguide.facts import Fact, failed_answer
from ispguide.guide import Guide
from ispguide.journey.hop import Hop
from ispguide.replay.pace import paced


def journey(kind: str) -> Fact:
    """The hops of a letter of this kind; only a recording answers it."""
    return ("journey", kind)


def retold(guide: Guide, kind: str, tell: Callable[[Hop], None]) -> list[Hop]:
    """The hops, as `travel` gives them."""
    fact = journey(kind)
    told = guide.server.exchange(tell=[fact]).have[fact]
    if why := failed_answer(told):
        raise GuideError(
            f"This letter cannot be followed: {why}.",
            "A replay tells the journey that was recorded.",
            kind="not-recorded",
        )
    hops = [Hop(**hop) for hop in told]
    for hop in paced(hops, lambda hop: hop.at):
        tell(hop)
    return hops
