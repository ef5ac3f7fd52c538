"""JupyterLab as a reader has it, in Debian's Chromium, on the practice server.

One JupyterLab and one browser for all of these tests; each has a page and kernels of
its own.  JupyterLab works on a copy of the notebooks.  Where Chromium is missing, the
tests say so and fail; nothing is skipped.
Source: https://playwright.dev/python/docs/api/class-playwright
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from ispguide import lab

from ..conftest import ROOT, ended, world_anew
from . import unshaken
from .reader import NOTEBOOKS, Desk, Reader

# Not five seconds: on a busy computer JupyterLab needs longer for many a thing.
expect.set_options(timeout=30_000)

#: Without a screen to draw on, it takes a quarter less of a processor.
CHROMIUM = "chromium-headless-shell"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


@contextmanager
def jupyter(home: Path, words: list[str], log: Path) -> Iterator[Desk]:
    """A Jupyter on a copy of the notebooks; `words` begin it.

    Its page can be told what to do, see Reader.open."""
    copy = home / "notebooks-of-tests"
    exposed = home / "exposed"
    exposed.mkdir(exist_ok=True)
    told = dict.fromkeys(
        ("LabApp", "JupyterNotebookApp"), {"expose_app_in_browser": True}
    )
    (exposed / "jupyter_config.json").write_text(json.dumps(told))
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(NOTEBOOKS, copy)
    port = free_port()
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, *words, f"--port={port}"],
            env=os.environ
            | {"ISPGUIDE_NOTEBOOKS": str(copy), "JUPYTER_CONFIG_PATH": str(exposed)},
            cwd=ROOT,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        desk = Desk(f"http://127.0.0.1:{port}", token(process, log), copy)
        yield desk
        desk.end_kernels()
    finally:
        ended(process)


def token(process: subprocess.Popen[bytes], log: Path) -> str:
    """What JupyterLab says when it is ready."""
    end = time.monotonic() + 60
    while not (found := re.search(r"http://127\S+token=(\w+)", log.read_text())):
        assert process.poll() is None and time.monotonic() < end, log.read_text()
        time.sleep(0.05)
    return found[1]


@pytest.fixture(scope="session")
def desk(home: Path) -> Iterator[Desk]:
    """JupyterLab as ./guide starts it."""
    code = "from ispguide.cli import main; main()"
    words = ["-c", code, "start", "--no-browser"]
    with jupyter(home, words, home / "jupyterlab.log") as found:
        yield found


@contextmanager
def chromiums(folder: Path) -> Iterator[Callable[..., Browser]]:
    """Starts a browser with these words on its command line; see unshaken.py."""
    path = shutil.which(CHROMIUM)
    assert path, f"Chromium is missing; Debian has it: apt install {CHROMIUM}"
    start = folder / CHROMIUM
    command = shlex.join([sys.executable, unshaken.__file__, path])
    start.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    start.chmod(0o755)
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        launch = playwright.chromium.launch
        yield lambda *words: launch(executable_path=start, args=[*as_root, *words])


@pytest.fixture(scope="session")
def start_chromium(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., Browser]]:
    with chromiums(tmp_path_factory.mktemp("browser")) as start:
        yield start


@pytest.fixture(scope="session")
def chromium(start_chromium: Callable[..., Browser]) -> Iterator[Browser]:
    with start_chromium() as browser:
        yield browser


SIZE: ViewportSize = {"width": 1280, "height": 900}


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A window with nothing remembered."""
    with chromium.new_context(viewport=SIZE) as context:
        yield context.new_page()


@pytest.fixture(scope="session")
def window(chromium: Browser) -> Iterator[Page]:
    """A window that stays open: the reader's, from one test to the next."""
    with chromium.new_context(viewport=SIZE) as context:
        yield context.new_page()


@pytest.fixture
def reader(
    window: Page, desk: Desk, request: pytest.FixtureRequest
) -> Iterator[Reader]:
    """Somebody at JupyterLab; the kernels end with the test, its last sight is kept."""
    window.set_viewport_size(SIZE)
    reader = Reader(window, desk)
    yield reader
    reader.picture(f"end-of-{request.node.name}")
    reader.leave()
    desk.end_kernels()
    desk.renew()


@pytest.fixture(scope="module")
def bare(home: Path) -> None:
    """A fresh server."""
    world_anew()
    lab.reset()
