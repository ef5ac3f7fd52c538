"""Backups as the reader meets them: a list of them, and the way back.  Pure.

What is done on the server is done by the program of chapter 20, which can also be
called by hand.  Sources: restic(1), doveadm-import(1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath as Path
from typing import Any

from ispguide.engine import facts
from ispguide.engine.actions import Action, KeepSecret, Remove, Run, quote
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Have, Ran
from ispguide.engine.settings import Settings
from ispguide.mail.backup.things import (
    ADOPTED,
    ENVIRONMENT,
    FOLDER,
    LAST,
    OPENED,
    PASSWORD,
    PROGRAM,
    SECRET,
    UNIT,
    last,
    parts,
)

# The page for the drawer: what is needed to open the backups without the server.
#
# Pure.  It holds the password, so it is shown once, to whoever asked for it.


def lines(s: Settings, password: str) -> list[str]:
    """What to write down, or to print and lay into a drawer."""
    return [
        f"The backups of {s.hostname}",
        f"  password   {password}",
        f"  place      {_place(s)}",
        *_machine(s),
        "Without the server, on any computer with restic:",
        f"  restic -r {_by_hand(s)} snapshots",
        "A new server in its place: chapter 20, “When the server is lost”.",
    ]


def _place(s: Settings) -> str:
    return s.backup_to or f"{FOLDER} on the server itself: copy it elsewhere"


def _machine(s: Settings) -> list[str]:
    if not s.backup_to:
        return []
    own = "your own login there: the server's key is lost with the server"
    return [
        f"  port       {s.backup_port}",
        f"  its key    {s.backup_fingerprint}",
        f"  and        {own}",
    ]


def _by_hand(s: Settings) -> str:
    if not s.backup_to:
        return "FOLDER"
    user, host, folder = parts(s.backup_to)
    # After the port one slash begins a path in the home folder, two an absolute one.
    return f"sftp://{user}@{host}:{s.backup_port}/{folder}"


# Backups as the reader meets them: a list of them, and the way back.  Pure.


LIST = facts.run(
    f"set -a; . {ENVIRONMENT}; restic --quiet snapshots --json --tag ispguide"
)
HOURS = 3600
#: What `--from` may be: a snapshot's number in hexadecimal, or the latest.
NUMBER = re.compile(r"latest|[0-9a-f]{4,64}")


@dataclass(frozen=True)
class Snapshot:
    """One backup: its number, and when it was made (seconds since 1970)."""

    number: str
    time: float


@dataclass(frozen=True)
class Repository:
    """All backups, oldest first, how the last run went, and where they are.

    `now`: the server's clock."""

    snapshots: tuple[Snapshot, ...]
    state: dict[str, Any]
    now: float
    repository: str


def opened_repository(have: Have, repository: str) -> Repository:
    """What the server says; GuideError when the safe could not be opened."""
    ran = Ran.of(have[LIST])
    if not ran.ok:
        raise GuideError(
            "The backups cannot be listed.",
            "The chapter about backups should be true first.",
            "./guide apply backup",
            ran.err,
            kind="no-answer",
        )
    now, state = last(Ran.of(have[LAST]).out)
    rows = [_snapshot(row) for row in json.loads(ran.out or "null") or ()]
    return Repository(tuple(sorted(rows, key=lambda r: r.time)), state, now, repository)


def _snapshot(row: dict[str, Any]) -> Snapshot:
    """Go writes nanoseconds, which Python does not read."""
    moment = re.sub(r"\.\d+", "", row["time"])
    return Snapshot(row["short_id"], datetime.fromisoformat(moment).timestamp())


def valid_number(text: str) -> str:
    """A snapshot's number as restic lists it; GuideError for anything else."""
    if not NUMBER.fullmatch(text):
        raise GuideError(
            f"{text!r} is no number of a backup.",
            "It should be one of those that ./guide backup list shows.",
            "Leave it out to take the latest.",
            kind="no-such-backup",
        )
    return text


def make_now() -> Run:
    """A backup now, as each night's."""
    tell = f"{{ journalctl -u {UNIT} -n 8 --no-pager -o cat; exit 1; }}"
    return Run(f"systemctl start {UNIT} || {tell}", seconds=36 * HOURS)


def mailbox(address: str, number: str) -> Run:
    """The letters of a mailbox, into its folder Restored."""
    return Run(f"{PROGRAM} mailbox {quote(address)} {number}", seconds=12 * HOURS)


def everything(number: str) -> Run:
    """All of it, onto a new machine."""
    return Run(f"{PROGRAM} server {number}", seconds=36 * HOURS)


def adopt(password: str, there: bool) -> Sequence[Action]:
    """The password of a lost server's safe.  `there`: the file with another one is, and
    goes first, while that is still hidden in it."""
    old = [Remove(PASSWORD)] if there else []
    mark = f"mkdir -p -m 0700 {Path(ADOPTED).parent}; rm -f {OPENED}; touch {ADOPTED}"
    return [*old, Run(mark), KeepSecret(SECRET, password)]


#: How many mailboxes there are, but for those that the guide makes for itself.
PEOPLE = facts.sql(
    "SELECT COUNT(*) FROM mailserver.virtual_users "
    "WHERE email NOT LIKE 'dmarc@%' AND email NOT LIKE 'ispguide-proof-%'"
)


def lived_in(have: Have) -> int:
    """The mailboxes that are there; none where there is no database yet."""
    rows = have[PEOPLE].get("rows")
    return int(rows[0][0]) if rows else 0
