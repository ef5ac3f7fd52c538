"""The Fabric tasks behind the pictures; `tasks` offers them with the others.

All but `travel` only look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fabric import task

from ispguide import components, facts
from ispguide.guide import Guide
from ispguide.journal import Judged
from ispguide.journey import Hop
from ispguide.measures import certificate, mailboxes, queue, scores
from ispguide.opening import PRACTICE, open_guide
from ispguide.overview import overview
from ispguide.settings import Settings


@task
def parts(
    c: Any, server: str = PRACTICE, sudo: Any = None
) -> tuple[components.PartState, ...]:
    """How every component stands, in one exchange."""
    guide = open_guide(server, sudo)
    known = [facts.ledger(), facts.proved()]
    with guide.server:
        report = guide.check(also=[*known, *components.UNITS])
    have = guide.have
    found = overview(guide.chapters, report, *(have[fact] for fact in known))
    return components.states(found, have)


def _ignore(hop: Hop) -> None:
    """Nobody watches."""


@task
def travel(
    c: Any,
    kind: str = "letter",
    to: str = "",
    server: str = PRACTICE,
    sudo: Any = None,
    tell: Callable[[Hop], None] = _ignore,
) -> list[Hop]:
    """Send a letter (letter, spam, nobody) as a stranger does, and follow it."""
    from ispguide.journey.travel import travel as _travel

    guide = open_guide(server, sudo)
    with guide.server:
        if guide.server.profile.replay:
            from ispguide.journey.retold import retold

            return retold(guide, kind, tell)
        return _travel(guide, kind, to, tell)


@task
def measure_queue(
    c: Any, server: str = PRACTICE, sudo: Any = None
) -> list[queue.Waiting]:
    """Who waits in Postfix's queue, the oldest first."""
    return queue.waiting(_asked(open_guide(server, sudo), queue.QUEUE)[0])


@task
def measure_scores(
    c: Any, server: str = PRACTICE, sudo: Any = None
) -> tuple[list[Judged], Settings]:
    """rspamd's newest verdicts, the oldest first, and the settings with the limits."""
    guide = open_guide(server, sudo)
    found = scores.scores(_asked(guide, scores.VERDICTS)[0])
    return found, guide.settings


@task
def measure_mailboxes(
    c: Any, server: str = PRACTICE, sudo: Any = None
) -> list[mailboxes.Box]:
    """Every mailbox with its size, the largest first."""
    guide = open_guide(server, sudo)
    return mailboxes.boxes(*_asked(guide, *mailboxes.ASKED))


@task
def measure_certificate(
    c: Any, server: str = PRACTICE, sudo: Any = None
) -> certificate.Certificate:
    """The life of the certificate in use."""
    guide = open_guide(server, sudo)
    fact = certificate.certificate_fact(guide.settings.cert_dir)
    return certificate.certificate(_asked(guide, fact)[0])


def _asked(guide: Guide, *asked: facts.Fact) -> list[Any]:
    """The answers of the server, in this order."""
    with guide.server:
        have = guide.exchange(tell=asked).have
    return [have[fact] for fact in asked]
