"""The tasks about those who are shut out: who they are, and to let one in again.

Exported from `tasks`.
"""

from __future__ import annotations

from ispguide.engine.actions import Run, quote
from ispguide.engine.errors import GuideError
from ispguide.engine.guide import Guide
from ispguide.mail.measures.bans import ASKED, BANNED, Ban, Guarding, bans, guarding
from ispguide.tasks.base import guide_task


@guide_task
def bans_list(guide: Guide) -> tuple[Ban, ...]:
    """Who is shut out now, the latest first."""
    return _now(guide)


@guide_task
def bans_lift(guide: Guide, who: str = "") -> tuple[Ban, ...]:
    """Let somebody in again, and who is shut out then."""
    if who not in {ban.who for ban in _now(guide)}:
        raise GuideError(
            f"{who} is not shut out.",
            "Only who is shut out can be let in.",
            "./guide bans shows who that is.",
            kind="not-banned",
        )
    lift = Run(f"fail2ban-client unban {quote(who)}")
    refused = GuideError(
        f"{who} was not let in.",
        "fail2ban should take the address off its list.",
        "Read its words below; the step bans starts it anew.",
        kind="server-refused",
    )
    guide.must([lift], f"brute_force: let in {who}", refused)
    return _now(guide)


@guide_task
def measure_bans(guide: Guide) -> Guarding:
    """Guesses within a day, and who is shut out."""
    have = guide.exchange(tell=ASKED).have
    return guarding(*(have[fact] for fact in ASKED))


def _now(guide: Guide) -> tuple[Ban, ...]:
    return bans(guide.exchange(tell=[BANNED]).have[BANNED])
