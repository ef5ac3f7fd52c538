"""Full mailboxes on a real server: behind second names, in an outage, from an old table."""

from __future__ import annotations

import smtplib
import time

import pytest

from ispguide import tasks
from ispguide.mail.measures import mailboxes

from .conftest import bad, shell

PASSWORD = "a long one for everybody"
FULL, FREE = "full@example.test", "free@example.test"
SMALL = 60_000


@pytest.fixture(scope="module", autouse=True)
def two(mostly, cli):
    """Two people: one whose mailbox is full, one with room."""
    for who in (FULL, FREE):
        done = cli("people", "add", who, "--password-stdin", stdin=PASSWORD)
        assert done.returncode == 0, done.stderr
    assert cli("people", "quota", FULL, f"{SMALL // 1000} kB").returncode == 0
    save(FULL, SMALL - 6000)


def save(who: str, size: int) -> None:
    """A letter of about this size lies in the mailbox, put there past every door."""
    line = "x" * 62
    shell(
        f"(printf 'Subject: old\\n\\n'; yes {line} | head -n {size // 64}) "
        f"| doveadm save -u {who} -m INBOX"
    )


def alias(source: str, *destinations: str) -> None:
    for one in destinations:
        shell(
            'mariadb mailserver -e "INSERT INTO virtual_aliases (domain_id, source, destination) '
            f"SELECT id, '{source}', '{one}' FROM virtual_domains WHERE name='example.test'\""
        )


@pytest.fixture
def door(seat):
    """A stranger at port 25; what he is answered."""
    with smtplib.SMTP(seat["address"], 25, local_hostname="elsewhere.test") as smtp:
        smtp.ehlo()

        def ask(to: str, size: int = 0) -> int:
            smtp.rset()
            assert (
                smtp.mail("a@friend.test", [f"SIZE={size}"] if size else [])[0] == 250
            )
            return smtp.rcpt(to)[0]

        yield ask


WAYS = {
    "info@example.test": (FULL,),
    "chain@example.test": ("info@example.test",),
    "circle@example.test": ("ring@example.test", FULL),
    "ring@example.test": ("circle@example.test",),
    "both@example.test": (FREE, FULL),
    "away@example.test": ("ben@friend.test", FULL),
}


@pytest.fixture
def ways():
    for source, destinations in WAYS.items():
        alias(source, *destinations)
    yield
    names = "', '".join(WAYS)
    shell(f"mariadb mailserver -e \"DELETE FROM virtual_aliases WHERE source IN ('{names}')\"")  # fmt: skip


def test_every_way_to_a_full_mailbox_is_closed(door, ways):
    assert {way: door(way) for way in WAYS} == dict.fromkeys(WAYS, 452)
    assert door("full+tag@example.test") == 452
    assert door("FULL@Example.Test") == 452


def test_who_has_room_notices_nothing(door, ways):
    assert door(FREE) == 250
    assert door(FREE, 30_000_000) == 250
    assert door("nobody@example.test") == 550


def test_a_catch_all_counts_and_leaves_others_alone(door):
    alias("@example.test", FULL)
    try:
        assert door("anything@example.test") == 452
        assert door(FREE) == 250
    finally:
        shell("mariadb mailserver -e \"DELETE FROM virtual_aliases WHERE source='@example.test'\"")  # fmt: skip


def test_who_keeps_a_copy_and_who_has_moved(door):
    """A mailbox with a forwarding gets nothing any more, unless it leads to itself."""
    alias(FULL, FREE)
    try:
        assert door(FULL) == 250
        alias(FULL, FULL)
        assert door(FULL) == 452
    finally:
        shell(f"mariadb mailserver -e \"DELETE FROM virtual_aliases WHERE source='{FULL}'\"")  # fmt: skip


@pytest.mark.parametrize(
    ("down", "up"),
    [
        ("systemctl stop ispguide-quota", "systemctl start ispguide-quota"),
        (
            "chmod 0 /run/dovecot/quota-status; chown root:root /run/dovecot/quota-status",
            "doveadm reload",
        ),
        (
            "chmod 0 /etc/postfix/mysql-quota-boxes.cf",
            "chmod 640 /etc/postfix/mysql-quota-boxes.cf",
        ),
    ],
    ids=["quota-door", "dovecot", "the book"],
)
def test_an_outage_stops_no_mail(door, down, up):
    shell(down)
    try:
        assert door(FREE) == 250
    finally:
        shell(up)


def test_the_machines_own_letter_waits_and_does_not_bounce(door):
    """It comes by no door; so it is taken, waits, and arrives when there is room."""
    shell(f"yes {'y' * 62} | head -n 400 | sendmail -f root@mail.example.test {FULL}")
    waits = "postqueue -j | grep -F 4.2.2"
    end = time.monotonic() + 15
    while not shell(f"{waits} || true"):
        assert time.monotonic() < end, shell("postqueue -p")
        time.sleep(0.2)
    assert "MAILER-DAEMON" not in shell("postqueue -p")
    shell(f"doveadm expunge -u {FULL} mailbox INBOX ALL; postqueue -f")
    while "empty" not in shell("postqueue -p"):
        assert time.monotonic() < end + 15, shell("postqueue -p")
        time.sleep(0.2)
    assert shell(f"doveadm search -u {FULL} mailbox INBOX ALL | wc -l").strip() == "1"
    save(FULL, SMALL - 6000 - 26_000)
    assert door(FULL) == 452


def test_the_sum_can_be_counted_anew(cli):
    """Files removed by hand, and the index with them: only counting helps."""
    before = shell(f"doveadm -f tab quota get -u {FREE}").split()
    save(FREE, 20_000)
    assert shell(f"doveadm -f tab quota get -u {FREE}").split() != before
    shell("find /var/vmail/example.test/free -name '*mail*S=*' -delete")
    assert cli("people", "recount", FREE).returncode == 0
    assert shell(f"doveadm -f tab quota get -u {FREE}").split() == before


def test_a_limit_is_typed_as_people_say_it(cli, kinds):
    assert cli("people", "quota", FREE, "1.5 GB").returncode == 0
    assert ["free@example.test", "1500000000"] in cli_boxes(cli)
    wrong = cli("people", "quota", FREE, "12")
    assert wrong.returncode == 1 and kinds == ["bad-limit"]
    assert cli("people", "quota", FREE, "none").returncode == 0
    assert ["free@example.test", "0"] in cli_boxes(cli)
    boxes = {b.address: b for b in tasks.measure_mailboxes(tasks.HERE)}
    assert boxes[FULL].limit == SMALL and boxes[FULL].share > 80
    assert FULL in mailboxes.usage_words(list(boxes.values()))


def cli_boxes(cli) -> list[list[str]]:
    return [row[:2] for row in cli.json("people", "list")["mailboxes"]]


def test_the_settings_decide_what_a_new_mailbox_gets(cli):
    assert cli("people", "add", "new@example.test").returncode == 0
    try:
        assert ["new@example.test", "2000000000"] in cli_boxes(cli)
    finally:
        assert cli("people", "remove", "new@example.test").returncode == 0


def test_a_table_of_an_older_server_loses_nothing(cli):
    """The ISPmail guides made narrower columns; every row must come through."""
    read = (
        "mariadb -N mailserver -e 'SELECT * FROM virtual_users ORDER BY id' | sha256sum"
    )
    shell(
        'mariadb mailserver -e "UPDATE virtual_users SET quota = 2147483647 WHERE email = '
        f"'{FREE}'; ALTER TABLE virtual_users MODIFY quota int(11) NOT NULL DEFAULT 0, "
        'MODIFY email varchar(100) NOT NULL, DROP KEY email"'
    )
    before = shell(read)
    seen = cli.json("check", "database.tables")
    assert "differs" in {f["kind"] for f in seen["findings"] if "quota" in f["gap"]}, (
        bad(seen)
    )
    report = cli.json("apply", "database.tables", "quotas.limit")
    assert report["code"] == 0, bad(report)
    assert shell(read) == before
