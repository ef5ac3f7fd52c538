"""The recording of the replay, made anew: it must tell what the committed one tells.

When a chapter or a template changes, this fails until the recording is renewed.
"""

from __future__ import annotations

import getpass
import json
import re
import socket

import pytest

from ispguide import lab
from ispguide.engine.profile import Profile
from ispguide.recording.__main__ import record
from ispguide.recording.comparing import differences
from ispguide.replay import Recording, recorded

from .conftest import shell

pytestmark = pytest.mark.thorough
SECRETS = "cat /etc/ispguide/secrets.json"


@pytest.fixture(scope="module")
def made(home) -> Recording:
    """Recorded on a bare server now; the server stays, for its secrets to be read."""
    lab.reset()
    return record(Profile.load("practice"), lambda line: None)


def test_it_tells_the_same_as_the_committed_one(made):
    found = differences(recorded(), made)
    assert not found, "\n".join(
        [
            *found[:20],
            "When this is meant, renew the recording and commit it:",
            ".venv/bin/python -m ispguide.recording",
        ]
    )


def test_no_secret_of_the_server_is_in_it(made):
    values = [entry["value"] for entry in json.loads(shell(SECRETS)).values()]
    assert len(values) > 3
    text = made.to_json()
    assert not [value for value in values if value in text]
    assert "⟦mailserver⟧" in text, "the markers are there instead"


@pytest.mark.parametrize("which", ["made", "committed"])
def test_nothing_that_looks_like_a_secret_is_in_it(made, which):
    text = (made if which == "made" else recorded()).to_json()
    assert not re.findall(r"\$2[aby]\$\d\d\$[./\w]{53}", text), "hashes of passwords"
    assert "PRIVATE KEY" not in text
    assert not re.findall(r"AUTH PLAIN [A-Za-z0-9+/=]{8,}", text)
    assert not re.findall(r"AUTHENTICATE PLAIN [A-Za-z0-9+/=]{8,}", text)


def test_nothing_of_the_recording_computer_is_in_it(made):
    text = made.to_json()
    assert f"{getpass.getuser()}@{socket.gethostname()}" not in text
    sources = shell("find /etc/apt -name 'sources.list*' -type f -exec cat {} +")
    for host in set(re.findall(r"://([^/\s]+)", sources)):
        assert host not in text
    for line in shell("cat /etc/ssh/*.pub").splitlines():
        assert line.split()[1] not in text
    net = Profile.load("practice").host.rpartition(".")[0]
    assert f"{net}." not in text or net == "198.18.1"
