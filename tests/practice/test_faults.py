"""What goes wrong on the way: dropped lines, killed clients, bad files, two at once."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from ispguide import facts, lab, tasks
from ispguide.actions import marker
from ispguide.chapters import GUIDE
from ispguide.errors import (
    CannotReachServer,
    CannotUndo,
    ChangedServer,
    NoRoot,
    NotLetIn,
    UnknownServer,
)
from ispguide.guide import Guide
from ispguide.profile import Profile
from ispguide.server import Server
from ispguide.settings import Secret
from ispguide.things import File

from .. import fake
from .conftest import ROOT, bad, shell


@pytest.fixture
def guide(built):
    with (g := tasks.open_guide()).server:
        yield g


def state(guide):
    """Everything lasting that the things of the guide ask for."""
    guide.check()
    kinds = ("file", "package", "user", "postconf", "master", "sql", "secret")
    # How many rows there ever were is history, and a generated password is random.
    return {
        f: re.sub(r" AUTO_INCREMENT=\d+|PASSWORD \\?'[^']*'", "", str(a))
        for f, a in guide.have.items()
        if f[0] in kinds
    }


def start_apply(*what):
    code = f"from ispguide.cli import main; import sys; sys.argv[1:] = {['apply', *what]!r}; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.thorough
def test_a_client_killed_again_and_again_ends_in_the_same_state(guide):
    """From a bare server; each apply lives a little longer than the one before."""
    undisturbed = state(guide)
    lab.reset()
    guide.server.close()
    guide.server.profile = Profile.load("practice")
    for seconds in (0.4, 1, 2, 3, 5, 8, 1.5, 2.5, 4, 6, 10):
        client = start_apply()
        time.sleep(seconds)
        client.send_signal(signal.SIGKILL)
        client.wait()
    last = start_apply()
    out, err = last.communicate()
    assert last.returncode == 0, out.decode() + err.decode()
    again = state(guide)
    assert {
        f: (undisturbed.get(f), again[f])
        for f in again
        if again[f] != undisturbed.get(f)
    } == {}
    assert shell("dpkg --audit") == ""
    assert guide.apply("server", "packages", "postfix").actions == 0


#: The drop-in files and maps of these two chapters.
MAPS = " ".join(
    thing.path
    for chapter in GUIDE
    if chapter.name in ("postfix", "dovecot")
    for step in chapter.steps
    for thing in step.things(fake.SETTINGS)
    if isinstance(thing, File)
)
#: An apply that is killed when the server has said so many words.
KILLED = """import os, signal
from ispguide import tasks
heard = []
def watch(line):
    heard.append(line)
    if len(heard) == {words}:
        os.kill(os.getpid(), signal.SIGKILL)
tasks.apply(tasks.HERE, ["postfix", "dovecot"], watch=watch)"""


def test_a_client_killed_in_the_middle_leaves_nothing_half_done(guide):
    undisturbed = state(guide)
    for words in (1, 3, 6):
        shell(f"rm -f {MAPS}")
        code = KILLED.format(words=words)
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT)
        assert done.returncode == -signal.SIGKILL
    report = guide.apply("postfix", "dovecot")
    assert report.ok, bad(report.as_dict())
    assert state(guide) == undisturbed
    assert guide.check().ok


def test_a_dropped_line_is_picked_up_again(guide):
    """Every SSH session on the server dies while a step is at work."""
    shell("rm /etc/postfix/mysql-email2email.cf")
    seen = []

    def watch(line):
        seen.append(line)
        if len(seen) == 2:
            lab.mail_run(["pkill", "-KILL", "-f", "sshd: root@notty"])

    report = guide.apply("postfix.aliases", watch=watch)
    assert report.ok, bad(report.as_dict())
    assert any("connecting again" in line for line in seen)
    assert guide.check().ok


def test_a_bad_configuration_never_reaches_a_running_service(guide):
    """A hand-made mistake beside our file: the test before the restart finds it."""
    pid = shell("systemctl show -p MainPID --value dovecot")
    shell("echo 'no_such_setting = {' > /etc/dovecot/conf.d/99-zz-by-hand.conf")
    ours = shell("ls /etc/dovecot/conf.d/99-ispguide*").split()[0]
    shell(f"echo '# changed by hand' >> {ours}")
    before = shell(f"cat {ours}")
    step = next(
        s
        for c in GUIDE
        for s in c.steps
        if any(getattr(t, "path", "") == ours for t in s.things(guide.settings))
    )
    report = guide.apply(step)
    failed = report.only("failed")
    assert len(failed) == 1, bad(report.as_dict())
    assert "no_such_setting" in failed[0].evidence
    assert ours in failed[0].gap
    assert shell(f"cat {ours}") == before
    assert shell("systemctl show -p MainPID --value dovecot") == pid
    shell("rm /etc/dovecot/conf.d/99-zz-by-hand.conf")
    assert guide.apply(step).ok
    assert guide.check().ok


def test_when_a_restart_fails_the_files_are_put_back(guide, made_well):
    """The test passes, the start does not: somebody else holds our port.

    By hand MariaDB was moved to another port, so it runs; going back to ours fails."""
    conf = "/etc/mysql/mariadb.conf.d/99-ispguide.cnf"
    shell(f"printf '[mariadbd]\\nport = 3307\\n' >> {conf}; systemctl restart mariadb")
    squat = "import socket,time; s=socket.create_server(('127.0.0.1',3306)); time.sleep(600)"
    shell(f'systemd-run -q --unit=squatter python3 -c "{squat}"')
    shell(
        "for i in $(seq 50); do ss -ltnH | grep -q '127.0.0.1:3306 ' && exit; sleep 0.1; done; exit 1"
    )
    before = shell(f"cat {conf}")
    report = guide.apply("database.service")
    assert report.only("failed"), bad(report.as_dict())
    assert shell(f"cat {conf}") == before
    assert shell("systemctl is-active mariadb").strip() == "active"
    shell("systemctl stop squatter")
    assert guide.apply("database").ok
    made_well(guide)


def test_undo_puts_back_and_apply_makes_true_again(guide):
    report = tasks.undo(tasks.HERE, "watching.every_night")
    assert report.only("gap")
    assert guide.apply("watching.every_night").ok
    assert guide.check().ok


def test_undo_refuses_what_others_rest_on(guide):
    before = shell("wc -l < /var/lib/ispguide/ledger.jsonl")
    with pytest.raises(CannotUndo) as stop:
        tasks.undo(tasks.HERE, "postfix.identity")
    assert stop.value.kind == "still-needed"
    assert shell("wc -l < /var/lib/ispguide/ledger.jsonl") == before


def test_two_at_once_go_one_after_the_other(guide, made_well):
    shell(f"rm {MAPS}")
    both = [start_apply("postfix"), start_apply("dovecot")]
    for client in both:
        out, err = client.communicate()
        assert client.returncode == 0, out.decode() + err.decode()
    made_well(guide)
    runs = [e["run"] for e in guide.exchange(tell=[tasks.LEDGER]).have[tasks.LEDGER]]
    blocks = [r for i, r in enumerate(runs) if i == 0 or runs[i - 1] != r]
    assert len(blocks) == len(set(blocks)), "two runs wrote between each other"


QUERIES = [facts.sql(q) for q in ("SELECT 'a\\tb\\n', 2", "SELECT 1 FROM DUAL WHERE 1=0", "SELECT 3; SELECT 4")]  # fmt: skip
ROWS = [[["a\tb\n", "2"]], [], [["3"], ["4"]]]


def test_a_wrong_query_is_its_own_answer_and_spoils_no_other(guide):
    wrong = facts.sql("SELECT secret FROM mailserver.nothing_like_it")
    have = guide.exchange(tell=QUERIES).have
    assert [have[q]["rows"] for q in QUERIES] == ROWS
    early = facts.sql(f"SELECT '{marker('never-made')}'")
    have = guide.exchange(tell=[QUERIES[0], wrong, early, *QUERIES[1:]]).have
    assert [have[q]["rows"] for q in QUERIES] == ROWS
    assert "nothing_like_it" in have[wrong]["error"]
    assert "never-made" in have[early]["error"]


def test_a_database_that_is_off_is_the_answer_to_every_query(guide):
    shell("systemctl stop mariadb")
    try:
        have = guide.exchange(tell=QUERIES).have
        assert all("connect to local server" in have[q]["error"] for q in QUERIES)
    finally:
        shell("systemctl start mariadb")


def test_a_setting_made_by_hand_beside_ours_stays(guide):
    shell(
        "postconf -e smtpd_hard_error_limit=7; touch -d '10 seconds ago' /etc/postfix/main.cf"
    )
    guide.apply("postfix")
    assert shell("postconf -h smtpd_hard_error_limit").strip() == "7"
    shell(
        "postconf -X smtpd_hard_error_limit; touch -d '10 seconds ago' /etc/postfix/main.cf; systemctl reload postfix"
    )
    assert guide.check().ok


# --- the way in --------------------------------------------------------------


def a_guide(sudo=None, **changes):
    profile = replace(Profile.load("practice"), name="", **changes)
    return Guide(Server(profile, sudo), profile.settings, GUIDE)


@pytest.fixture
def bob(built, tmp_path):
    """A user with the practice key and no rights."""
    shell(
        "id bob >/dev/null 2>&1 || useradd -m -s /bin/sh bob; mkdir -p ~bob/.ssh; cp /root/.ssh/authorized_keys ~bob/.ssh/; chown -R bob ~bob/.ssh"
    )
    return "bob"


def test_no_sudo_gets_a_sentence(bob):
    with pytest.raises(NoRoot):
        a_guide(user=bob).check()


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
    assert a_guide(user="bob").check().ok
    assert a_guide(Secret("open('/tmp/pwned','w')"), user="bob").check().ok
    assert lab.mail_run(["ls", "/tmp/pwned"]).returncode != 0


def test_sudo_that_asks_gets_the_password_on_standard_input(sudoer):
    sudoer("ALL")
    secret = "g'eh\"eim $(id) ü"
    done = lab.mail_run(["chpasswd"], f"bob:{secret}\n".encode())
    assert done.returncode == 0
    assert a_guide(Secret(secret), user="bob").check().ok
    with pytest.raises(NoRoot):
        a_guide(user="bob").check()
    with pytest.raises(NoRoot) as wrong:
        a_guide(Secret("not-the-password"), user="bob").check()
    assert "not-the-password" not in str(vars(wrong.value))


def test_a_wrong_key_gets_a_sentence(built, tmp_path):
    key = tmp_path / "other"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True
    )
    with pytest.raises(NotLetIn, match="authorized_keys"):
        a_guide(key=str(key)).check()


def test_a_changed_host_key_stops_before_anybody_logs_in(built, tmp_path):
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
        a_guide(known_hosts=str(known)).check()
    assert (
        shell("journalctl -u ssh --no-pager -o cat | grep -c 'Accepted publickey'")
        == marker
    )


def test_an_unreachable_server_gets_a_sentence(built):
    with pytest.raises(CannotReachServer) as stop:
        a_guide(host="127.0.0.1", port=1).check()
    assert stop.value.kind == "cannot-reach-server"


def test_first_contact_shows_the_fingerprint_and_pins_what_was_accepted(
    built, tmp_path, monkeypatch
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
