"""The practice server and the practice internet, so that nothing has to be rented.

Two containers on a network of their own: a bare Debian 12 that is reached over
SSH like any server, and an internet of its own with name servers and an
authority for certificates.  It knows nothing of chapters and steps.
"""

from ispguide.lab.checkpoint import checkpoints, forget, load, save
from ispguide.lab.engine import LabProblem
from ispguide.lab.parts import Status
from ispguide.lab.practice import down, internet_run, mail_run, reset, status, up

__all__ = [
    "LabProblem",
    "Status",
    "checkpoints",
    "down",
    "forget",
    "internet_run",
    "load",
    "mail_run",
    "reset",
    "save",
    "status",
    "up",
]
