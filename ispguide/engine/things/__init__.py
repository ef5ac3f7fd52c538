"""What should be true on a server, in values that touch no network.

Every thing has three parts, in the order want – have – fix: the `facts` it needs,
the `gap` it sees in the answers ("" when there is none, else what a reader is
shown), and the actions that `fix` it.  `facts` and `gap` are pure.
A thing with `follows = True` acts again after any change in its step: a service
must read what was just written.
"""

from __future__ import annotations

from ispguide.engine.things.accounts import NoSecret, ServerSecret, TypedSecret, User
from ispguide.engine.things.commands import Check, Once, Probe, Proof
from ispguide.engine.things.files import Absent, Directory, File, Link
from ispguide.engine.things.packages import Packages, apt_install
from ispguide.engine.things.services import Service, UnitRead
from ispguide.engine.things.thing import Plain, Thing

__all__ = [
    "Absent",
    "Check",
    "Directory",
    "File",
    "Link",
    "NoSecret",
    "Once",
    "Packages",
    "Plain",
    "Probe",
    "Proof",
    "ServerSecret",
    "Service",
    "Thing",
    "TypedSecret",
    "UnitRead",
    "User",
    "apt_install",
]
