"""The Fabric tasks: what notebooks, the command line and `fab` call alike.

`fab -r ispguide -c tasks look --what postfix` finds the same tasks.  They return what
was found; under `fab`, which shows no results, they say it themselves.
Every task takes `server`, the name of a profile; the tasks reach it by that
profile's pinned key and not by fab's own host list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric import task
from invoke import Context

from ispguide import undoing
from ispguide.connecting import connect
from ispguide.errors import CannotUndo, GuideError
from ispguide.facts import Fact
from ispguide.guide import Guide
from ispguide.opening import PRACTICE, open_guide
from ispguide.profile import Profile
from ispguide.report import Report
from ispguide.server import Server, ignore
from ispguide.settings import PATH
from ispguide.tasks_people import (
    people_add,
    people_alias,
    people_list,
    people_password,
    people_remove,
)
from ispguide.wire import Watch

__all__ = [
    "HERE", "LEDGER", "apply", "connect", "history", "look", "open_guide", "people_add",
    "people_alias", "people_list", "people_password", "people_remove", "prove",
    "save_settings", "undo",
]  # fmt: skip

LEDGER: Fact = ("ledger",)


class Here(Context):  # type: ignore[misc]
    """The caller shows what a task returns (the command line, a notebook)."""


HERE = Here()


@task(iterable=["what"])
def look(
    c: Any, what: Sequence[str] = (), server: str = PRACTICE, sudo: Any = None
) -> Report:
    """Look, and change nothing."""
    guide = open_guide(server, sudo)
    with guide.server:
        return said(c, guide.check(*what))


@task(iterable=["what"])
def apply(
    c: Any,
    what: Sequence[str] = (),
    server: str = PRACTICE,
    sudo: Any = None,
    watch: Watch = ignore,
) -> Report:
    """Make it true, and prove it."""
    guide = open_guide(server, sudo)
    with guide.server:
        return said(c, guide.apply(*what, watch=watch))


@task(iterable=["what"])
def prove(
    c: Any,
    what: Sequence[str] = (),
    server: str = PRACTICE,
    sudo: Any = None,
    watch: Watch = ignore,
) -> Report:
    """Act like a user and look what happens; leave nothing behind."""
    guide = open_guide(server, sudo)
    with guide.server:
        return said(c, guide.prove(*what, watch=watch))


@task
def undo(
    c: Any, step: str, server: str = PRACTICE, sudo: Any = None, watch: Watch = ignore
) -> Report:
    """Put back the files the step replaced, and let their services read them."""
    guide = open_guide(server, sudo)
    with guide.server:
        (chosen,) = _one_step(guide, step)
        have = guide.exchange(tell=[LEDGER, *guide.facts([chosen])], wait=True).have
        later = [
            s for s in guide.select() if str(chosen) in map(str, guide.rests_on(s))
        ]
        back = undoing.restores(chosen, have[LEDGER], later)
        services = [t for t in guide.things(chosen) if t.follows]
        do = [*back, *(a for t in services for a in t.fix(have))]
        answer = guide.exchange(do, watch=watch, step=undoing.UNDO + str(chosen))
        if not answer.done or not answer.done["ok"]:
            evidence = (answer.done or {}).get(
                "evidence", "the server restarted meanwhile"
            )
            raise CannotUndo(
                f"Undoing {chosen} failed; everything is as it was before.",
                "The service should run with the older files too.",
                "Read the evidence, repair that, and undo again.",
                evidence,
            )
        return said(c, guide.check(chosen))


def _one_step(guide: Guide, name: str) -> list[Any]:
    if "." not in name:
        raise GuideError(
            f"{name!r} is not one step.",
            "Undo works step by step.",
            "Write chapter.step.",
        )
    return guide.select(name)


@task
def history(c: Any, server: str = PRACTICE, sudo: Any = None) -> list[dict[str, Any]]:
    """The ledger of the server: who changed what, and when."""
    guide = open_guide(server, sudo)
    with guide.server:
        return list(guide.exchange(tell=[LEDGER]).have[LEDGER])


@task
def save_settings(
    c: Any, settings: Any, server: str = PRACTICE, sudo: Any = None
) -> None:
    """Keep other settings, on the server and in the profile."""
    from ispguide.actions import Action, MakeDirectory, Write

    settings.checked()
    profile = Profile.load(server)
    with Server(profile, sudo) as there:
        do: list[Action] = [
            MakeDirectory("/etc/ispguide"),
            Write(PATH, settings.to_toml()),
        ]
        answer = there.exchange(do, step="settings")
        if not answer.done or not answer.done["ok"]:
            raise GuideError(
                "The settings could not be written.", evidence=str(answer.done)
            )
    profile.with_settings(settings).save()


def said(c: Any, report: Report) -> Report:
    """Under `fab` (a Connection or Context it made) nobody else shows the result."""
    if not isinstance(c, Here):
        print(report.text())
    return report
