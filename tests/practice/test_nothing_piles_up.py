"""Re-runs, broken lines and new kernels leave one card and nothing else behind.

A kernel without a browser, on a server that has begun.  What is left over is counted
where it would lie: cards, widgets, threads and connections in the kernel, sessions,
programs and units on the server.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

from .conftest import ROOT, shell, until

STEP = "name = chapter('server').step('the_name')"
BEGIN = f"""
import json, threading, psutil
from ipywidgets.widgets.widget import _instances
from ispguide.notebook import chapter
from ispguide.notebook.card import CARDS
from tests.practice import driven
{STEP}
driven.at_rest()
"""
#: What a kernel holds; the shell's own threads and sockets are counted with it.
HELD = """json.dumps({
    "cards": sorted(CARDS), "widgets": len(_instances),
    "threads": threading.active_count(),
    "lines": sum(c.status == "ESTABLISHED" and c.raddr.port == 22
                 for c in psutil.Process().net_connections("inet")),
    "heading": name.head.value})"""
#: Sessions of people, programs of the guide and its units, on the server.
LEFT = (
    "ss -Htn state established '( sport = :22 )'; pgrep -af '[p]ython3 -IS -c';"
    " systemctl list-unit-files --no-legend --state=transient 'ispguide-*'"
)
#: Ends the next line that begins.
BREAK = until("pkill -f '^sshd: root@notty'", 1000, 0.02)


def ignored(message: dict) -> None:
    """What a cell shows; here nobody reads it."""


class Kernel:
    """A kernel as JupyterLab starts it, without anything in front."""

    def __init__(self) -> None:
        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel(cwd=str(ROOT))
        self._listen()

    def _listen(self) -> None:
        self._talk: BlockingKernelClient = self._manager.client()
        self._talk.start_channels()
        self._talk.wait_for_ready(60)

    def run(self, code: str) -> None:
        """A cell, until its prompt has a number; its card may still work."""
        reply = self._talk.execute_interactive(code, timeout=60, output_hook=ignored)
        assert reply["content"]["status"] == "ok", reply["content"]

    def held(self) -> dict:
        """What it holds when nothing is under way."""
        self.run("driven.alone()")
        asked = {"held": HELD}
        reply = self._talk.execute_interactive(
            "", user_expressions=asked, timeout=60, output_hook=ignored
        )
        said = reply["content"]["user_expressions"]["held"]
        assert said["status"] == "ok", said
        return json.loads(eval(said["data"]["text/plain"]))

    def restart(self) -> None:
        """Killed in the middle of whatever it does, and a new one in its place."""
        self._talk.stop_channels()
        self._manager.restart_kernel(now=True)
        self._listen()

    def end(self) -> None:
        self._talk.stop_channels()
        self._manager.shutdown_kernel(now=True)


@pytest.fixture
def times(pytestconfig: pytest.Config) -> int:
    """Often enough to see something pile up."""
    return 50 if pytestconfig.getoption("thorough") else 8


@pytest.fixture
def kernel(begun: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    monkeypatch.delenv("ISPGUIDE_CELLS", raising=False)
    kernel = Kernel()
    yield kernel
    kernel.end()


def nothing_left() -> None:
    """The server has let go of everybody; sshd needs a moment for it."""
    end = time.monotonic() + 15
    while left := shell(f"{LEFT}; true"):
        assert time.monotonic() < end, left
        time.sleep(0.1)


def well(held: dict) -> bool:
    return "the name" in held["heading"] and "true" in held["heading"]


@pytest.mark.thorough
def test_the_same_cell_again(kernel, times):
    kernel.run(BEGIN)
    first = kernel.held()
    for _ in range(times):
        kernel.run(STEP)
    assert kernel.held() == first and well(first)
    assert first["lines"] == 0
    nothing_left()


def test_a_line_that_breaks_each_time(kernel, times):
    """Who breaks it waits for it to begin, and the cell runs until that was seen: a
    look may be over before anybody on the server has been woken."""
    kernel.run(BEGIN)
    first = kernel.held()
    with ThreadPoolExecutor(1) as pool:
        for _ in range(times):
            nothing_left()
            broken = pool.submit(shell, BREAK)
            while not broken.done():
                kernel.run(STEP)
                assert kernel.held() == first
            broken.result()
    nothing_left()


def test_a_new_kernel_in_the_middle_each_time(kernel, times):
    for _ in range(times):
        kernel.run("from ispguide.notebook import chapter")
        kernel.run(STEP)
        kernel.restart()
    kernel.run(BEGIN)
    held = kernel.held()
    assert well(held) and held["lines"] == 0
    assert held["cards"] == ["server.chapter", "server.the_name"]
    nothing_left()
