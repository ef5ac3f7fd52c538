"""From a bare Debian 12 to mail that arrives, is read, and leaves."""

import imaplib
import poplib
import smtplib
import time
import uuid

import pytest

from ispguide import lab, tasks
from ispguide.proofs.context import opened

from .conftest import LEFT, bad, shell

#: In this order: the first thing is what was built, and people come after it.
pytestmark = pytest.mark.story

#: Signs that break installers: quotes, umlauts, shell, SQL, sed and Jinja.
PASSWORD = "pä\"s'w$(id)`x`\\&;|{{7}}%s#ß"
OTHER = "another ' long \" one ü"


@pytest.fixture(scope="module", autouse=True)
def as_built(built):
    """The built server."""


@pytest.mark.thorough
def test_a_bare_server_becomes_a_mail_server(built, cli):
    """By one command, as the notebooks' cells do it one by one."""
    lab.reset()
    report = cli.json("apply")
    assert report["ok"]
    assert {f["state"] for f in report["findings"]} <= {"ok", "fixed"}, bad(report)
    assert report["actions"] > 50


def test_a_second_apply_does_nothing(built, applied):
    assert applied().actions == 0


def test_a_check_is_one_exchange(built, cli):
    report = cli.json("check")
    assert (report["code"], report["exchanges"], report["actions"]) == (0, 1, 0), bad(
        report
    )
    assert {f["state"] for f in report["findings"]} == {"ok"}


def test_the_mailbox_of_the_proofs_is_gone(built):
    assert not shell(LEFT)


def test_what_one_of_them_left_goes_with_the_next(built):
    """As after a power cut; what somebody called much the same stays."""
    mine = "/var/vmail/example.test/ispguide-proof-reading"
    shell(f"cd /var/vmail/example.test && mkdir -p {mine} ispguide-proof-1-0f0f0f0f/x")
    with (guide := tasks.open_guide()).server, opened(guide):
        pass
    assert shell(LEFT).split() == [mine]
    shell(f"rmdir {mine}")


# --- Anna --------------------------------------------------------------------


@pytest.fixture(scope="module")
def anna(built, cli):
    done = cli(
        "people", "add", "anna@example.test", "--password-stdin", stdin=PASSWORD + "\n"
    )
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    return "anna@example.test"


def imap(seat, tls, user, password):
    box = imaplib.IMAP4_SSL(seat["address"], 993, ssl_context=tls)
    box.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
    box.select("INBOX")
    return box


def wait_for(box, token):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        box.noop()
        found = box.search(None, "TEXT", token)[1][0].split()
        if found:
            return box.fetch(found[0], "(RFC822)")[1][0][1].decode()
        time.sleep(0.1)
    raise AssertionError(f"no mail with {token}")


def message(to, sender="friend@friend.test"):
    token = uuid.uuid4().hex
    text = (
        f"From: {sender}\r\nTo: {to}\r\nSubject: {token}\r\nMessage-ID: <{token}@friend.test>\r\n"
        f"Date: {time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime())}\r\n\r\n"
        f"Dear Anna, shall we have tea on Sunday? {token}\r\n"
    )
    return token, text


def from_the_internet(to):
    """A mail that the practice internet sends; the SMTP dialogue is swaks-like."""
    token, text = message(to)
    script = (
        "import smtplib,sys; m=smtplib.SMTP('mail.example.test',25,local_hostname='mx.friend.test');"
        f"m.sendmail('friend@friend.test','{to}',sys.stdin.read()); m.quit()"
    )
    done = lab.internet_run(["python3", "-c", script], text.encode())
    assert done.returncode == 0, done.stderr
    return token


def test_a_mail_from_the_internet_is_read_over_imap_and_pop3(anna, seat, tls):
    token = from_the_internet(anna)
    assert "tea on Sunday" in wait_for(imap(seat, tls, anna, PASSWORD), token)
    pop = poplib.POP3_SSL(seat["address"], 995, context=tls)
    pop._putline(b"USER " + anna.encode()), pop._getresp()
    pop._putline(b"PASS " + PASSWORD.encode()), pop._getresp()
    texts = [b"\n".join(pop.retr(i + 1)[1]).decode() for i in range(pop.stat()[0])]
    assert any(token in text for text in texts)


def submit(seat, tls, port, user, password, text, to):
    kind = smtplib.SMTP_SSL if port == 465 else smtplib.SMTP
    with kind(
        seat["address"], port, **({"context": tls} if port == 465 else {})
    ) as smtp:
        if port == 587:
            smtp.starttls(context=tls)
        smtp.ehlo()
        import base64

        plain = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        code, said = smtp.docmd("AUTH", f"PLAIN {plain}")
        assert code == 235, said
        smtp.sendmail(user, to, text)


@pytest.mark.parametrize("port", [587, 465])
def test_anna_sends_one_out(anna, seat, tls, port):
    token, text = message("friend@friend.test", anna)
    submit(seat, tls, port, anna, PASSWORD, text, "friend@friend.test")
    end = time.monotonic() + 20
    while time.monotonic() < end:
        done = lab.internet_run(["grep", "-rq", token, "/var/mail/friend"])
        if done.returncode == 0:
            return
        time.sleep(0.2)
    raise AssertionError(
        shell("postqueue -p; journalctl -u postfix@- -n 15 --no-pager")
    )


def test_an_alias_and_another_password(anna, cli, seat, tls):
    assert cli("people", "alias", "tea@example.test", anna).returncode == 0
    token = from_the_internet("tea@example.test")
    wait_for(imap(seat, tls, anna, PASSWORD), token)
    assert (
        cli(
            "people", "password", anna, "--password-stdin", stdin=OTHER + "\n"
        ).returncode
        == 0
    )
    imap(seat, tls, anna, OTHER)
    with pytest.raises(imaplib.IMAP4.error):
        imap(seat, tls, anna, PASSWORD)
    assert (
        cli(
            "people", "password", anna, "--password-stdin", stdin=PASSWORD + "\n"
        ).returncode
        == 0
    )


def test_postmaster_and_abuse_reach_the_first_mailbox(anna, seat, tls):
    for name in ("postmaster", "abuse"):
        wait_for(
            imap(seat, tls, anna, PASSWORD), from_the_internet(f"{name}@example.test")
        )


def test_people_are_listed_and_removed(anna, cli):
    cli("people", "add", "bob@example.test")
    assert ["bob@example.test", "2000000000", "1"] in cli.json("people", "list")[
        "mailboxes"
    ]
    assert cli("people", "remove", "bob@example.test").returncode == 0
    assert "bob" not in str(cli.json("people", "list"))


@pytest.mark.parametrize(
    ("words", "kind", "told"),
    [
        (["people", "add", "no address@example.test"], "bad-address", "no address@"),
        (["people", "add", "x@elsewhere.test"], "no-such-domain", "elsewhere.test"),
        (["people", "add", "anna@example.test"], "there-already", "anna@example.test"),
        (
            ["people", "add", "a'; DROP TABLE virtual_users;@example.test"],
            "bad-address",
            "DROP",
        ),
        (
            ["people", "remove", "nobody@example.test"],
            "not-there",
            "nobody@example.test",
        ),
        (
            ["connect", "root@192.0.2.1", "--domain", "exa mple.org"],
            "settings-problem",
            "'exa mple.org'",
        ),
        (
            ["connect", "root@192.0.2.1", "--domain", "ex'ample\".org"],
            "settings-problem",
            'ample".org',
        ),
        (
            ["connect", "root@192.0.2.1", "--domain", "example"],
            "settings-problem",
            "'example'",
        ),
        (["connect", "root@-oProxyCommand=id"], "bad-address", "-oProxyCommand=id"),
        (["connect", "../../etc/x"], "bad-address", "../../etc/x"),
        (["people", "add", "exa mple.org"], "bad-domain", "exa mple.org"),
        (["check", "nowhere"], "no-such-step", "'nowhere'"),
        (["undo", "postfix"], "not-one-step", "'postfix'"),
        (["check", "--server", "unknown"], "no-such-server", "'unknown'"),
        (["apply", "tls.nothing"], "no-such-step", "'nothing'"),
    ],
)
def test_bad_input_gets_a_sentence(anna, cli, kinds, words, kind, told):
    before = cli("history").stdout
    done = cli(*words)
    assert done.returncode == 1 and kinds == [kind]
    assert told in done.stderr and "Traceback" not in done.stderr
    assert cli("history").stdout == before


@pytest.mark.parametrize(
    ("password", "kind"),
    [("", "bad-password"), ("x" * 73, "password-too-long"), ("a\tb", "bad-password")],
)
def test_a_password_no_hash_can_hold_is_refused(anna, cli, kinds, password, kind):
    done = cli(
        "people", "add", "carl@example.test", "--password-stdin", stdin=password + "\n"
    )
    assert done.returncode == 1 and kinds == [kind]
    assert "carl" not in str(cli.json("people", "list"))


def test_no_password_is_left_anywhere_readable(anna):
    """The typed one nowhere at all; generated ones in files of root or a service."""
    found = lab.mail_run(
        [
            "grep",
            "-rlF",
            "--exclude-dir=proc",
            "--exclude-dir=sys",
            PASSWORD,
            "/etc",
            "/var/lib/ispguide",
            "/var/log",
            "/run/ispguide",
            "/tmp",
            "/root",
        ]
    )
    assert found.returncode == 1, found.stdout
    assert PASSWORD not in shell("journalctl --no-pager -o cat")
    values = shell(
        "python3 -c \"import json; print('\\n'.join(e['value'] for e in json.load(open('/etc/ispguide/secrets.json')).values()))\""
    )
    for value in values.split():
        files = shell(
            f"grep -rlF -e '{value}' /etc /var/lib/ispguide /run/ispguide /var/log || true"
        ).split()
        assert files
        for path in files:
            assert shell(f"stat -c %A {path}").strip()[7:] == "---", path
        assert value not in shell("journalctl --no-pager -o cat")
