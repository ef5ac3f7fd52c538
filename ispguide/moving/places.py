"""How the older server is reached, and what the move's files are called.  Pure.

It is reached by root over SSH, with a key made for this purpose and a host key that
the reader compared.  Sources: ssh_config(5), doveadm-sync(1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ispguide.backup.places import FINGERPRINT
from ispguide.names import machine_problems

if TYPE_CHECKING:
    from ispguide.settings import Settings

KEY = "/etc/ispguide/old_ed25519"
KNOWN = "/etc/ispguide/old_known_hosts"
ALIAS = "ispguide-old"
SSH = "/etc/ssh/ssh_config.d/ispguide-old.conf"
PROGRAM = "/usr/local/sbin/ispguide-move"
#: What the last look at both servers found.
STATE = "/var/lib/ispguide/moving.json"


def problems(s: Settings) -> list[str]:
    """Sentences for the form."""
    found = machine_problems(s.old_server) if s.old_server else []
    if s.old_server == s.hostname and s.old_server:
        found.append("The old server has the name of this one. Give its address.")
    if s.old_fingerprint and not FINGERPRINT.fullmatch(s.old_fingerprint):
        found.append(
            f"old_fingerprint is {s.old_fingerprint!r}. It should be SHA256: and 43 "
            "signs, as `ssh-keygen -lf` prints it on that machine."
        )
    return found
