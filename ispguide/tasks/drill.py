"""The drill: the practice server is lost, and everything comes back from its backup.

For the practice server alone: a real one is not lost on purpose.  What a reader would
have outside the server is carried along: the folder with the backups (or the key to
the other machine), and the password from the drawer.  Nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ispguide import lab, tasks
from ispguide.chapters import GUIDE
from ispguide.engine.errors import GuideError
from ispguide.engine.profile import Profile
from ispguide.engine.report import Report
from ispguide.engine.server import ignore
from ispguide.engine.settings import Secret, Settings
from ispguide.mail.backup import inventory
from ispguide.mail.backup.inventory import FACT, Inventory
from ispguide.mail.backup.things import FOLDER, KEY, KNOWN, SECRET
from ispguide.tasks.base import PRACTICE, open_guide

Watch = Callable[[str], None]
#: The checkpoint that keeps the server as it was before the drill.
BEFORE = "before-drill"


@dataclass(frozen=True)
class Drilled:
    """What was counted before, and what is not equal now: nothing, if all went well."""

    before: Inventory
    differences: Sequence[str]


def drill(
    watch: Watch = ignore,
    fresh: Callable[..., object] = lab.reset,
    prove: bool = True,
) -> Drilled:
    """Back up, lose the server, bring everything back to a fresh one, compare, prove.

    `fresh` puts another server without people in its place: a bare one."""
    watch("Counting what the server holds, and making a backup …")
    tasks.backup_now(tasks.HERE)
    before, settings, word = _counted(), *_known()
    carried = _carried_away()
    lab.save(BEFORE, watch)
    watch("The server is lost. Here is a fresh one …")
    fresh(watch)
    _carried_back(carried)
    _same_place(settings)
    tasks.restore_server(tasks.HERE, word, watch=watch)
    watch("The guide makes the rest …")
    _all_well(tasks.apply(tasks.HERE, _steps(), watch=watch))
    # Counted before the proofs: they teach the spam filter.
    found = Drilled(before, inventory.differences(before, _counted()))
    if prove:
        _all_well(tasks.prove(tasks.HERE, watch=watch))
    return found


def _steps() -> list[str]:
    return [str(step) for chapter in GUIDE for step in chapter.steps]


def _all_well(report: Report) -> None:
    if not report.ok:
        raise GuideError(
            "Everything came back, and yet the server is not as it should be.",
            "After the drill every step and every proof should be true.",
            f"Look: ./guide check. As before: ./guide lab load {BEFORE}",
            report.text(),
            kind="not-restored",
        )


def _counted() -> Inventory:
    return inventory.inventory(tasks.facts_of(tasks.HERE, [FACT]))


def _known() -> tuple[Settings, Secret]:
    """The settings, which only say where the backups are, and the drawer's password."""
    guide = open_guide()
    with guide.server:
        guide.look(())
        return guide.settings, guide.server.secret(SECRET)


def _carried_away() -> bytes:
    """What lies outside of a server that is lost, as an archive."""
    paths = f"{FOLDER} {KEY} {KEY}.pub {KNOWN}"
    done = lab.mail_run(["sh", "-c", f"tar -cf - $(ls -d {paths} 2>/dev/null)"])
    return bytes(done.stdout)


def _carried_back(archive: bytes) -> None:
    lab.mail_run(["tar", "-xf", "-", "-C", "/"], archive)


def _same_place(old: Settings) -> None:
    """A new server is told where the backups are, and nothing else."""
    profile = Profile.load(PRACTICE)
    if profile.settings:
        where = replace(
            profile.settings,
            backup_to=old.backup_to,
            backup_port=old.backup_port,
            backup_fingerprint=old.backup_fingerprint,
        )
        profile.with_settings(where).save()
