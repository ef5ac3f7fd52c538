"""A practice server for the tests: a lab of their own, beside the reader's.

It serves tests/practice and tests/browser.  Where no container engine runs, the
suite says so and fails; nothing is skipped.
"""

from __future__ import annotations

import imaplib
import json
import os
import ssl
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ispguide import lab, tasks
from ispguide.guide import Guide

Login = Callable[[str, str], imaplib.IMAP4_SSL | None]
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for local state, and below it a lab that lives as long as the tests.

    Who works on the tests keeps the lab between runs: ISPGUIDE_TEST_HOME=FOLDER."""
    kept = os.environ.get("ISPGUIDE_TEST_HOME")
    hand = os.environ.get("PYTEST_XDIST_WORKER", "")
    path = Path(kept) / hand if kept else tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISPGUIDE_HOME", str(path))
        _up()
        yield path
        if not kept:
            lab.down()


def _up() -> None:
    """Have the lab; as the error says, try again, before every test is lost by it."""
    try:
        lab.up()
    except lab.LabProblem as problem:
        warnings.warn(f"{problem}\n{problem.evidence}", stacklevel=1)
        lab.up()


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
        back_to_built()
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


@pytest.fixture
def tls(seat: dict) -> ssl.SSLContext:
    """Somebody's mail program: it dials an address and checks the name."""
    context = ssl.create_default_context(cafile=lab.status().as_dict()["ca_file"])
    original, name = context.wrap_socket, seat["hostname"]
    vars(context)["wrap_socket"] = lambda sock, **more: original(
        sock, **{**more, "server_hostname": name}
    )
    return context


@pytest.fixture
def login(seat: dict, tls: ssl.SSLContext) -> Login:
    """A visit to a mailbox by IMAPS; None for who is not let in."""

    def _login(who: str, password: str) -> imaplib.IMAP4_SSL | None:
        box = imaplib.IMAP4_SSL(seat["address"], 993, ssl_context=tls)
        try:
            box.authenticate("PLAIN", lambda _: f"\0{who}\0{password}".encode())
        except imaplib.IMAP4.error:
            return None
        return box

    return _login


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


def back_to_built() -> None:
    """The built server again, also after a reset, which takes its DNS records."""
    lab.load("built")
    with (guide := tasks.open_guide()).server:
        settled(guide, but=("dns", "dkim"))
        assert guide.apply("dns", "dkim.public_keys").ok
        settled(guide)


def settled(guide: Guide, but: tuple[str, ...] = ()) -> None:
    """Return when a server that has just booted is as it was left; `but`: chapters."""
    end = time.monotonic() + 60
    while any(
        f.state not in ("ok", "unknown") and f.chapter not in but for f in guide.check()
    ):
        assert time.monotonic() < end, bad(guide.check().as_dict())
        time.sleep(0.3)
