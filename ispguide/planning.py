"""What a look says of a step and what to do in it: gaps, fixes, services that follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ispguide.actions import Action
from ispguide.chapter import Step
from ispguide.facts import Have
from ispguide.gaps import Gap, Unsure
from ispguide.report import Finding
from ispguide.things import Thing

if TYPE_CHECKING:
    from ispguide.guide import Guide

Plan = list[tuple[Thing, Action]]


def is_gap(gap: Gap) -> bool:
    """ "Could not tell" is neither broken nor something to repair."""
    return bool(gap) and not isinstance(gap, Unsure)


def gaps_of(guide: Guide, step: Step) -> list[Thing]:
    """The things of the step that are not true, by the last look."""
    return [t for t in guide.things(step) if is_gap(t.gap(guide.have))]


def names_of(guide: Guide, step: Step) -> set[str]:
    """The things of the step by their names."""
    return {str(thing) for thing in guide.things(step)}


def plan_of(guide: Guide, step: Step, tried: set[str]) -> Plan:
    """Fixes of the gaps not tried yet; services follow whatever changes."""
    plan: Plan = []
    for thing in guide.things(step):
        wanted = is_gap(thing.gap(guide.have)) and str(thing) not in tried
        if wanted or (plan and thing.follows):
            plan += [(thing, action) for action in thing.fix(guide.have)]
    return plan


def together(
    guide: Guide, chosen: Sequence[Step], step: Step, plan: Plan, failed: str
) -> Plan:
    """A service's test reads all its files.  When it stumbles, the files of the other
    steps of that service are mended in the same transaction, before it; empty: there
    are none to mend."""
    services = [(t, a) for t, a in plan if t.follows]
    if failed not in {str(t) for t, _ in services}:
        return []
    others = [s for s in chosen if s != step and failed in names_of(guide, s)]
    wrong = [t for s in others for t in gaps_of(guide, s) if not t.follows]
    more = [(t, a) for t in wrong for a in t.fix(guide.have)]
    own = [(t, a) for t, a in plan if not t.follows]
    return [*own, *more, *services] if more else []


def finding(step: Step, thing: Thing, have: Have) -> Finding:
    """What the last look says about a thing."""
    gap = thing.gap(have)
    state = "unknown" if isinstance(gap, Unsure) else "gap" if gap else "ok"
    commands = tuple(a.by_hand() for a in thing.fix(have)) if state == "gap" else ()
    evidence = getattr(thing, "evidence", None)
    shown = evidence(have) if evidence and state == "ok" else ""
    return Finding(
        step.chapter,
        step.name,
        str(thing),
        state,
        str(gap),
        commands,
        evidence=shown,
        kind=gap.kind,
    )
