"""The Fabric tasks about backups: make, list, bring back; `tasks` offers them.

Each looks again afterwards: what is reported was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ispguide.engine import facts
from ispguide.engine.actions import Action
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Ran
from ispguide.engine.guide import Guide
from ispguide.engine.server import Watch, ignore
from ispguide.mail.backup import restore
from ispguide.mail.backup.restore import LIST, Repository, lines
from ispguide.mail.backup.things import (
    KEY,
    LAST,
    PASSWORD,
    SECRET,
    fingerprints,
    parts,
    repository,
    scan,
)
from ispguide.mail.people import typed, valid_mailbox
from ispguide.tasks.base import guide_task

SHORTEST = 8
#: The steps after which the safe is open.
TO_RESTORE = (
    "backup.password",
    "backup.backup_target",
    "backup.repository",
    "backup.program",
)


@guide_task
def backup_list(guide: Guide) -> Repository:
    """All backups, and how the last run went; changes nothing."""
    return _repository(guide)


@guide_task
def backup_now(guide: Guide, *, watch: Watch = ignore) -> Repository:
    """A backup now, as each night's."""
    _do(guide, [restore.make_now()], "a backup", watch)
    return _repository(guide)


@guide_task
def backup_key(guide: Guide) -> list[str]:
    """The page for the drawer; the password is on it."""
    guide.look((), also=[made := facts.secret(SECRET)])
    if not guide.have[made]["made"]:
        raise GuideError(
            "There is no password for backups yet.",
            "The server makes it in the first step of the chapter.",
            "./guide apply backup",
            kind="no-password",
        )
    return lines(guide.settings, guide.server.secret(SECRET).reveal())


@dataclass(frozen=True)
class Target:
    """The other machine: the key to lay down there, and the fingerprints it shows."""

    machine: str
    public: str
    fingerprints: tuple[str, ...]
    compared: str


@guide_task
def backup_target(guide: Guide) -> Target | None:
    """What the other machine must be told, and shows; None where there is none."""
    guide.look(())
    s = guide.settings
    if not s.backup_to:
        return None
    machine = parts(s.backup_to)[1]
    asked = facts.run(scan(machine, s.backup_port)), facts.file(f"{KEY}.pub")
    have = guide.exchange(tell=asked).have
    shown = fingerprints(Ran.of(have[asked[0]]).out)
    public = have[asked[1]].get("text", "").strip()
    return Target(machine, public, tuple(shown), s.backup_fingerprint)


@guide_task
def restore_mailbox(
    guide: Guide, address: str, number: str = "latest", *, watch: Watch = ignore
) -> None:
    """The letters of a mailbox, beside what is there now: into its folder Restored."""
    address, number = valid_mailbox(address), restore.valid_number(number)
    _do(guide, [restore.mailbox(address, number)], f"restore {address}", watch)


@guide_task
def restore_server(
    guide: Guide, password: Any, number: str = "latest", *, watch: Watch = ignore
) -> None:
    """Everything from the backups of a lost server, onto a new one.

    `password`: the one from the drawer.  The settings are then the lost server's."""
    text, number = _valid(password), restore.valid_number(number)
    file = facts.file(PASSWORD)
    guide.look((), also=[file, restore.PEOPLE])
    if people := restore.lived_in(guide.have):
        raise GuideError(
            f"This server has {people} mailboxes.",
            "Everything can be brought back only onto a new server.",
            "Bring back one mailbox: ./guide restore mailbox ADDRESS",
            kind="not-empty",
        )
    there = guide.have[file]["kind"] != "none"
    _do(guide, restore.adopt(text, there), "open the safe", watch)
    _prepare(guide, watch)
    _do(guide, [restore.everything(number)], "restore everything", watch)
    guide.look(())


def _valid(password: Any) -> str:
    text = typed(password, "you are asked")
    if len(text) < SHORTEST or not text.isprintable() or "⟦" in text:
        raise GuideError(
            "That is no password of backups.",
            f"It has {SHORTEST} signs or more, in one line.",
            "Read it from the page in your drawer.",
            kind="bad-password",
        )
    return text


def _prepare(guide: Guide, watch: Watch) -> None:
    """The programs, and the safe opened; nothing that the backup brings anyway."""
    chosen = guide.select("server", "packages", *TO_RESTORE)
    report = guide.apply(*(step for step in chosen if not step.proves), watch=watch)
    if not report.ok:
        raise GuideError(
            "The new server could not be made ready for what comes back.",
            "Its packages should be installed, and the backups open with the password.",
            "Read what is missing below, mend it, then do the same again.",
            report.text(),
            kind="not-ready",
        )


def _do(guide: Guide, do: Sequence[Action], what: str, watch: Watch) -> None:
    refused = GuideError(
        f"It did not work: {what}.",
        "What was there before is still there.",
        "Read the server's words below, mend that, then do the same again.",
        kind="server-refused",
    )
    guide.must(do, f"backup: {what}", refused, watch)


def _repository(guide: Guide) -> Repository:
    guide.look((), also=[LIST, LAST])
    return restore.opened_repository(guide.have, repository(guide.settings))
