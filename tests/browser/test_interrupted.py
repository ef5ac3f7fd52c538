"""What happens to a long run when the line breaks, or the kernel goes."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from ispguide import tasks

from ..conftest import shell, until

INSTALL = 'packages.step("install")'


@pytest.fixture
def step(halfway, reader):
    """The step that installs, after a big package went missing."""
    shell("dpkg --force-depends --purge rspamd >/dev/null 2>&1; true")
    return opened(reader)


@pytest.fixture
def nothing_installed(bare) -> None:
    """A server on which chapter 2 is done and nothing more."""
    assert tasks.apply(tasks.HERE, ["server"]).ok


def opened(reader):
    """The card of the step; its cell was run, and it is at work."""
    reader.open("03-packages")
    reader.run_cell("from ispguide.notebook import chapter")
    reader.run_cell(INSTALL)
    return reader.card("install")


@contextmanager
def deaf_sshd(seconds: float) -> Iterator[None]:
    """Every session is cut, and nobody is let in for so long."""
    shell(
        "kill -STOP $(cat /run/sshd.pid)\n" + until("pkill -f '^sshd: root'", 100, 0.05)
    )
    again = threading.Timer(seconds, shell, ["kill -CONT $(cat /run/sshd.pid)"])
    again.start()
    yield
    again.join()


@pytest.mark.thorough
def test_a_broken_line_is_told_and_the_step_ends_true(step, reader):
    expect(step.live).to_contain_text(
        re.compile(r"package \d+ of \d+|Reading"), timeout=30_000
    )
    with deaf_sshd(3):
        expect(step.live).to_contain_text("The connection broke", timeout=10_000)
        reader.picture("broken-line")
    step.expect("made true", 120)
    reader.at_rest()
    assert shell("dpkg --audit") == ""


@pytest.mark.thorough
def test_a_new_kernel_finds_the_run_again(nothing_installed, reader):
    card = opened(reader)
    expect(card.live).to_contain_text(
        re.compile(r"(unpacking|setting up) package"), timeout=60_000
    )
    reader.restart_kernel()
    reader.run_cell("from ispguide.notebook import chapter")
    reader.run_cell(INSTALL)
    expect(card.live).to_contain_text(re.compile(r"package \d+ of \d+"), timeout=30_000)
    reader.picture("found-again")
    card.expect("true", 180)
    reader.at_rest()
    assert shell("dpkg --audit") == ""
    assert shell("systemctl list-units --no-legend 'ispguide-*'") == ""
