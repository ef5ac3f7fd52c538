"""Quotas without a server: limits in words, the program at the door, the picture."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ispguide.chapters import database, quotas
from ispguide.engine import problems
from ispguide.engine.errors import GuideError
from ispguide.engine.settings import Settings
from ispguide.engine.templates import render
from ispguide.mail.measures import mailboxes
from ispguide.mail.people.addresses import bytes_of
from ispguide.mail.people.things import DEFAULT, NewMailboxLimit
from ispguide.views import watching

S = Settings("mail.example.test", "example.test", "postmaster@example.test")


# --- limits ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ("500 MB", 500_000_000),
        ("2gb", 2_000_000_000),
        ("1,5 GB", 1_500_000_000),
        ("60 kB", 60_000),
        ("none", 0),
        (" 0 ", 0),
    ],
)
def test_what_people_type(said, size):
    assert bytes_of(said) == size


@pytest.mark.parametrize(
    "said", ["500", "much", "-1 MB", "1 TB", "0.1 kB", "9999999999 GB", "1 MB; DROP"]
)
def test_what_is_no_limit(said):
    with pytest.raises(GuideError) as stop:
        bytes_of(said)
    assert stop.value.kind == "bad-limit" and repr(said) in stop.value.is_


@pytest.mark.parametrize(
    ("now", "kind", "told"),
    [
        ({"rows": [["2000000000"]]}, "", ""),
        ({"rows": [["0"]]}, "differs", "2.0 GB"),
        ({"rows": [["NULL"]]}, "differs", "NULL"),
        ({"rows": []}, "missing", "quota"),
        ({"error": "no MariaDB"}, "no-answer", "no MariaDB"),
    ],
)
def test_the_default_of_the_book(now, kind, told):
    thing = NewMailboxLimit(S.quota)
    gap = thing.gap({DEFAULT: now})
    assert gap.kind == kind and told in gap
    assert "SET DEFAULT 2000000000;" in thing.fix({})[0].stdin


def test_whose_default_it_is_makes_no_gap_in_chapter_5():
    (fact,) = database.USERS.facts()
    created = database.USERS._create().replace("DEFAULT 0", "DEFAULT 2000000000")
    assert database.USERS.gap({fact: {"rows": [["virtual_users", created]]}}) == ""
    narrow = created.replace("bigint(20)", "int(11)")
    gap = database.USERS.gap({fact: {"rows": [["", narrow]]}})
    assert gap.kind == "differs" and "quota" in gap


def test_a_mailbox_holds_at_least_one_letter():
    assert problems.of(Settings(*S_WORDS, quota_mb=30))
    assert not problems.of(Settings(*S_WORDS, quota_mb=0))


S_WORDS = (S.hostname, S.domain, S.postmaster)


def test_it_can_be_left_out():
    out = Settings(*S_WORDS, quotas=False)
    assert [t for step in quotas.chapter for t in step.things(out)] == []


# --- the picture -------------------------------------------------------------

BOXES = [
    mailboxes.Box("full<b>@x.test", 3, 1_000_000, 1_000_000),
    mailboxes.Box("near@x.test", 3, 96_000, 100_000),
    mailboxes.Box("warned@x.test", 3, 80_000, 100_000),
    mailboxes.Box("free@x.test", 3, 79_999, 100_000),
    mailboxes.Box("open@x.test", 3, 10**9, 0),
]


def test_how_full_in_a_word():
    assert [b.quota_state for b in BOXES] == ["full", "nearly full", "warned", "room", "no limit"]  # fmt: skip
    words = mailboxes.usage_words(BOXES)
    assert words.startswith("4 of 5 mailboxes have a limit.")
    assert "warned@x.test (80 %)" in words and "free@" not in words
    assert "All of them have room" in mailboxes.usage_words(BOXES[3:])
    assert "no mailbox yet" in mailboxes.usage_words([])


def test_the_picture_says_it_in_words_too():
    html = watching.usage_html(BOXES)
    assert "<svg" in html and "nearly full" in html
    assert "full<b>" not in html and "full&lt;b&gt;@x.test" in html
    assert "<td>open@x.test</td>" in html
    assert "<svg" not in watching.usage_html(BOXES[4:])


# --- the program at the door -------------------------------------------------


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


class Dovecot:
    """Says 452 for mailboxes whose name begins with full, else DUNNO."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, reader, writer):
        text = (await reader.readuntil(b"\n\n")).decode()
        self.asked.append(text)
        full = "recipient=full" in text
        writer.write(b"action=452 4.2.2 no\n\n" if full else b"action=DUNNO\n\n")
        await writer.drain()
        writer.close()


@pytest.fixture
def door(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[int, Path]]:
    """The program as on the server, with a book and a Dovecot that are not real.

    Its parameter: after how many seconds nobody is waited for."""
    port, book = free_port(), tmp_path / "postmap"
    book.write_text(
        "#!/bin/sh\ncase $2 in both*) echo free@x,full@x;; *) echo $2;; esac\n"
    )
    book.chmod(0o755)
    patience = getattr(request, "param", 5)
    code = (
        "import asyncio; from ispguide.remote import quota_policy; "
        f"quota_policy.SECONDS, quota_policy.POSTMAP = {patience}, {str(book)!r}; "
        f"quota_policy.DOVECOT = {str(tmp_path / 'quota-status')!r}; "
        f"asyncio.run(quota_policy.main({port}))"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            assert time.monotonic() < end
            time.sleep(0.05)
    yield port, tmp_path
    process.terminate()
    process.wait()


def asked(door: tuple[int, Path], *requests: str, dovecot: Dovecot | None) -> list[str]:
    """The answers to these, on one connection as Postfix has it."""

    async def run() -> list[str]:
        server = dovecot and await asyncio.start_unix_server(
            dovecot.answer, door[1] / "quota-status"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", door[0])
        said = []
        for request in requests:
            writer.write(f"request=smtpd_access_policy\n{request}\n\n".encode())
            said.append((await reader.readuntil(b"\n\n")).decode().strip())
        writer.close()
        if server:
            server.close()
        return said

    with ThreadPoolExecutor() as beside:  # Playwright's loop may run in this thread
        return beside.submit(asyncio.run, run()).result()


def test_every_mailbox_behind_an_address_is_asked_for(door):
    dovecot = Dovecot()
    said = asked(
        door,
        "recipient=free@x\nsize=7",
        "recipient=full@x",
        "recipient=both@x\nsize=",
        "recipient=\nsize=99",
        dovecot=dovecot,
    )
    no = "action=452 4.2.2 no"
    assert said == ["action=DUNNO", no, no, "action=DUNNO"]
    assert "size=8007\n" in dovecot.asked[0] and "size=8000\n" in dovecot.asked[1]
    assert len(dovecot.asked) == 4, "nobody is asked for a letter to several"


def test_without_dovecot_nothing_speaks_against_it(door):
    assert asked(door, "recipient=full@x", dovecot=None) == ["action=DUNNO"]


@pytest.mark.parametrize("door", [1], indirect=True)
def test_a_dovecot_that_says_nothing_holds_nobody_up(door):
    """Postfix is answered all the same, and asks on by the same connection."""

    class Silent(Dovecot):
        async def answer(self, reader, writer):
            await asyncio.sleep(60)

    said = asked(door, "recipient=a@x", "recipient=", dovecot=Silent())
    assert said == ["action=DUNNO"] * 2


def test_an_address_is_never_a_command(door):
    odd = "recipient=$(touch${IFS}made)@x`id`"
    assert asked(door, odd, dovecot=Dovecot()) == ["action=DUNNO"]
    assert not (door[1] / "made").exists()


# --- the warning -------------------------------------------------------------


def test_the_words_of_the_warning_take_any_address(tmp_path):
    """An & or a / in an address is no command of the program that fills it in."""
    script = render("/etc/dovecot/quota-warning/warn.sh", S)
    text = render("/etc/dovecot/quota-warning/letter.txt", S)
    (tmp_path / "letter.txt").write_text(text)
    script = script.replace("/etc/dovecot/quota-warning", str(tmp_path))
    lda = tmp_path / "lda"
    lda.write_text('#!/bin/sh\necho "$@"; cat\n')
    lda.chmod(0o755)
    script = script.replace("/usr/lib/dovecot/dovecot-lda", str(lda))
    done = subprocess.run(
        ["sh", "-c", script, "warn.sh", "95", "a&/b$c@x.test"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    words, *message = done.stdout.splitlines()
    assert words.startswith("-d a&/b$c@x.test -f")
    assert (
        "To: <a&/b$c@x.test>" in message
        and "Subject: Your mailbox is 95 % full" in message
    )
    assert not [line for line in message if line.startswith("#") or "MAILBOX" in line]
