"""The replay: a recorded run answers instead of a server, and nothing is changed.

For whoever wants to look around without an engine, root or network, and for Binder.
The recording is of a real run on a practice server (`python -m ispguide.recording`),
and a test makes it anew and compares.  It answers what was asked then; to anything else
it says that it does not know.
"""

from __future__ import annotations

from ispguide.replay.recording import Change, Recording, recorded
from ispguide.replay.server import NotRecorded, Recorded, Replay, profile, start

__all__ = [
    "Change",
    "NotRecorded",
    "Recorded",
    "Recording",
    "Replay",
    "profile",
    "recorded",
    "start",
]
