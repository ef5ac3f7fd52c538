"""The Fabric tasks: what notebooks, the command line and `fab` call alike.

`fab -r ispguide -c tasks --list` shows the same tasks.  They return what
was found; under `fab`, which shows no results, they say it themselves.
Every task takes `server`, the name of a profile; the tasks reach it by that
profile's pinned key and not by fab's own host list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
from ispguide.tasks.base import HERE, facts_of, guide_task, open_guide
from ispguide.tasks.certificates import renew
from ispguide.tasks.dns import dns_propagation, dns_publish, dns_records, dns_zone
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
    "dns_propagation",
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


@guide_task(iterable=["what"])
def look(guide: Guide, what: Sequence[str] = ()) -> Report:
    """Look, and change nothing."""
    return guide.check(*what)


@guide_task
def overview(guide: Guide) -> Overview:
    """How every chapter stands, in one exchange; changes nothing."""
    report = guide.check(also=[LEDGER, facts.proved()])
    have = guide.have
    return _overview(guide.chapters, report, have[LEDGER], have[facts.proved()])


@guide_task
def follow(guide: Guide, *, watch: Watch = ignore) -> None:
    """Watch the run under way, whoever began it, to its end; changes nothing."""
    guide.exchange(wait=True, watch=watch)


@guide_task(iterable=["what"])
def apply(guide: Guide, what: Sequence[str] = (), *, watch: Watch = ignore) -> Report:
    """Make it true, and prove it."""
    return guide.apply(*what, watch=watch)


@guide_task(iterable=["what"])
def prove(guide: Guide, what: Sequence[str] = (), *, watch: Watch = ignore) -> Report:
    """Act like a user and look what happens; leave nothing behind."""
    return guide.prove(*what, watch=watch)


@guide_task
def undo(guide: Guide, step: str, *, watch: Watch = ignore) -> Report:
    """Put back the files the step replaced, and let their services read them."""
    (chosen,) = _one_step(guide, step)
    have = guide.exchange(tell=[LEDGER, *guide.facts([chosen])], wait=True).have
    later = [s for s in guide.select() if str(chosen) in map(str, guide.rests_on(s))]
    back = undoing.restores(chosen, have[LEDGER], later)
    things = guide.things(chosen)
    first, then = undoing.services(things, back, have)
    more = [a for t in things for a in getattr(t, "undone", ())]
    do = [*first, *back, *more, *then]
    refused = CannotUndo(
        f"Undoing {chosen} failed; everything is as it was before.",
        "The service should run with the older files too.",
        "Read the evidence, repair that, and undo again.",
        kind="undo-failed",
    )
    guide.must(do, undoing.UNDO + str(chosen), refused, watch)
    return guide.check(chosen)


def _one_step(guide: Guide, name: str) -> list[Any]:
    if "." not in name:
        raise GuideError(
            f"{name!r} is not one step.",
            "Undo works step by step.",
            "Write chapter.step.",
            kind="not-one-step",
        )
    return guide.select(name)


@guide_task
def history(guide: Guide) -> list[dict[str, Any]]:
    """The ledger of the server: who changed what, and when."""
    return list(guide.exchange(tell=[LEDGER]).have[LEDGER])
