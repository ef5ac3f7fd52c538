"""The first command of the README: JupyterLab answers, and the practice server is up."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from ispguide import lab

from ..conftest import ended
from .conftest import ROOT


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def test_guide_opens_the_notebooks_on_a_running_practice_server(home: Path) -> None:
    port = free_port()
    with subprocess.Popen(
        [ROOT / "guide", "--no-browser", f"--port={port}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as guide:
        try:
            said = []
            for line in guide.stdout or ():
                said.append(line)
                if found := re.search(r"http://127\S+token=(\w+)", line):
                    break
            else:
                raise AssertionError("".join(said))
            asked = urllib.request.Request(
                f"http://127.0.0.1:{port}/api/contents/00-start.ipynb?content=0"
            )
            asked.add_header("Authorization", f"token {found[1]}")
            with opened(asked) as answer:
                assert json.load(answer)["name"] == "00-start.ipynb"
            without = f"http://127.0.0.1:{port}/api/contents"
            assert refused(without), "JupyterLab must ask for its token"
            assert lab.status().running
        finally:
            ended(guide)


def opened(asked: urllib.request.Request) -> Any:
    """The answer; the address is printed a moment before the door opens."""
    end = time.monotonic() + 20
    while True:
        try:
            return urllib.request.urlopen(asked)
        except urllib.error.URLError as error:
            if isinstance(error, urllib.error.HTTPError) or time.monotonic() > end:
                raise
            time.sleep(0.1)


def refused(url: str) -> bool:
    try:
        urllib.request.urlopen(url).close()
    except urllib.error.HTTPError as error:
        return error.code in (401, 403)
    return False


def test_words_of_the_command_are_passed_on(home: Path) -> None:
    done = subprocess.run(
        [ROOT / "guide", "lab", "status", "--json"], capture_output=True, text=True
    )
    assert json.loads(done.stdout)["running"] is True
