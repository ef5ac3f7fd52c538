"""A practice server for the tests: a lab of their own, beside the reader's.

Where no container engine runs, the suite says so and fails; nothing is skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ispguide import lab, tasks
from ispguide.guide import Guide

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for local state, and below it a lab that lives as long as the tests.

    Who works on the tests keeps the lab between runs: ISPGUIDE_TEST_HOME=FOLDER."""
    kept = os.environ.get("ISPGUIDE_TEST_HOME")
    path = Path(kept) if kept else tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISPGUIDE_HOME", str(path))
        lab.up()
        yield path
        if not kept:
            lab.down()


class Cli:
    """The command line as a user types it, in the environment of the tests."""

    def __call__(
        self, *words: str, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from ispguide.cli import main; main()", *words],
            cwd=ROOT,
            input=stdin,
            capture_output=True,
            text=True,
        )

    def json(self, *words: str) -> dict:
        """The object printed under --json; the exit code is checked by `ok`."""
        done = self(*words, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout) | {"code": done.returncode}


@pytest.fixture(scope="session")
def cli(home: Path) -> Cli:
    return Cli()


@pytest.fixture(scope="session")
def built(cli: Cli, home: Path) -> dict:
    """The report of the first apply on a bare server; the server stays for all."""
    kept = home / "built.json"
    if kept.exists():
        lab.load("built")
        with (guide := tasks.open_guide()).server:
            settled(guide)
        return json.loads(kept.read_text())
    assert cli("lab", "reset").returncode == 0
    report = cli.json("apply")
    assert report["code"] == 0, bad(report)
    lab.save("built")
    kept.write_text(json.dumps(report))
    return report


@pytest.fixture
def seat(built: dict) -> dict:
    """The built practice server, as `lab status --json` describes it."""
    return lab.status().as_dict()["seats"][0]


def bad(report: dict) -> str:
    """The findings that are not well, for a failing test's message."""
    rows = [f for f in report["findings"] if f["state"] not in ("ok", "fixed")]
    return "\n".join(
        f"{f['chapter']}.{f['step']} {f['thing']}: {f['state']} {f['gap']}"
        for f in rows
    )


def shell(script: str) -> str:
    """What a sysadmin in the provider's console gets as the answer of `script`."""
    done = lab.mail_run(["sh", "-c", script])
    out, err = (
        s if isinstance(s, str) else s.decode() for s in (done.stdout, done.stderr)
    )
    assert done.returncode == 0, f"{script}\n{out}\n{err}"
    return out


def settled(guide: Guide) -> None:
    """Return when a server that has just booted is as it was left."""
    end = time.monotonic() + 60
    while not (report := guide.check()).ok:
        assert time.monotonic() < end, bad(report.as_dict())
        time.sleep(0.3)
