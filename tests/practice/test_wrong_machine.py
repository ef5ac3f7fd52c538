"""Servers that are not what the guide is for: it says so, and touches nothing."""

from __future__ import annotations

import pytest

from ispguide import lab
from ispguide.chapters.server import DEBIAN_12, DISK

from .conftest import bad, shell


@pytest.fixture
def bare(home):
    """A fresh server."""
    lab.reset()


#: /var on a disk of 300 MB, mounted from outside, as a hypervisor would.
SMALL_DISK = """mkdir /tmp/v && cp -a /var/lib/dpkg /tmp/v/
mount -t tmpfs -o size=300m none /var
mkdir -p /var/lib /var/tmp && cp -a /tmp/v/dpkg /var/lib/"""


@pytest.mark.parametrize(
    ("spoil", "thing"),
    [
        (
            "sed -i 's/VERSION_ID=.*/VERSION_ID=\"13\"/; s/(bookworm)/(trixie)/; s/Linux 12/Linux 13/' /etc/os-release",
            DEBIAN_12,
        ),
        ("sed -i 's/^ID=.*/ID=ubuntu/' /etc/os-release", DEBIAN_12),
        (SMALL_DISK, DISK),
    ],
    ids=["Debian 13", "another distribution", "300 MB left"],
)
def test_the_wrong_machine_is_named_and_nothing_is_changed(bare, cli, spoil, thing):
    shell(spoil)
    report = cli.json("apply")
    assert report["code"] == 1
    failed = [f for f in report["findings"] if f["state"] == "failed"]
    assert len(failed) == 1, bad(report)
    assert (failed[0]["thing"], failed[0]["kind"]) == (str(thing), "not-so")
    assert report["actions"] == 0
    assert lab.mail_run(["ls", "/etc/ispguide"]).returncode != 0
    assert lab.mail_run(["ls", "/var/lib/ispguide"]).returncode != 0
