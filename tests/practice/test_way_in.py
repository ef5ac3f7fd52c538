"""The way in: who may become root, with which key, and to which machine."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from ispguide import lab, tasks
from ispguide.chapters import GUIDE
from ispguide.engine.errors import (
    CannotReachServer,
    ChangedServer,
    NoRoot,
    NotLetIn,
    UnknownServer,
)
from ispguide.engine.guide import Guide
from ispguide.engine.profile import Profile
from ispguide.engine.server import Server
from ispguide.engine.settings import Secret
from ispguide.tasks.base import World

from .conftest import shell

pytestmark = pytest.mark.usefixtures("begun")


def a_guide(sudo=None, **changes):
    profile = replace(Profile.load("practice"), name="", **changes)
    server = Server(profile, sudo)
    return Guide(server, profile.settings, GUIDE, World(server))


@pytest.fixture
def bob():
    """A user with the practice key and no rights."""
    shell(
        "id bob >/dev/null 2>&1 || useradd -m -s /bin/sh bob; mkdir -p ~bob/.ssh; cp /root/.ssh/authorized_keys ~bob/.ssh/; chown -R bob ~bob/.ssh"
    )
    return "bob"


def test_no_sudo_gets_a_sentence(bob):
    with pytest.raises(NoRoot):
        a_guide(user=bob).check("server")


@pytest.fixture
def sudoer(bob):
    """The same user on a server that has sudo; what it allows, each test says."""
    shell(
        "apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y install sudo"
    )
    yield lambda rule: shell(f"printf 'bob ALL=(ALL) {rule}\\n' > /etc/sudoers.d/bob")
    shell("rm -f /etc/sudoers.d/bob")


def test_sudo_that_asks_nothing_never_runs_a_given_password(sudoer):
    sudoer("NOPASSWD: ALL")
    assert a_guide(user="bob").check("server").ok
    assert a_guide(Secret("open('/tmp/pwned','w')"), user="bob").check("server").ok
    assert lab.mail_run(["ls", "/tmp/pwned"]).returncode != 0


def test_sudo_that_asks_gets_the_password_on_standard_input(sudoer):
    sudoer("ALL")
    secret = "g'eh\"eim $(id) ü"
    done = lab.mail_run(["chpasswd"], f"bob:{secret}\n".encode())
    assert done.returncode == 0
    assert a_guide(Secret(secret), user="bob").check("server").ok
    with pytest.raises(NoRoot):
        a_guide(user="bob").check("server")
    with pytest.raises(NoRoot) as wrong:
        a_guide(Secret("not-the-password"), user="bob").check("server")
    assert "not-the-password" not in str(vars(wrong.value))


def test_the_program_is_kept_for_root_alone_and_runs_where_it_cannot_be():
    assert a_guide().check("server").ok
    assert shell("stat -c '%U %a' /run/ispguide/program-*").split() == ["root", "700"]
    assert "asking." in shell("ls /run/ispguide/program-*/remote/__pycache__")
    in_its_place = "cd /run/ispguide && p=$(echo program-*) && rm -r $p && touch $p"
    shell(in_its_place)
    assert a_guide().check("server").ok
    shell("rm /run/ispguide/program-*")


def test_a_full_run_leaves_no_piece_of_the_program_behind():
    shell("mount -t tmpfs -o size=8k none /run/ispguide")
    try:
        assert a_guide().check("server").ok
        assert shell("find /run/ispguide -type f") == ""
    finally:
        shell("umount /run/ispguide")


def test_a_wrong_key_gets_a_sentence(tmp_path):
    key = tmp_path / "other"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True
    )
    with pytest.raises(NotLetIn, match="authorized_keys"):
        a_guide(key=str(key)).check("server")


def test_a_changed_host_key_stops_before_anybody_logs_in(tmp_path):
    key = tmp_path / "host"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True
    )
    profile = Profile.load("practice")
    kind, text, *_ = key.with_suffix(".pub").read_text().split()
    known = tmp_path / "known_hosts"
    known.write_text(f"{profile.host} {kind} {text}\n")
    marker = shell("journalctl -u ssh --no-pager -o cat | grep -c 'Accepted publickey'")
    with pytest.raises(ChangedServer):
        a_guide(known_hosts=str(known)).check("server")
    assert (
        shell("journalctl -u ssh --no-pager -o cat | grep -c 'Accepted publickey'")
        == marker
    )


def test_an_unreachable_server_gets_a_sentence():
    with pytest.raises(CannotReachServer) as stop:
        a_guide(host="127.0.0.1", port=1).check("server")
    assert stop.value.kind == "cannot-reach-server"


def test_first_contact_shows_the_fingerprint_and_pins_what_was_accepted(
    tmp_path, monkeypatch
):
    seat = lab.status().as_dict()["seats"][0]
    keys = "for k in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $k; done"
    console = shell(keys)
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    where, key = f"root@{seat['address']}", seat["ssh"]["key"]
    with pytest.raises(UnknownServer) as shown:
        tasks.connect(tasks.HERE, where, key=key)
    assert shown.value.fingerprint in console
    with pytest.raises(UnknownServer, match="SHA256:wrong"):
        tasks.connect(tasks.HERE, where, accept="SHA256:wrong", key=key)
    profile = tasks.connect(tasks.HERE, where, accept=shown.value.fingerprint, key=key)
    assert profile.settings.hostname == seat["hostname"], (
        "the server remembers its settings"
    )
