"""Chapter 20 on a real server: read back, brought back, carried elsewhere, lost and found."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ispguide import lab, tasks
from ispguide.engine.errors import GuideError
from ispguide.engine.profile import Profile
from ispguide.engine.settings import Secret, Settings
from ispguide.mail.backup.inventory import FACT, counted, inventory
from ispguide.mail.backup.things import KNOWN, STATE
from ispguide.tasks.drill import BEFORE, drill

from .conftest import bad, shell
from .furnished import furnish

ANNA, BEN = "anna@example.test", "ben@example.test"

#: Another machine: an account at friend.test that can do SFTP and nothing else.
VAULT = """useradd -m keeper 2>/dev/null; mkdir -p -m 0755 /run/sshd ~keeper/.ssh
chmod 755 ~keeper; chown -R keeper: ~keeper/.ssh; ssh-keygen -A >/dev/null
/usr/sbin/sshd -p 2222 -o PidFile=/run/vault.pid -o ForceCommand=internal-sftp \
  -o AuthorizedKeysFile=/home/keeper/.ssh/authorized_keys"""
NO_VAULT = "kill $(cat /run/vault.pid); userdel -r keeper 2>/dev/null; rm -f /etc/ssh/ssh_host_*"


@pytest.fixture(scope="module")
def furnished(built) -> None:
    furnish(ANNA, BEN)


def world(script: str) -> str:
    done = lab.internet_run(["sh", "-c", script])
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def messages(who: str, folder: str) -> list[str]:
    """Subject and flags of each letter."""
    said = shell(
        f"doveadm -f tab fetch -u {who} 'hdr.subject flags' mailbox '{folder}' all"
    )
    found = (line.replace("\\Recent", "").split() for line in said.splitlines()[1:])
    return sorted(" ".join(words) for words in found if words)


def test_a_mailbox_comes_back_beside_what_is_there(furnished):
    before = {
        f: messages(ANNA, f) for f in ("INBOX", "Projects", "Projects.Österreich")
    }
    assert all(len(found) == 2 for found in before.values())
    tasks.backup_now(tasks.HERE)
    shell(
        f"doveadm expunge -u {ANNA} mailbox INBOX all; doveadm mailbox delete -u {ANNA} -r Projects"
    )
    tasks.restore_mailbox(tasks.HERE, ANNA)
    (parent,) = {
        ".".join(name.split(".")[:2])
        for name in shell(f"doveadm mailbox list -u {ANNA}").splitlines()
        if name.startswith("Restored.")
    }
    for folder, found in before.items():
        assert messages(ANNA, f"{parent}.{folder}") == found
    assert messages(ANNA, "INBOX") == []
    with pytest.raises(GuideError) as told:
        tasks.restore_mailbox(tasks.HERE, ANNA)
    assert told.value.kind == "server-refused" and "already" in told.value.evidence
    left = "/var/lib/ispguide/restored /var/tmp/ispguide-restored"
    assert shell(f"ls {left} 2>/dev/null; true") == ""


def test_a_stranger_is_not_in_the_backup(furnished):
    with pytest.raises(GuideError) as told:
        tasks.restore_mailbox(tasks.HERE, "nobody@example.test")
    assert told.value.kind == "server-refused" and told.value.evidence


def test_the_page_opens_the_safe_without_the_guide(furnished):
    page = tasks.backup_key(tasks.HERE)
    (word,) = (line.split()[1] for line in page if line.startswith("  password"))
    script = "RESTIC_PASSWORD_FILE=/dev/stdin restic -r /var/backups/ispguide --no-lock snapshots --json"
    done = lab.mail_run(["sh", "-c", script], word.encode())
    known = {row["short_id"] for row in json.loads(done.stdout)}
    assert known == {one.number for one in tasks.backup_list(tasks.HERE).snapshots}
    assert word not in json.dumps(tasks.history(tasks.HERE))


def test_nobody_is_overrun_by_everything(furnished):
    """A server with people is no new one, and its own password stays."""
    before = tasks.backup_key(tasks.HERE)
    with pytest.raises(GuideError) as told:
        tasks.restore_server(tasks.HERE, Secret("some-other-password"))
    assert told.value.kind == "not-empty"
    assert tasks.backup_key(tasks.HERE) == before


@pytest.mark.thorough
def test_to_another_machine_only_if_it_is_the_one(furnished, cli):
    """No key is believed before it was compared; another one later stops the backup."""
    ours: Settings = Profile.load("practice").settings
    world(VAULT)
    try:
        elsewhere = replace(ours, backup_to="keeper@mail.friend.test:mail", backup_port=2222)  # fmt: skip
        tasks.save_settings(tasks.HERE, elsewhere)
        found = cli.json("apply", "backup.backup_target")["findings"]
        assert "not-compared" in {f["kind"] for f in found}
        shown = tasks.backup_target(tasks.HERE)
        assert shown.public.startswith("ssh-ed25519 ") and shown.fingerprints
        real = world("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
        assert real in shown.fingerprints
        tasks.save_settings(tasks.HERE, replace(elsewhere, backup_fingerprint=real))
        refused = tasks.apply(tasks.HERE, ["backup.backup_target", "backup.repository"])
        assert not refused.ok and "Permission denied" in refused.text()
        world(f"echo '{shown.public}' > ~keeper/.ssh/authorized_keys")
        report = cli.json("apply", "backup")
        assert report["code"] == 0, bad(report)
        (only,) = {one.number for one in tasks.backup_now(tasks.HERE).snapshots}
        assert only in world("ls /home/keeper/mail/snapshots")
        assert world("grep -rl Subject /home/keeper/mail | wc -l").strip() == "0"
        shell(f"sed -i 's/AAAAC3Nza/AAAAC3Nzb/' {KNOWN}")
        with pytest.raises(GuideError) as told:
            tasks.backup_now(tasks.HERE)
        assert told.value.kind == "server-refused"
        assert "ispguide-backup" in told.value.evidence
        named = {
            f["thing"]
            for f in cli.json("check", "backup")["findings"]
            if f["state"] == "gap"
        }
        assert {"the key of mail.friend.test", "a backup that went well"} <= named
        assert cli.json("apply", "backup")["ok"]
    finally:
        tasks.save_settings(tasks.HERE, ours)
        world(NO_VAULT)
    assert cli.json("apply", "backup")["ok"]


def test_a_failure_is_told_and_healed(furnished, cli):
    """A database that is down: the backup says so, and nothing is half done."""
    shell("systemctl stop mariadb")
    try:
        with pytest.raises(GuideError) as told:
            tasks.backup_now(tasks.HERE)
        assert told.value.kind == "server-refused"
        state = json.loads(shell(f"cat {STATE}"))
        assert not state["ok"] and "mariadb" in state["failed"]
        assert shell("ls /var/lib/ispguide/dump 2>/dev/null; true") == ""
    finally:
        shell("systemctl start mariadb")
    assert cli.json("apply", "backup.every_night")["ok"]


@pytest.mark.parametrize(
    "fresh",
    [
        pytest.param(lambda watch: lab.load("built", watch), id="a built one"),
        pytest.param(lab.reset, id="a bare one", marks=pytest.mark.thorough),
    ],
)
def test_the_server_is_lost_and_everything_comes_back(furnished, fresh, thorough):
    """The drill: a fresh server, and every letter, flag, filter, hash and key is equal."""
    held = inventory(tasks.facts_of(tasks.HERE, [FACT]))
    found = drill(fresh=fresh, prove=thorough)
    assert list(found.differences) == []
    assert found.before == held
    assert {
        "letters and flags",
        "filters",
        "address book",
        "keys",
        "spam filter",
    } == set(held)
    assert all(not line.endswith(": 0 in 0") for line in counted(held))
    # The new one is no copy of the old one's disk: it has keys of its own, and people
    # log in there with the passwords they had.
    assert shell(f"doveadm auth test {ANNA} 'secret of {ANNA}'").count("succeeded")
    assert tasks.look(tasks.HERE).ok
    assert tasks.backup_list(tasks.HERE).state["ok"]
    lab.forget(BEFORE)
