"""A practice server for the tests: a lab of their own, beside the reader's.

It serves tests/practice and tests/browser.  Where no container engine runs, the
suite says so and fails; nothing is skipped.
"""

from __future__ import annotations

import imaplib
import io
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from ispguide import lab, tasks
from ispguide.cli import main
from ispguide.guide import Guide
from ispguide.lab import world
from ispguide.lab.parts import current
from ispguide.profile import home as home_of_tests

from .building import Built, Yard

pytest_plugins = ["tests.suite"]

Login = Callable[[str, str], imaplib.IMAP4_SSL | None]
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Yard:
    """What all hands of this run share.

    Who works on the tests keeps it between runs: ISPGUIDE_TEST_HOME=FOLDER."""
    kept = os.environ.get("ISPGUIDE_TEST_HOME")
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return Yard(Path(kept) if kept else shared / "yard", keep=bool(kept))


@pytest.fixture(scope="session")
def home(yard: Yard) -> Iterator[Path]:
    """A folder for local state, and below it a lab that lives as long as the tests."""
    path = yard.folder / os.environ.get("PYTEST_XDIST_WORKER", "one")
    path.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISPGUIDE_HOME", str(path))
        with yard.member():
            yield path


class Cli:
    """The command line as a user types it, in this very process: to load it anew
    each time would take most of a test's time."""

    def __call__(
        self, *words: str, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        out, err, code = io.StringIO(), io.StringIO(), 0
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
            patch.setattr(sys, "argv", ["ispguide", *words])
            with redirect_stdout(out), redirect_stderr(err):
                try:
                    main()
                except SystemExit as end:
                    code = int(end.code or 0)
        return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

    def json(self, *words: str) -> dict:
        """The object printed under --json; the exit code is checked by `ok`."""
        done = self(*words, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout) | {"code": done.returncode}


@pytest.fixture(scope="session")
def cli(home: Path) -> Cli:
    return Cli()


@pytest.fixture(scope="session")
def made(home: Path, yard: Yard) -> Built:
    """What was seen while it was built; its checkpoints are at hand."""
    return yard.built()


@pytest.fixture(scope="module")
def built(made: Built, yard: Yard) -> Built:
    """The server that the notebooks built.  Each file that asks for it gets it as it
    was then, whatever the file before did to it, and need not clean up behind itself."""
    back_to_built(fresh=yard.fresh)
    yard.fresh = False
    return made


@pytest.fixture(scope="module")
def begun(home: Path, yard: Yard) -> None:
    """A server on which chapter 2 is done, for who needs no more: it is there while the
    rest is still built."""
    yard.on_the_way("begun")
    load("begun")


@pytest.fixture(scope="module")
def halfway(home: Path, yard: Yard) -> None:
    """The same with the chapters up to 7."""
    yard.on_the_way("halfway")
    load("halfway")


@pytest.fixture(scope="module")
def mostly(home: Path, yard: Yard) -> None:
    """The same with the chapters up to 13."""
    yard.on_the_way("mostly")
    load("mostly")
    rspamd_answers()


@pytest.fixture
def seat(home: Path) -> dict:
    """The practice server, as `lab status --json` describes it."""
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


def until(command: str, times: int, pause: float) -> str:
    """For `shell`: the command again and again until it succeeds, so often at most."""
    return f"for i in $(seq {times}); do {command} && exit; sleep {pause}; done; exit 1"


def rspamd_answers() -> None:
    """Return when it does: its ports are open before, and a letter would have to wait."""
    ask = "rspamc -h /run/rspamd/learn.sock stat > /dev/null 2>&1"
    shell(until(ask, 300, 0.1))


#: Where the practice internet keeps its zones as they are with the built server.
KEPT, ZONES = "/var/lib/as-built.tar", "/var/lib/bind /var/lib/rbldns"


def load(name: str) -> None:
    """The server as this checkpoint keeps it, in a practice internet, and with a switch,
    as they are in the beginning."""
    world_anew()
    world.reset_zones(current().internet)
    lab.load(name)


def back_to_built(fresh: bool = False) -> None:
    """The built server again, its DNS records published; `fresh`: so it is already."""
    world_anew()
    internet = current().internet
    published = internet.run(["test", "-e", KEPT]).returncode == 0
    if not fresh:
        put_back = f"rm -rf {ZONES} && tar -C / -xf {KEPT}"
        world.with_zones(internet, put_back if published else "practice-zones")
        lab.load("built")
    rspamd_answers()
    with (guide := tasks.open_guide()).server:
        if not (published or fresh):
            settled(guide, but=("dns", "dkim"))
            assert guide.apply("dns", "dkim.public_keys").ok
        if not published:
            world.with_zones(internet, f"tar -cf {KEPT} {ZONES}")
        settled(guide)


def ended(jupyter: subprocess.Popen[Any]) -> None:
    """JupyterLab is ended, not asked to: while it begins it may miss that, and while it
    answers somebody, as the page that looks at the folder every ten seconds, one of
    AnyIO's threads never hears of it, and Python waits for that one.  What it still says
    is read: a JupyterLab whose output nobody takes may wait for ever, too."""
    os.killpg(jupyter.pid, signal.SIGKILL)
    jupyter.communicate()


def world_anew() -> None:
    """Port 25, friend.test's mail and the switch as they are in the beginning."""
    lab.provider.open_port_25()
    lab.friend.empty()
    (home_of_tests() / "notebooks.json").unlink(missing_ok=True)  # the switch


def settled(guide: Guide, but: tuple[str, ...] = ()) -> None:
    """Return when a server that has just booted is as it was left; `but`: chapters."""
    end = time.monotonic() + 60
    while any(
        f.state not in ("ok", "unknown") and f.chapter not in but for f in guide.check()
    ):
        assert time.monotonic() < end, bad(guide.check().as_dict())
        time.sleep(0.3)
