"""People on a real server: locked, removed, from a file, of other scripts, by the thousand."""

from __future__ import annotations

import contextlib
import imaplib
import smtplib
import time

import pytest

from ispguide import tasks
from ispguide.mail.people.plan import plan
from ispguide.mail.people.user_database import senders

from .conftest import proved, shell

PASSWORD = "a long one for everybody"
ANNA, BEN = "anna@example.test", "ben@example.test"


def sql(query: str) -> str:
    return shell(f'mariadb -N mailserver -e "{query}"')


@pytest.fixture(scope="module", autouse=True)
def two(mostly, cli):
    for who in (ANNA, BEN):
        done = cli("people", "add", who, "--password-stdin", stdin=PASSWORD)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def log_in(login):
    return lambda who, password=PASSWORD: login(who, password)


def take(seat, to: str) -> int:
    """A stranger writes; how it was answered."""
    with smtplib.SMTP(seat["address"], 25, local_hostname="elsewhere.test") as smtp:
        smtp.ehlo()
        assert smtp.mail("a@friend.test")[0] == 250
        return smtp.rcpt(to)[0]


def good(done) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_locking_puts_out_who_is_inside_and_keeps_mail_coming(cli, seat, log_in, tls):
    inside = log_in(ANNA)
    assert inside
    good(cli("people", "lock", ANNA))
    with pytest.raises((imaplib.IMAP4.abort, OSError)):
        for _ in range(20):
            inside.noop()
            time.sleep(0.1)
    assert log_in(ANNA) is None and log_in(BEN)
    with (
        smtplib.SMTP_SSL(seat["address"], 465, context=tls) as smtp,
        pytest.raises(smtplib.SMTPAuthenticationError),
    ):
        smtp.login(ANNA, PASSWORD)
    assert take(seat, ANNA) == 250
    assert "anna@example.test  (2.0 GB, locked)" in good(cli("people", "list"))
    assert cli.json("check", "people")["code"] == 0
    good(cli("people", "unlock", ANNA))
    assert log_in(ANNA)


def test_one_of_two_forwardings_ends(cli, kinds):
    for who in (ANNA, BEN):
        good(cli("people", "alias", "info@example.test", who))
    good(cli("people", "forget", "info@example.test", BEN))
    assert sql("SELECT destination FROM virtual_aliases WHERE source='info@example.test'").split() == [ANNA]  # fmt: skip
    again = cli("people", "forget", "info@example.test", BEN)
    assert again.returncode == 1 and kinds == ["no-such-alias"]


def test_letters_stay_or_go_as_asked(cli):
    shell(f"printf 'Subject: x\\n\\nx\\n' | doveadm save -u {BEN} -m INBOX")
    for who, words, left in (("eve", (), "1"), ("zoe", ("--with-mail",), "0")):
        good(cli("people", "add", f"{who}@example.test"))
        shell(
            f"printf 'Subject: x\\n\\nx\\n' | doveadm save -u {who}@example.test -m INBOX"
        )
        good(cli("people", "remove", f"{who}@example.test", *words))
        count = f"find /var/vmail/example.test -path '*/{who}/Maildir/*,S=*' -type f | wc -l"
        assert shell(count).strip() == left
        assert (
            shell(f"doveadm search -u {BEN} mailbox INBOX ALL | wc -l").strip() == "1"
        )
    shell("rm -r /var/vmail/example.test/eve")


def test_who_may_send_as_whom_is_what_postfix_thinks(cli):
    good(cli("people", "alias", "@example.test", BEN))
    good(cli("people", "alias", "chain@example.test", "info@example.test"))
    try:
        found = senders(tasks.people_list(tasks.HERE))
        names = {name for one in found for name in (one.address, *one.names)}
        for name in names:
            who = {s.address for s in found if name in (s.address, *s.names)}
            said = shell(
                f"postmap -q '{name}' mysql:/etc/postfix/mysql-sender-logins.cf"
            )
            assert set(said.strip().split(",")) == who, name
        assert "anything @example.test" not in good(cli("people", "senders"))
        assert BEN in good(cli("people", "senders"))
    finally:
        good(cli("people", "remove", "@example.test"))
        good(cli("people", "remove", "chain@example.test"))


def test_a_file_is_planned_then_done_and_may_be_done_again(cli, tmp_path, log_in):
    file = tmp_path / "people.csv"
    text = f"address;password;limit;forward_to\nkim@example.test;{PASSWORD};5 MB;\nlee@example.test;;;\n"
    file.write_text(text + "team@example.test;;;kim@example.test lee@example.test\n")
    seen = good(cli("people", "import", str(file)))
    assert "4 to do" in seen and "Nothing was done" in seen and PASSWORD not in seen
    assert sql("SELECT 1 FROM virtual_users WHERE email LIKE 'kim@%'") == ""
    done = good(cli("people", "import", str(file), "--do"))
    assert PASSWORD not in done
    made = next(x for x in done.splitlines() if x.startswith("lee@example.test  "))
    assert log_in("kim@example.test") and log_in("lee@example.test", made.split()[1])
    assert sql("SELECT quota FROM virtual_users WHERE email='kim@example.test'").strip() == "5000000"  # fmt: skip
    again = good(cli("people", "import", str(file), "--do"))
    assert "0 to do, 4 there already" in again and "Passwords" not in again
    assert "hunter" not in shell("cat /var/lib/ispguide/ledger.jsonl")
    assert PASSWORD not in shell("cat /var/lib/ispguide/ledger.jsonl")


def test_one_wrong_line_and_nothing_is_done(cli, kinds, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("address\nfine@example.test\nwrong@elsewhere.test\n")
    done = cli("people", "import", str(file), "--do")
    assert done.returncode == 1 and kinds == ["bad-lines"] and "Line 3" in done.stderr
    assert sql("SELECT 1 FROM virtual_users WHERE email LIKE 'fine@%'") == ""


def test_what_the_database_refuses_is_refused_as_a_whole(cli):
    """Two at the same moment: the second finds somebody there, and does nothing."""
    from ispguide.tasks.people import _transaction

    lists = tasks.people_list(tasks.HERE)
    late = plan("address\nnew-one@example.test\nnew-two@example.test\n", lists)
    sql("INSERT INTO virtual_users (domain_id, email, password) SELECT id, 'new-two@example.test', 'x' FROM virtual_domains WHERE name='example.test'")  # fmt: skip
    run, _ = _transaction(late.changes)
    with (guide := tasks.open_guide()).server:
        answer = guide.exchange([run], step="people: test")
    assert answer.done and not answer.done["ok"]
    assert sql("SELECT 1 FROM virtual_users WHERE email='new-one@example.test'") == ""
    good(cli("people", "remove", "new-two@example.test"))


def test_every_domain_takes_mail_for_its_duties(cli, seat):
    sql("INSERT INTO virtual_domains (name) VALUES ('other.test')")
    sql("DELETE FROM virtual_aliases WHERE source='abuse@example.test'")
    try:
        report = cli.json("check", "people.duties")
        told = "\n".join(f["gap"] for f in report["findings"] if f["kind"] == "missing")
        for address in ("abuse@example.test", "abuse@other.test", "postmaster@other.test"):  # fmt: skip
            assert address in told
        assert cli.json("apply", "people.duties")["code"] == 0
        assert take(seat, "postmaster@other.test") == take(seat, "abuse@example.test") == 250  # fmt: skip
        assert cli.json("check", "people.duties")["code"] == 0
    finally:
        sql("DELETE FROM virtual_domains WHERE name='other.test'")


def test_a_forwarding_to_nobody_is_named(cli):
    sql("INSERT INTO virtual_aliases (domain_id, source, destination) SELECT id, 'dead@example.test', 'gone@example.test' FROM virtual_domains WHERE name='example.test'")  # fmt: skip
    try:
        (row,) = proved("no alias leads to nobody")
        assert (row.state, row.kind) == ("failed", "dangling")
        assert "dead@example.test" in row.gap and "gone@example.test" in row.gap
    finally:
        good(cli("people", "forget", "dead@example.test", "gone@example.test"))


def test_a_domain_of_another_script(cli, seat):
    good(cli("people", "add", "bücher.test"))
    try:
        good(cli("people", "add", "anna@bücher.test"))
        assert sql("SELECT name FROM virtual_domains WHERE name LIKE 'xn--%'").strip() == "xn--bcher-kva.test"  # fmt: skip
        assert take(seat, "anna@xn--bcher-kva.test") == 250
        assert take(seat, "postmaster@xn--bcher-kva.test") == 250
        listed = good(cli("people", "list"))
        assert "anna@bücher.test" in listed and "xn--" not in listed
        good(cli("people", "quota", "Anna@Bücher.test", "none"))
    finally:
        good(cli("people", "remove", "bücher.test", "--with-mail"))
    assert "xn--" not in shell("ls /var/vmail")


# --- by the thousand ---------------------------------------------------------


@contextlib.contextmanager
def many():
    """Nine domains more, with a hundred people in each of ten."""
    rows = "UNION ALL SELECT ".join(f"{n} " for n in range(10))
    digits = f"(SELECT {rows.replace('0 ', '0 AS n ', 1)})"
    sql("INSERT INTO virtual_domains (name) SELECT CONCAT('many', n, '.test') FROM " + f"{digits} d WHERE n > 0")  # fmt: skip
    sql(
        "INSERT INTO virtual_users (domain_id, email, password) SELECT v.id, "
        f"CONCAT('user', a.n, b.n, '@', v.name), 'x' FROM virtual_domains v, {digits} a, {digits} b"
    )
    try:
        assert int(sql("SELECT COUNT(*) FROM virtual_users")) > 1000
        assert int(sql("SELECT COUNT(*) FROM virtual_domains")) >= 10
        yield
    finally:
        sql("DELETE FROM virtual_domains WHERE name LIKE 'many%'")
        sql("DELETE FROM virtual_users WHERE email REGEXP '^user[0-9][0-9]@'")


def test_a_thousand_people_in_ten_domains_ask_no_more_of_a_look():
    """What it costs in seconds is in tests/benchmark.py."""
    few = tasks.look(tasks.HERE)
    with many():
        now = tasks.look(tasks.HERE)
    assert few.exchanges == now.exchanges == 1
    assert len(list(now)) == len(list(few))
