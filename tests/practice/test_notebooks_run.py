"""The notebooks, executed by nbclient as a learner would by Run All.

How they are executed, and when, is in tests/building.py: they build the server that all
other tests have.
"""

from __future__ import annotations

import pytest

from ispguide import tasks
from ispguide.chapters import GUIDE
from ispguide.recording.comparing import otherwise, states
from ispguide.replay import recorded

from ..building import NOTEBOOKS, compared, run_all, steps_until
from .conftest import shell

FILES = (
    "find /etc /usr/local /var/spool/postfix/private /var/www /var/vmail -xdev "
    "\\( -type f -o -type l \\) -printf '%p %m %u %g %s %l\\n' | sort | sha256sum; "
    "find /etc /usr/local /var/www -xdev -type f -exec sha256sum {} + | sort | sha256sum; "
    "postconf -n | sha256sum; mariadb-dump --skip-dump-date mailserver | sha256sum; "
    "cat /var/lib/ispguide/ledger.jsonl | sha256sum"
)
RENEW = "If that is meant, renew it: .venv/bin/python -m ispguide.recording"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_make_it_so_builds_the_server(built, path):
    outputs = built.shown[path.stem]
    assert not [o for o in outputs if "✗" in o or "‖" in o]


@pytest.mark.parametrize("chapter", GUIDE, ids=lambda chapter: chapter.name)
def test_after_each_chapter_the_recording_tells_what_is_so(built, chapter):
    """Each thing stands on the real server as the replay says."""
    then = states(recorded(), steps_until(chapter), *compared(chapter))
    wrong = otherwise(then, built.after[chapter.name])
    assert not wrong, f"After {chapter.name} (recorded, so): {wrong}. {RENEW}"


def test_now_everything_is_true(built):
    report = tasks.look(tasks.HERE)
    assert report.ok, report.text()


#: Those that look at more than their steps: at records, bans, people, backups.
LOOKS = ("14", "16", "18", "20")


def test_look_only_changes_nothing_at_all(built, thorough):
    before = shell(FILES)
    few = [path for path in NOTEBOOKS if path.stem.startswith(LOOKS)]
    run_all(*(NOTEBOOKS if thorough else few), cells="look")
    assert shell(FILES) == before
