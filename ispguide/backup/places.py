"""Where a backup goes and what its files are called.  Pure.

`backup_to` is empty (a folder on the server itself) or user@machine:folder, as scp(1)
writes it; any account that can do SFTP will do, and nothing has to be installed there.
Sources: https://restic.readthedocs.io/en/v0.14.0/, ssh_config(5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ispguide.problems import TARGET

if TYPE_CHECKING:
    from ispguide.settings import Settings

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
