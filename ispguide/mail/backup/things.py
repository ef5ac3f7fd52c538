"""KnownMachine and LastBackup: who keeps the backups, and how the last one went.  Pure.

The machine's key is pinned by the fingerprint that the reader compared: what a key
says that was fetched over the network proves nothing by itself.
Sources: sshd(8) (known hosts), ssh-keyscan(1), RFC 4253 6.6, RFC 4648 (base64).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ispguide.engine import facts
from ispguide.engine.actions import Action, Run, quote
from ispguide.engine.facts import Fact, Have, Ran, failed_answer
from ispguide.engine.gaps import NO_GAP, Gap, Unsure
from ispguide.engine.problems import TARGET
from ispguide.engine.things import Plain

if TYPE_CHECKING:
    from ispguide.engine.settings import Settings


# Where a backup goes and what its files are called.  Pure.
#
# `backup_to` is empty (a folder on the server itself) or user@machine:folder, as scp(1)
# writes it; any account that can do SFTP will do, and nothing has to be installed there.
# Sources: https://restic.readthedocs.io/en/v0.14.0/, ssh_config(5).


FOLDER = "/var/backups/ispguide"
SECRET = "backup"
ENVIRONMENT = "/etc/ispguide/backup.env"
PASSWORD = "/etc/ispguide/backup-password"
KEY = "/etc/ispguide/backup_ed25519"
KNOWN = "/etc/ispguide/backup_known_hosts"
#: What ssh calls the other machine; its address, user and keys stand in SSH.
ALIAS = "ispguide-backup"
SSH = "/etc/ssh/ssh_config.d/ispguide-backup.conf"
PROGRAM = "/usr/local/sbin/ispguide-backup"
UNIT, TIMER = "ispguide-backup.service", "ispguide-backup.timer"
#: Which repository this server has opened; written when it was seen to open.
OPENED = "/var/lib/ispguide/backup-repository"
#: There while this server has opened the safe of a lost one and not emptied it yet:
#: no backup is made then, or the newest one would be one of an empty server.
ADOPTED = "/var/lib/ispguide/backup-adopted"
#: How the last backup went, for people and for chapter 19.
STATE = "/var/lib/ispguide/backup.json"


def repository(s: Settings) -> str:
    """As restic wants it."""
    if not s.backup_to:
        return FOLDER
    return f"sftp:{ALIAS}:{parts(s.backup_to)[2]}"


def parts(target: str) -> tuple[str, str, str]:
    """User, machine and folder of user@machine:folder."""
    found = TARGET.fullmatch(target)
    return (found[1], found[2], found[3]) if found else ("", "", "")


# KnownMachine and LastBackup: who keeps the backups, and how the last one went.  Pure.


#: Days after which the last backup is too old, whatever the reason.
DAYS = 3
LAST = facts.run(f"date +%s; cat {STATE} 2>/dev/null || true")
EMPTIED = facts.file(ADOPTED)


def scan(machine: str, port: int) -> str:
    """The command that asks a machine for its keys."""
    return f"ssh-keyscan -T 8 -p {port} {quote(machine)} 2>/dev/null"


def fingerprints(known_hosts: str) -> list[str]:
    """SHA256:… of each key in a known_hosts file, as ssh-keygen -l prints it."""
    found = []
    for line in known_hosts.splitlines():
        words = line.split()
        if len(words) < 3 or line.startswith("#"):
            continue
        try:
            key = base64.b64decode(words[2], validate=True)
        except binascii.Error:
            continue
        digest = base64.b64encode(hashlib.sha256(key).digest()).decode()
        found.append(f"SHA256:{digest.rstrip('=')}")
    return found


@dataclass(frozen=True)
class KnownMachine(Plain):
    """Another machine is known by its key, and by no other.

    `fingerprint`: what the reader compared, or "".  `known`: the file that remembers
    it; `where`: the setting, and `cell`: where to see what the machine shows."""

    machine: str
    port: int
    fingerprint: str
    known: str = KNOWN
    where: str = "backup_fingerprint"
    cell: str = "chapter 20"

    def __str__(self) -> str:
        return f"the key of {self.machine}"

    def facts(self) -> Iterable[Fact]:
        return [facts.file(self.known)]

    def gap(self, have: Have) -> Gap:
        machine, known = self.machine, self.known
        if not self.fingerprint:
            return Gap(
                "not-compared",
                f"Nobody has compared the fingerprint of {machine} yet. Compare what the "
                f"card in {self.cell} shows with what its provider tells, and write it "
                f"into the settings as {self.where}.",
            )
        now = have[facts.file(known)]
        if why := failed_answer(now):
            return Unsure(f"Could not read {known}: {why}.")
        found = fingerprints(now.get("text", ""))
        if found == [self.fingerprint]:
            return NO_GAP
        return Gap(
            "differs" if found else "missing",
            f"{known} knows {', '.join(found) or 'no key'}. It should know the key "
            f"{self.fingerprint} of {machine}, and no other.",
        )

    def fix(self, have: Have) -> Sequence[Action]:
        """Of the keys that the machine shows, only the one that was compared is kept."""
        if not self.fingerprint:
            return ()
        known = self.known
        command = (
            f"{scan(self.machine, self.port)} | while read -r line; do\n"
            '  print=$(echo "$line" | ssh-keygen -lf - | cut -d " " -f 2)\n'
            f'  [ "$print" = {quote(self.fingerprint)} ] && echo "$line"; '
            f'echo "it shows $print" >&2\ndone > {known}.new\n'
            f"[ -s {known}.new ] && mv {known}.new {known}"
        )
        return [Run(command, touches=(known,), seconds=60)]


@dataclass(frozen=True)
class LastBackup(Plain):
    """The last backup went well, and not too long ago."""

    def __str__(self) -> str:
        return "a backup that went well"

    def facts(self) -> Iterable[Fact]:
        return [LAST, EMPTIED]

    def gap(self, have: Have) -> Gap:
        ran = Ran.of(have[LAST])
        if ran.why:
            return Unsure(f"Could not tell how the last backup went: {ran.why}.")
        if have[EMPTIED].get("kind", "none") != "none":
            return Gap(
                "waits",
                "This server has opened the backups of a lost one, and has not brought "
                "them back yet, so it makes none itself. Do that: ./guide restore server",
            )
        return _judged(*last(ran.out))

    def fix(self, have: Have) -> Sequence[Action]:
        if have[EMPTIED].get("kind", "none") != "none":
            return ()
        tell = f"{{ journalctl -u {UNIT} -n 8 --no-pager -o cat; exit 1; }}"
        return [Run(f"systemctl start {UNIT} || {tell}", seconds=36 * 3600)]

    def evidence(self, have: Have) -> str:
        _, state = last(Ran.of(have[LAST]).out)
        if not state.get("ok"):
            return ""
        return (
            f"{state['snapshot']}: {state['files']} files, {state['bytes'] >> 20} MiB, "
            f"{state['added'] >> 10} KiB new, to {state['to'].replace(ALIAS, 'the other machine')}"
        )


def _judged(now: float, state: dict[str, Any]) -> Gap:
    if not state:
        words = (
            "There is no backup yet. One is made each night; this step makes the first."
        )
        return Gap("missing", words)
    if not state["ok"]:
        return Gap(
            "failed",
            f"The last backup failed: {state['failed']}. It should go well. This step "
            f"tries it again; `journalctl -u {UNIT} -n 20` tells more.",
        )
    if (days := (now - state["time"]) / 86400) <= DAYS:
        return NO_GAP
    return Gap(
        "too-old",
        f"The last backup is {days:.0f} days old. There should be one each "
        "night. This step makes one; `systemctl list-timers` shows the next.",
    )


def last(text: str) -> tuple[float, dict[str, Any]]:
    """The server's clock and the state of the last backup; {} when there was none."""
    clock, _, state = text.partition("\n")
    return float(clock or 0), json.loads(state) if state.strip() else {}
