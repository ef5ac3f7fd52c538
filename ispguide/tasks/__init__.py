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

from ispguide.engine import facts
from ispguide.engine import undo as undoing
from ispguide.engine.errors import CannotUndo, GuideError
from ispguide.engine.guide import Guide
from ispguide.engine.overview import Overview
from ispguide.engine.overview import overview as _overview
from ispguide.engine.report import Report
from ispguide.engine.server import Watch, ignore
from ispguide.tasks.authentication import (
    dkim_rotate,
    dkim_turns,
    dmarc_reports,
    spf_counted,
)
from ispguide.tasks.backup import (
    backup_key,
    backup_list,
    backup_now,
    backup_target,
    restore_mailbox,
    restore_server,  # fmt: skip
)
from ispguide.tasks.base import HERE, PRACTICE, Here, facts_of, open_guide
from ispguide.tasks.certificates import renew
from ispguide.tasks.dns import dns_publish, dns_records, dns_spread, dns_zone
from ispguide.tasks.firewall import bans_lift, bans_list, measure_bans
from ispguide.tasks.migration import move_look, move_mailbox, move_next, move_target
from ispguide.tasks.people import (
    people_add,
    people_alias,
    people_enable,
    people_forget,
    people_import,
    people_list,
    people_password,
    people_plan,
    people_quota,
    people_recount,
    people_remove,
    people_senders,
)
from ispguide.tasks.report import graduate
from ispguide.tasks.settings import connect, save_settings
from ispguide.tasks.smarthost import smarthost_off, smarthost_use
from ispguide.tasks.watching import (
    health,
    mail_flow,
    measure_certificate,
    measure_mailboxes,
    measure_queue,
    measure_scores,
    parts,
    trace,
    travel,
)

__all__ = [
    "HERE",
    "LEDGER",
    "apply",
    "backup_key",
    "backup_list",
    "backup_now",
    "backup_target",
    "bans_lift",
    "bans_list",
    "connect",
    "dkim_rotate",
    "dkim_turns",
    "dmarc_reports",
    "dns_publish",
    "dns_records",
    "dns_spread",
    "dns_zone",
    "facts_of",
    "follow",
    "graduate",
    "health",
    "history",
    "look",
    "mail_flow",
    "measure_bans",
    "measure_certificate",
    "measure_mailboxes",
    "measure_queue",
    "measure_scores",
    "move_look",
    "move_mailbox",
    "move_next",
    "move_target",
    "open_guide",
    "overview",
    "parts",
    "people_add",
    "people_alias",
    "people_enable",
    "people_forget",
    "people_import",
    "people_list",
    "people_password",
    "people_plan",
    "people_quota",
    "people_recount",
    "people_remove",
    "people_senders",
    "prove",
    "renew",
    "restore_mailbox",
    "restore_server",
    "save_settings",
    "smarthost_off",
    "smarthost_use",
    "spf_counted",
    "trace",
    "travel",
    "undo",
]


LEDGER = facts.ledger()


@task(iterable=["what"])
def look(
    c: Any, what: Sequence[str] = (), server: str = PRACTICE, sudo: Any = None
) -> Report:
    """Look, and change nothing."""
    guide = open_guide(server, sudo)
    with guide.server:
        return said(c, guide.check(*what))


@task
def overview(c: Any, server: str = PRACTICE, sudo: Any = None) -> Overview:
    """How every chapter stands, in one exchange; changes nothing."""
    guide = open_guide(server, sudo)
    with guide.server:
        report = said(c, guide.check(also=[LEDGER, facts.proved()]))
        have = guide.have
    return _overview(guide.chapters, report, have[LEDGER], have[facts.proved()])


@task
def follow(
    c: Any, server: str = PRACTICE, sudo: Any = None, watch: Watch = ignore
) -> None:
    """Watch the run under way, whoever began it, to its end; changes nothing."""
    guide = open_guide(server, sudo)
    with guide.server:
        guide.exchange(wait=True, watch=watch)


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
        things = guide.things(chosen)
        first, then = undoing.services(things, back, have)
        more = [a for t in things for a in getattr(t, "undone", ())]
        do = [*first, *back, *more, *then]
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
                kind="undo-failed",
            )
        return said(c, guide.check(chosen))


def _one_step(guide: Guide, name: str) -> list[Any]:
    if "." not in name:
        raise GuideError(
            f"{name!r} is not one step.",
            "Undo works step by step.",
            "Write chapter.step.",
            kind="not-one-step",
        )
    return guide.select(name)


@task
def history(c: Any, server: str = PRACTICE, sudo: Any = None) -> list[dict[str, Any]]:
    """The ledger of the server: who changed what, and when."""
    guide = open_guide(server, sudo)
    with guide.server:
        return list(guide.exchange(tell=[LEDGER]).have[LEDGER])


def said(c: Any, report: Report) -> Report:
    """Under `fab` (a Connection or Context it made) nobody else shows the result."""
    if not isinstance(c, Here):
        print(report.text())
    return report
