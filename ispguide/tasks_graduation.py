"""The Fabric task that gathers the report to keep; `tasks` offers it with the others."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from fabric import task

from ispguide import components, facts
from ispguide.dns import coach
from ispguide.errors import GuideError
from ispguide.graduation import Graduation, Tried, gathered
from ispguide.guide import Guide
from ispguide.measures import certificate, flow, health, scores
from ispguide.opening import PRACTICE, open_guide
from ispguide.overview import overview
from ispguide.server import ignore
from ispguide.wire import Watch

T = TypeVar("T")
LEDGER, PROVED = facts.ledger(), facts.proved()


@task
def graduate(
    c: Any,
    server: str = PRACTICE,
    sudo: Any = None,
    prove: bool = True,
    watch: Watch = ignore,
) -> Graduation:
    """Look at everything and, with `prove`, run every proof; changes nothing."""
    guide = open_guide(server, sudo)
    with guide.server:
        tried = _proofs(guide, watch) if prove else ()
        watch("Looking at everything")
        return _gathered(guide, tried)


def _proofs(guide: Guide, watch: Watch) -> tuple[Tried, ...]:
    report = guide.prove(watch=watch)
    steps = [step for step in guide.select() if step.proves]
    return tuple(gathered.fresh(report, steps, guide.settings, guide.have, time.time()))


def _gathered(guide: Guide, tried: tuple[Tried, ...]) -> Graduation:
    cert = certificate.certificate_fact(guide.settings.cert_dir)
    look = health.health_fact(guide.settings)
    also = [LEDGER, PROVED, *components.UNITS, cert, look, flow.FLOW, scores.VERDICTS]
    report = guide.check(also=also)
    have, s = guide.have, guide.settings
    whole = overview(guide.chapters, report, have[LEDGER], have[PROVED])
    proofs = (step for step in guide.select() if step.proves)
    return Graduation(
        time.time(), s, whole, components.states(whole, have),
        tried or tuple(gathered.remembered(proofs, s, have[PROVED])),
        tuple(coach.rows(s, have)),
        tuple(told(lambda: health.health(have[look])) or ()),
        told(lambda: flow.flow(have[flow.FLOW])),
        told(lambda: certificate.certificate(have[cert])),
        tuple(told(lambda: scores.scores(have[scores.VERDICTS])) or ()),
        gathered.made(have[LEDGER]),
    )  # fmt: skip


def told(read: Callable[[], T]) -> T | None:
    """What could be read; a report has no page about what could not, and says so."""
    try:
        return read()
    except GuideError:
        return None
