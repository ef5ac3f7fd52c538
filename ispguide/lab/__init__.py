"""The practice server and the practice internet, so that nothing has to be rented.

Two containers on a network of their own: a bare Debian 12 that is reached over
SSH like any server, and an internet of its own: name servers, an authority for
certificates, a provider elsewhere (`friend`), a spammer, a block list, and what the
server's own provider may do to it.  It knows nothing of chapters and steps.
"""

from __future__ import annotations

from ispguide.lab import friend, provider, spammer
from ispguide.lab.engine import LabProblem
from ispguide.lab.filling import Status
from ispguide.lab.practice import (
    checkpoints,
    down,
    forget,
    internet_run,
    load,
    mail_run,
    reset,
    save,
    status,
    up,
)

__all__ = [
    "LabProblem",
    "Status",
    "checkpoints",
    "down",
    "forget",
    "friend",
    "internet_run",
    "load",
    "mail_run",
    "provider",
    "reset",
    "save",
    "spammer",
    "status",
    "up",
]
