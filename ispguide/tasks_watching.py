"""The Fabric tasks of watching: how the server is, the flow of mail, the way of a letter.

`tasks` offers them with the others.  They only look.
"""

from __future__ import annotations

from typing import Any

from fabric import task

from ispguide import facts, journal
from ispguide.errors import GuideError
from ispguide.guide import Guide
from ispguide.journal import Line
from ispguide.journey import trace as tracing
from ispguide.journey.way import Way, way
from ispguide.measures import flow as flowing
from ispguide.measures import health as healthy
from ispguide.measures import queue
from ispguide.measures.words import said_by
from ispguide.opening import PRACTICE, open_guide
from ispguide.settings import Settings

Health = tuple[list[healthy.Seen], list[queue.Waiting]]


@task
def health(c: Any, server: str = PRACTICE, sudo: Any = None) -> Health:
    """What the server's own look says, and who waits in the queue."""
    guide = open_guide(server, sudo)
    look = healthy.health_fact(guide.settings)
    with guide.server:
        have = guide.exchange(tell=[look, queue.QUEUE]).have
    waits = have[queue.QUEUE]
    return healthy.health(have[look]), [] if waits.get("rc") else queue.waiting(waits)


@task
def mail_flow(
    c: Any, server: str = PRACTICE, sudo: Any = None
) -> tuple[flowing.Flow, Settings]:
    """The mail of the last days, counted by the hour; the settings with the clock."""
    guide = open_guide(server, sudo)
    with guide.server:
        have = guide.exchange(tell=[flowing.FLOW]).have
    return flowing.flow(have[flowing.FLOW]), guide.settings


@task
def trace(
    c: Any, what: str, server: str = PRACTICE, sudo: Any = None, days: int = 0
) -> list[Way]:
    """The ways of the letters that an address, Message-ID or queue id names, the
    newest first.  `days`: how far back; as long as the journal is kept."""
    what = _asked(what)
    guide = open_guide(server, sudo)
    if guide.server.profile.replay:
        raise GuideError(
            "A replay has no journal in which a letter could be looked for.",
            "A practice server has one, and so has a real one.",
            "See a recorded letter travel in chapter 9.",
            kind="not-recorded",
        )
    with guide.server:
        lines = _lines(guide, what, days or guide.settings.log_days)
    return [way(letter) for letter in reversed(tracing.letters(lines))][: tracing.MOST]


def _asked(what: str) -> str:
    word = what.strip().strip("<>")
    if len(word) < 5 or any(sign.isspace() for sign in word):
        raise GuideError(
            f"{what!r} names no letter.",
            "It should be an address, a Message-ID or the number that Postfix gave it.",
            "Take the number from an answer (queued as …), or the address of who misses a letter.",
            kind="no-such-message",
        )
    return word


def _lines(guide: Guide, what: str, days: int) -> list[Line]:
    """All lines of these letters: what they name leads to more of them."""
    found = [line for line in _search(guide, [what], days) if tracing.holds(line, what)]
    alone = [line for line in found if tracing.refused(line)][-tracing.MOST :]
    wanted = tracing.newest([line for line in found if not tracing.refused(line)])
    lines: list[Line] = []
    for _ in range(tracing.ROUNDS if wanted else 0):
        lines = _search(guide, wanted, days)
        more = list(dict.fromkeys(n for line in lines for n in tracing.ties(line)))
        if set(more) <= set(wanted):
            break
        wanted = more
    return [*lines, *alone]


def _search(guide: Guide, needles: list[str], days: int) -> list[Line]:
    fact = facts.run(tracing.search(needles, days))
    answer = guide.exchange(tell=[fact]).have[fact]
    if why := facts.failed_answer(answer):
        raise GuideError(
            f"The journal could not be searched: {why}",
            f"It was asked for {days} days.",
            "Ask for fewer: ./guide trace WHAT --days 2",
            kind="no-answer",
        )
    return list(journal.lines(said_by(answer, "The journal", "02")))
