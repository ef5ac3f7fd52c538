"""The practice server and the practice internet, so that nothing has to be rented.

Two containers on a network of their own: a bare Debian 12 that is reached over
SSH like any server, and an internet of its own: name servers, an authority for
certificates, a provider elsewhere (`friend`), a spammer, a block list, and what the
server's own provider may do to it.  It knows nothing of chapters and steps.
"""

from ispguide.lab import blocklist, friend, guesser, provider, spammer
from ispguide.lab.checkpoint import checkpoints, forget, load, save
from ispguide.lab.engine import LabProblem
from ispguide.lab.practice import down, internet_run, mail_run, reset, status, up
from ispguide.lab.where import Status

__all__ = [
    "LabProblem",
    "Status",
    "blocklist",
    "checkpoints",
    "down",
    "forget",
    "friend",
    "guesser",
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
