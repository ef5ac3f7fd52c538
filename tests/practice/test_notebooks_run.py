"""The notebooks, executed by nbclient as a learner would by Run All."""

from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat
import pytest

from ispguide import lab, tasks

from .conftest import ROOT, shell

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FILES = (
    "find /etc /usr/local /var/spool/postfix/private /var/www /var/vmail -xdev "
    "\\( -type f -o -type l \\) -printf '%p %m %u %g %s %l\\n' | sort | sha256sum; "
    "find /etc /usr/local /var/www -xdev -type f -exec sha256sum {} + | sort | sha256sum; "
    "postconf -n | sha256sum; mariadb-dump --skip-dump-date mailserver | sha256sum; "
    "cat /var/lib/ispguide/ledger.jsonl | sha256sum"
)


def run_all(path: Path, cells: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The text of every output; an exception in a cell fails the test."""
    monkeypatch.setenv("ISPGUIDE_CELLS", cells)
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    outputs = [o for c in notebook.cells for o in c.get("outputs", ())]
    return [o["data"]["text/plain"] if "data" in o else str(o) for o in outputs]


@pytest.fixture(scope="module")
def fresh(home):
    lab.reset()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_make_it_so_builds_the_server(fresh, path, monkeypatch):
    outputs = run_all(path, "do", monkeypatch)
    assert not [o for o in outputs if "✗" in o or "‖" in o]


def test_now_everything_is_true(fresh):
    report = tasks.look(tasks.HERE)
    assert report.ok, report.text()


def test_look_only_changes_nothing_at_all(fresh, monkeypatch):
    before = shell(FILES)
    for path in NOTEBOOKS:
        run_all(path, "look", monkeypatch)
    assert shell(FILES) == before
