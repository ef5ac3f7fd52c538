"""Makes the recording anew: `python -m ispguide.recording`.

For whoever changes a chapter or a template; a reader never needs it.  It makes a
practice server of its own and removes it, and the file it writes belongs into the
commit.  With ISPGUIDE_TEST_HOME=FOLDER it takes the practice server of that folder,
makes it bare and leaves it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from ispguide import lab
from ispguide.chapters import GUIDE
from ispguide.engine.errors import GuideError
from ispguide.engine.guide import Guide
from ispguide.engine.profile import Profile
from ispguide.engine.server import Watch
from ispguide.recording.recorder import Recorder, Taped
from ispguide.recording.scrub import mirrors, moved, of_this_computer, scrubbed
from ispguide.replay.recording import PATH, Recording
from ispguide.tasks.base import outside_of


def record(profile: Profile, say: Watch) -> Recording:
    """The guide on the bare server of that profile, scrubbed."""
    assert profile.settings
    with (server := Taped(profile)):
        guide = Guide(server, profile.settings, GUIDE, outside_of(server))
        made = Recorder(guide, server, say).run()
    return clean(made, profile.host)


def clean(made: Recording, host: str) -> Recording:
    """Without what belongs to this computer and its practice network."""
    changes = [(c.lines, c.patches, c.ledger) for c in made.changes]
    hosts = mirrors([made.base, changes, [p.answers for p in made.proofs]])
    text = scrubbed(made.to_json(), of_this_computer() | hosts)
    return Recording.from_json(moved(text, host))


@contextmanager
def _own_home() -> Iterator[None]:
    """A folder, and so a practice server, of our own."""
    kept = os.environ.get("ISPGUIDE_TEST_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ISPGUIDE_HOME"] = kept or folder
        try:
            yield
        finally:
            if not kept:
                lab.down()


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def main() -> None:
    """Record, save, and say what is otherwise now."""
    from ispguide.recording.comparing import differences

    with _own_home():
        lab.up(_say)
        lab.reset(_say)
        made = record(Profile.load("practice"), _say)
    old = Recording.load() if PATH.is_file() else None
    changed = differences(old, made) if old else ["It is the first one."]
    made.save()
    _say("\n".join([f"Recorded into {PATH.name}.", *changed[:20]]))


if __name__ == "__main__":
    try:
        main()
    except GuideError as error:
        sys.exit(f"{error}\n{error.evidence}")
