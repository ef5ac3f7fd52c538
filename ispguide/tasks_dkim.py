"""The tasks about keys: where a rotation stands, and its next stage.

Exported from `tasks.py`.  What they return is data; notebook and command line show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric import task

from ispguide.dkim import rotation
from ispguide.dkim.rotation import QUEUE, Turn
from ispguide.errors import GuideError
from ispguide.guide import Guide
from ispguide.opening import PRACTICE, open_guide
from ispguide.publishing import Key
from ispguide.server import ignore
from ispguide.wire import Watch


@task
def dkim_turns(c: Any, server: str = PRACTICE, sudo: Any = None) -> list[Turn]:
    """Where the rotation of each domain's key stands; changes nothing."""
    guide = open_guide(server, sudo)
    with guide.server:
        return _turns(guide)


@task
def dkim_rotate(
    c: Any,
    domain: str = "",
    server: str = PRACTICE,
    sudo: Any = None,
    key: Key | None = None,
    watch: Watch = ignore,
) -> list[Turn]:
    """The next stage of the rotation of a domain (the first one's, if none is named),
    and where it stands afterwards."""
    guide = open_guide(server, sudo, key)
    with guide.server:
        now = _turn_of(_turns(guide), domain or guide.settings.domain)
        if not now.doable:
            raise _not_now(now)
        do = rotation.actions(guide.have, now, guide.settings)
        done = guide.exchange(do, watch=watch, step=f"dkim.rotation: {now.next}").done
        if done is None or not done["ok"]:
            raise GuideError(
                f"The next stage for {now.domain} ({rotation.STAGES[now.next]}) failed.",
                "Everything is as it was before it, and letters are signed as before.",
                "Read the server's words below, mend that, then do the same again.",
                (done or {}).get("evidence", "The server restarted meanwhile."),
                kind="server-refused",
            )
        return _turns(guide)


def _turns(guide: Guide) -> list[Turn]:
    guide.look(guide.select("dkim.public_keys"), also=[QUEUE])
    found = rotation.turns(guide.have, guide.settings)
    if not found:
        raise GuideError(
            "It could not be told which domains and keys the server has.",
            "The chapters up to the database should be true first.",
            "./guide check dkim",
            kind="no-answer",
        )
    return found


def _turn_of(found: Sequence[Turn], domain: str) -> Turn:
    for one in found:
        if one.domain == domain:
            return one
    raise GuideError(
        f"{domain} is no mail domain of this server.",
        f"They are {', '.join(t.domain for t in found)}.",
        "Name one of them.",
        kind="no-such-domain",
    )


def _not_now(now: Turn) -> GuideError:
    if now.next == "wait":
        when = f"in {rotation.spoken(now.wait)}" if now.wait else "when they are gone"
        return GuideError(
            f"{now.domain}: the old key cannot go yet. {now.why}",
            "It stays in the DNS until nobody needs it; letters are signed with the new one.",
            f"Come back {when}. Nothing needs to stay open until then.",
            kind="not-yet",
        )
    return GuideError(
        f"{now.domain}: the next stage cannot be done from here. {now.why}",
        "",
        "Do that, then look again.",
        kind="not-from-here",
    )
