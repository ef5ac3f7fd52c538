"""The Fabric tasks of watching: how the server is, the flow of mail, the way of a letter.

All but `travel` only look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ispguide.engine import facts
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Ran
from ispguide.engine.guide import Guide
from ispguide.engine.overview import overview
from ispguide.engine.settings import Settings
from ispguide.engine.words import said_by
from ispguide.mail.log import journal, traffic
from ispguide.mail.log import trace as tracing
from ispguide.mail.log.hops import Hop
from ispguide.mail.log.journal import Judged, Line
from ispguide.mail.log.way import Way, way
from ispguide.mail.measures import certificate, mailboxes
from ispguide.mail.measures import health as healthy
from ispguide.tasks import components
from ispguide.tasks.base import guide_task

# The Fabric tasks behind the pictures; `tasks` offers them with the others.
#
# All but `travel` only look.


@guide_task
def parts(guide: Guide) -> tuple[components.PartState, ...]:
    """How every component stands, in one exchange."""
    known = [facts.ledger(), facts.proved()]
    report = guide.check(also=[*known, *components.UNITS])
    have = guide.have
    found = overview(guide.chapters, report, *(have[fact] for fact in known))
    return components.states(found, have)


def _ignore(hop: Hop) -> None:
    """Nobody watches."""


@guide_task
def travel(
    guide: Guide,
    kind: str = "letter",
    to: str = "",
    *,
    tell: Callable[[Hop], None] = _ignore,
) -> list[Hop]:
    """Send a letter (letter, spam, nobody) as a stranger does, and follow it."""
    from ispguide.proofs.journey import travel as _travel

    if guide.server.profile.replay:
        from ispguide.proofs.journey import retold

        return retold(guide, kind, tell)
    return _travel(guide, kind, to, tell)


@guide_task
def measure_queue(guide: Guide) -> list[traffic.Waiting]:
    """Who waits in Postfix's queue, the oldest first."""
    return traffic.waiting(_answers(guide, traffic.QUEUE)[0])


@guide_task
def measure_scores(guide: Guide) -> tuple[list[Judged], Settings]:
    """rspamd's newest verdicts, the oldest first, and the settings with the limits."""
    found = traffic.scores(_answers(guide, traffic.VERDICTS)[0])
    return found, guide.settings


@guide_task
def measure_mailboxes(guide: Guide) -> list[mailboxes.Box]:
    """Every mailbox with its size, the largest first."""
    return mailboxes.boxes(*_answers(guide, *mailboxes.ASKED))


@guide_task
def measure_certificate(guide: Guide) -> certificate.Certificate:
    """The life of the certificate in use."""
    fact = certificate.certificate_fact(guide.settings.cert_dir)
    return certificate.certificate(_answers(guide, fact)[0])


def _answers(guide: Guide, *asked: facts.Fact) -> list[Any]:
    """The answers of the server, in this order."""
    have = guide.exchange(tell=asked).have
    return [have[fact] for fact in asked]


# The Fabric tasks of watching: how the server is, the flow of mail, the way of a letter.


Health = tuple[list[healthy.Seen], list[traffic.Waiting]]


@guide_task
def health(guide: Guide) -> Health:
    """What the server's own look says, and who waits in the queue."""
    look = healthy.HEALTH
    have = guide.exchange(tell=[look, traffic.QUEUE]).have
    waits = have[traffic.QUEUE]
    none = Ran.of(waits).rc  # what could not be asked is an error, in words
    return healthy.health(have[look]), [] if none else traffic.waiting(waits)


@guide_task
def mail_flow(guide: Guide) -> tuple[traffic.Flow, Settings]:
    """The mail of the last days, counted by the hour; the settings with the clock."""
    have = guide.exchange(tell=[traffic.FLOW]).have
    return traffic.flow(have[traffic.FLOW]), guide.settings


@guide_task
def trace(guide: Guide, what: str, *, days: int = 0) -> list[Way]:
    """The ways of the letters that an address, Message-ID or queue id names, the
    newest first.  `days`: how far back; as long as the journal is kept."""
    what = _search_word(what)
    guide.outside.live(
        "A replay has no journal in which a letter could be looked for.",
        "A practice server has one, and so has a real one.",
        "See a recorded letter travel in chapter 9.",
    )
    lines = _lines(guide, what, days or guide.settings.log_days)
    return [way(message) for message in reversed(tracing.messages(lines))][
        : tracing.MOST
    ]


def _search_word(what: str) -> str:
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
    if why := Ran.of(answer).why:
        raise GuideError(
            f"The journal could not be searched: {why}",
            f"It was asked for {days} days.",
            "Ask for fewer: ./guide trace WHAT --days 2",
            kind="no-answer",
        )
    return list(journal.lines(said_by(answer, "The journal", "02")))
