"""The Fabric tasks of a move: where it stands, and its next stage; `tasks` offers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ispguide.engine import facts
from ispguide.engine.actions import Action, ForgetSecret, KeepSecret
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Ran
from ispguide.engine.guide import Guide
from ispguide.engine.names import machine_problems
from ispguide.engine.server import Watch, ignore
from ispguide.mail import migration
from ispguide.mail.backup.things import fingerprints, scan
from ispguide.mail.migration import KEY, LOOK, WORDS, Move
from ispguide.mail.people import typed, valid_address
from ispguide.tasks.backup import Target
from ispguide.tasks.base import guide_task


@guide_task
def move_look(guide: Guide, *, watch: Watch = ignore) -> Move:
    """Both servers, counted; nothing is changed on either."""
    return _looked(guide, watch)


@guide_task
def move_next(guide: Guide, again: bool = False, *, watch: Watch = ignore) -> Move:
    """The next stage, whichever that is by now; and where it stands afterwards.

    `again`: letters once more, at whatever stage: late ones, in the week after."""
    now = _looked(guide, watch)
    stage = "mail" if again else now.next
    if stage not in migration.VERBS:
        raise GuideError(
            f"{now.why}",
            "",
            "./guide apply dns" if now.next == "names" else "Nothing is left to do.",
            kind="not-now",
        )
    _do(guide, [migration.act(stage)], stage, watch)
    return _read(guide)


@guide_task
def move_target(guide: Guide) -> Target | None:
    """The old server: the key to lay down there, the fingerprints it shows."""
    guide.look(())
    s = guide.settings
    if not s.old_server:
        return None
    asked = facts.run(scan(s.old_server, s.old_port)), facts.file(f"{KEY}.pub")
    have = guide.exchange(tell=asked).have
    shown = fingerprints(Ran.of(have[asked[0]]).out)
    public = have[asked[1]].get("text", "").strip()
    return Target(s.old_server, public, tuple(shown), s.old_fingerprint)


@guide_task
def move_mailbox(
    guide: Guide,
    address: str,
    host: str,
    user: str,
    password: Any,
    port: int = 993,
    *,
    watch: Watch = ignore,
) -> None:
    """The letters of a mailbox at any provider that speaks IMAP, into one of ours.

    The password there is known to the server only while it fetches."""
    word, address = typed(password, "you are asked"), valid_address(address)
    if problems := machine_problems(host):
        raise GuideError(problems[0], kind="bad-name")
    fetch = migration.from_provider(address, host, port, user or address)
    do: list[Action] = [KeepSecret(migration.THERE, word), fetch]
    try:
        _do(guide, do, f"{address} from {host}", watch)
    finally:
        guide.exchange([ForgetSecret(migration.THERE)], step="moving: forget")


def _looked(guide: Guide, watch: Watch) -> Move:
    guide.look(())
    if not guide.settings.old_server:
        raise GuideError(
            "No older server is named in the settings.",
            "A move needs one.",
            "Name it in the decisions of chapter 21.",
            kind="no-old-server",
        )
    said = Ran.of(guide.exchange(tell=[LOOK]).have[LOOK])
    if said.why:
        _do(guide, [migration.look()], "look", watch)
    elif not said.ok:
        raise _failed("look", said.err)
    return _read(guide)


def _read(guide: Guide) -> Move:
    report = guide.check("dns", also=[WORDS])
    return migration.move(migration.state_of(guide.have), report.ok)


def _do(guide: Guide, do: Sequence[Action], stage: str, watch: Watch) -> None:
    guide.must(do, f"moving: {stage}", _failed(stage), watch)


def _failed(stage: str, evidence: str = "") -> GuideError:
    return GuideError(
        f"“{migration.STAGES.get(stage, stage)}” failed.",
        "Nothing was deleted, there or here.",
        "Read the servers' words below, mend that, then do the same again.",
        evidence,
        kind="server-refused",
    )
