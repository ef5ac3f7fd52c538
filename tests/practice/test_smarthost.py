"""All mail leaves through friend.test:587, on a built server whose port 25 is closed.

From switching on to switching off: the letter, the wrong password, the wrong name, the
changed password, and that no password is left where nobody hides it.
"""

from __future__ import annotations

import json
import ssl
import uuid
from pathlib import Path

import pytest

from ispguide import lab
from ispguide.engine.profile import home as state
from ispguide.lab.world import wait_for
from ispguide.mail.smarthost import LOGIN

from .conftest import bad, proved, shell
from .test_dns import DOMAIN, ask, change
from .test_main_job import submit

#: In this order: from switching on to switching off.
pytestmark = pytest.mark.story

ANNA, PASSWORD = "anna@example.test", "a long one for Anna"
BEN, RELAY, HOST = "ben@friend.test", "relay@friend.test", "mail.friend.test"
PORT_25 = "port 25 of other servers can be reached"
WRONG = "Wrong-gooseberry-4711"
#: Every place where something could be left.
PLACES = "/etc /var/lib/ispguide /run/ispguide /var/log /var/spool/postfix /tmp /root"


@pytest.fixture(scope="module", autouse=True)
def closed(built, cli) -> None:
    """The built server with Anna on it, whose provider closes port 25."""
    done = cli("people", "add", ANNA, "--password-stdin", stdin=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr
    assert cli("lab", "internet", "port25", "closed").returncode == 0


@pytest.fixture(scope="module")
def right() -> str:
    """What friend.test gave us for the login."""
    return Path(lab.status().as_dict()["friend"]["relay_password_file"]).read_text()


@pytest.fixture
def writes(seat):
    """Anna writes to Ben; the word by which her letter is known again."""
    context = ssl.create_default_context(cafile=lab.status().as_dict()["ca_file"])
    original = context.wrap_socket
    context.wrap_socket = lambda sock, **k: original(
        sock, **{**k, "server_hostname": seat["hostname"]}
    )

    def message() -> str:
        mark = uuid.uuid4().hex
        text = f"From: {ANNA}\r\nTo: {BEN}\r\nSubject: {mark}\r\n\r\nTea on Sunday?\r\n"
        submit(seat, context, 465, ANNA, PASSWORD, text, BEN)
        return mark

    return message


def use(cli, secret, where=HOST, spf=f"a:{HOST}"):
    words = ["smarthost", where, "--user", RELAY, "--spf", spf, "--password-stdin"]
    done = cli(*words, stdin=secret + "\n")
    assert done.returncode == 0, done.stderr
    assert secret not in done.stdout + done.stderr


def way():
    """How the proof about the way out stands, and what it says."""
    (row,) = proved("smarthost")
    return row


def queue(recipient=BEN):
    """What waits for him, as mailq has it, with the reasons."""
    rows = [json.loads(line) for line in shell("postqueue -j").splitlines()]
    found = [r for row in rows for r in row["recipients"]]
    return [r for r in found if r["address"] == recipient]


def nowhere(secret, *allowed):
    """The password is in none of the places but these files of root's."""
    found = lab.mail_run(["sh", "-c", f"grep -rlF -e '{secret}' {PLACES}; true"])
    assert sorted(found.stdout.decode().split()) == sorted(allowed)
    for path in allowed:
        assert shell(f"stat -c '%U %a' {path}") == "root 600\n"
    assert secret not in shell("journalctl --no-pager -o cat")
    for path in state().rglob("*"):
        mine = path.is_file() and not path.name.startswith("password-")
        assert not mine or secret.encode() not in path.read_bytes(), path


def test_off_by_default_a_letter_waits_when_port_25_is_closed(cli, writes):
    assert shell("postconf -h relayhost") == "\n"
    row = way()
    assert (row.state, row.thing) == (
        "ok",
        "no smarthost is used, mail leaves by itself",
    )
    (knock,) = proved(PORT_25)
    assert (knock.state, knock.kind) == ("failed", "not-so")
    assert "chapter 12" in knock.gap
    mark = writes()
    wait_for("The queue", queue)
    assert not lab.friend.inbox(mark)
    shell("postsuper -d ALL")


def test_switched_on_mail_leaves_through_it(cli, writes, right, applied):
    use(cli, right)
    applied("server", "sending", "dns")
    lab.friend.empty()
    message = lab.friend.message(writes())
    came = str(message.content.get_all("Received")[0])
    assert f"Authenticated sender: {RELAY}" in came and message.to == BEN
    assert applied("server", "sending", "dns").actions == 0
    row = way()
    assert row.state == "ok", row
    assert not queue() and not queue(RELAY)
    assert lab.friend.inbox("leaves through the smarthost"), "the proof's own letter"
    nowhere(right, LOGIN, "/etc/ispguide/secrets.json")


def test_a_closed_port_25_does_not_matter_then():
    (knock,) = proved(PORT_25)
    assert (knock.state, knock.kind) == ("unknown", "unsure"), knock
    assert HOST in knock.gap


def test_the_smarthost_may_send_in_our_name(cli):
    (record,) = [text for text in ask(DOMAIN, "TXT") if "v=spf1" in text]
    assert f"a:{HOST}" in record and " mx " in record and "-all" in record


@pytest.mark.thorough
def test_a_wrong_password_is_named_and_no_letter_is_lost(cli, writes, right):
    use(cli, WRONG)
    assert lab.mail_run(["test", "-e", LOGIN]).returncode == 1, "the older one"
    early = writes()
    report = cli.json("apply", "sending.smarthost")
    assert report["code"] == 0, bad(report)
    row = way()
    assert (row.state, row.kind) == ("failed", "wrong-password")
    assert RELAY in row.gap and "535" in row.gap and "./guide smarthost" in row.gap
    assert not queue(RELAY), "the proof takes its own letters out of the queue"
    late = writes()
    wait_for(
        "The refusal", lambda: any("535" in r.get("delay_reason", "") for r in queue())
    )
    assert queue() and not lab.friend.inbox(late)
    nowhere(right)
    use(cli, right)
    assert cli.json("apply", "sending.smarthost")["code"] == 0
    shell("postqueue -f")
    for mark in (early, late):
        assert lab.friend.message(mark).to == BEN
    wait_for("The queue", lambda: not queue())
    nowhere(WRONG)
    assert way().state == "ok"


@pytest.mark.thorough
def test_who_cannot_prove_its_name_gets_no_password(cli, right):
    """friend.test by another name, which is not in its certificate."""
    change("post." + DOMAIN, "A", lab.status().as_dict()["friend"]["address"])
    before = _logins()
    try:
        use(cli, right, "post." + DOMAIN.rstrip("."))
        assert cli.json("apply", "sending.smarthost")["code"] == 0
        row = way()
        assert (row.state, row.kind) == ("failed", "untrusted"), row
        assert _logins() == before
    finally:
        change("post." + DOMAIN, "A")
    use(cli, right)
    assert cli.json("apply", "sending.smarthost")["code"] == 0
    assert way().state == "ok" and _logins() > before


def _logins():
    """How often friend.test was told a name and a password by us."""
    count = (
        "journalctl --no-pager -o cat | grep -c 'sasl_username\\|SASL PLAIN' || true"
    )
    return int(lab.internet_run(["sh", "-c", count]).stdout)


@pytest.mark.thorough
def test_port_465_is_spoken_from_the_first_byte(cli, writes, right):
    door = "submissions/inet"
    options = [f"{door}/{line}" for line in _options()] + [
        f"{door}/smtpd_tls_wrappermode=yes"
    ]
    _internet("postconf", "-M", f"{door}=submissions inet n - n - - smtpd")
    _internet("postconf", "-P", *options)
    _internet("systemctl", "reload", "postfix")
    try:
        use(cli, right, f"{HOST}:465")
        assert cli.json("apply", "sending.smarthost")["code"] == 0
        wait_for("Port 465", lambda: way().state == "ok")
        assert f"Authenticated sender: {RELAY}" in str(lab.friend.message(writes()))
    finally:
        _internet("postconf", "-MX", door)
        _internet("systemctl", "reload", "postfix")
    use(cli, right)
    assert cli.json("apply", "sending.smarthost")["code"] == 0


def _options():
    """What friend.test's port 587 is told, but for STARTTLS."""
    told = _internet("postconf", "-P", "submission/inet/*").splitlines()
    words = (line.removeprefix("submission/inet/").split(" = ", 1) for line in told)
    return [f"{k}={v}" for k, v in words if k != "smtpd_tls_security_level"]


def _internet(*argv):
    done = lab.internet_run(argv)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def test_bad_input_gets_a_sentence_and_changes_nothing(cli, kinds, right):
    before = cli("history").stdout
    for words, secret, kind, told in (
        (["friend", "--user", RELAY], right, "settings-problem", "'friend'"),
        ([HOST], right, "settings-problem", "smarthost_user is ''"),
        ([HOST, "--user", RELAY], "short", "weak-password", ""),
        ([HOST, "--user", RELAY, "--spf", "+all"], right, "settings-problem", "'+all'"),
        (
            ["mail.example.test", "--user", RELAY],
            right,
            "settings-problem",
            "mail.example.test",
        ),
        ([], right, "not-said", ""),
    ):
        done = cli("smarthost", *words, "--password-stdin", stdin=secret + "\n")
        assert done.returncode == 1 and kinds.pop() == kind and told in done.stderr, (
            done
        )
        assert "Traceback" not in done.stderr and right not in done.stderr
    assert cli("history").stdout == before


def test_switched_off_nothing_is_left(cli, right, applied):
    assert cli("smarthost", "--off").returncode == 0
    applied("sending.smarthost", "dns")
    assert lab.mail_run(["test", "-e", LOGIN]).returncode == 1
    assert "smarthost" not in shell("cat /etc/ispguide/secrets.json")
    assert shell("postconf -h relayhost smtp_sasl_auth_enable") == "\nno\n"
    assert "friend.test" not in shell(
        "postconf -n; cat /etc/ispguide/settings.toml | grep smarthost"
    )
    nowhere(right)
    assert applied("sending", "dns").actions == 0


def test_then_mail_leaves_by_itself(cli, writes):
    assert cli("lab", "internet", "port25", "open").returncode == 0
    message = lab.friend.message(writes())
    assert RELAY not in str(message)
    assert message.verdict["spf"] == "pass"
    assert way().state == "ok"
