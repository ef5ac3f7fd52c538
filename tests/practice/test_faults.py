"""What goes wrong on the way: dropped lines, killed clients, bad files, two at once."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import paramiko
import pytest
from paramiko.common import cMSG_CHANNEL_EOF

from ispguide import facts, lab, tasks
from ispguide.actions import marker
from ispguide.chapters import GUIDE
from ispguide.errors import (
    CannotUndo,
)
from ispguide.profile import Profile
from ispguide.things import File

from .. import fake
from ..building import EARLY
from .conftest import ROOT, bad, opened_at, shell, until

#: Somebody else has the lock, until /run/another-run is gone: half a minute at most, or
#: who is never told of it would wait for ever.
ANOTHER_RUN = f"""mkdir -p -m 700 /run/ispguide; touch /run/another-run
setsid flock /run/ispguide/lock sh -c 'touch /run/it-holds
  {until("[ ! -e /run/another-run ]", 1500, 0.02)}' > /dev/null 2>&1 &
{until("rm /run/it-holds 2> /dev/null", 500, 0.02)}"""


@pytest.fixture
def guide(halfway):
    with opened_at("halfway") as early:
        yield early


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
        client = start_apply(*(chapter.name for chapter in EARLY))
        time.sleep(seconds)
        client.send_signal(signal.SIGKILL)
        client.wait()
    last = start_apply(*(chapter.name for chapter in EARLY))
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
    """Every SSH session on the server dies while a step is at work: it waits for a run
    of somebody else, which ends only when the line is gone."""
    shell("rm /etc/postfix/mysql-email2email.cf")
    seen = []

    def watch(line):
        seen.append(line)
        if line == "postfix: aliases":
            shell(ANOTHER_RUN)
        if line.startswith("Waiting for") and line not in seen[:-1]:  # told again later
            lab.mail_run(["pkill", "-KILL", "-f", "sshd: root@notty"])
            shell("rm /run/another-run")

    report = guide.apply("postfix.aliases", watch=watch)
    assert report.ok, bad(report.as_dict())
    assert any("connecting again" in line for line in seen)
    assert guide.check().ok


def test_questions_on_one_line_at_the_same_time_all_have_their_answers(
    guide, monkeypatch
):
    """The server gives the number of a channel that is closed to the next one; what was
    made for the old one and is sent late must not reach the new."""
    send = paramiko.Transport._send_user_message

    def _send(line: paramiko.Transport, message: paramiko.Message) -> None:
        if message.asbytes()[:1] == cMSG_CHANNEL_EOF:
            time.sleep(0.3)  # as on a busy computer
        send(line, message)

    monkeypatch.setattr(paramiko.Transport, "_send_user_message", _send)

    def _ask(number: int) -> str:
        question = facts.run(f"echo {number}")
        answer = guide.server.exchange(tell=[question]).have[question]
        return str(answer["out"])

    with ThreadPoolExecutor(4) as pool, guide.server:
        told = list(pool.map(_ask, range(16), timeout=60))
    assert told == [f"{n}\n" for n in range(16)]


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
    shell(until("ss -ltnH | grep -q '127.0.0.1:3306 '", 50, 0.1))
    before = shell(f"cat {conf}")
    report = guide.apply("database.service")
    assert report.only("failed"), bad(report.as_dict())
    assert shell(f"cat {conf}") == before
    assert shell("systemctl is-active mariadb").strip() == "active"
    shell("systemctl stop squatter")
    assert guide.apply("database").ok
    made_well(guide)


def test_undo_puts_back_and_apply_makes_true_again(guide):
    report = tasks.undo(tasks.HERE, "dovecot.encryption")
    assert report.only("gap")
    assert guide.apply("dovecot.encryption").ok
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
