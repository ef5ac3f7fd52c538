"""The page for the drawer: what is needed to open the backups without the server.

Pure.  It holds the password, so it is shown once, to whoever asked for it.
"""

from __future__ import annotations

from ispguide.backup.places import FOLDER, parts
from ispguide.settings import Settings


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
