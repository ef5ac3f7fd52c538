"""Watching, on a server where things really go wrong and letters really travel."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import pytest

from ispguide import lab, tasks
from ispguide.journey.way import Way
from ispguide.measures import health

from ..building import Built
from .conftest import Cli, shell, until

#: In this order: the flow counts what was done above.
pytestmark = pytest.mark.story

ANNA, PASSWORD = "anna@example.test", "a long one for Anna"
BEN = "ben@friend.test"


@pytest.fixture(scope="module", autouse=True)
def anna(built: Built, cli: Cli) -> None:
    """The built server with Anna, to whom postmaster@ then leads, and two aliases."""
    done = cli("people", "add", ANNA, "--password-stdin", stdin=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr
    for source, to in (("team@example.test", ANNA), ("away@example.test", BEN)):
        assert cli("people", "alias", source, to).returncode == 0


# --- the trace ---------------------------------------------------------------


def hand_in(to: str, text: str = "Tea on Sunday?", sender: str = ANNA) -> str:
    """A letter from a program on the server; its Message-ID."""
    mark = f"{uuid.uuid4().hex}@example.test"
    head = f"From: {sender}\nTo: {to}\nSubject: Tea\nMessage-ID: <{mark}>\n"
    shell(f"printf '%s\\n' '{head}' '{text}' | sendmail -f {sender} {to}")
    return mark


def traced(what: str, until: Callable[[Way], bool]) -> Way:
    """The newest letter that a word names, once it is so; every look is one call."""
    end = time.monotonic() + 20
    while True:
        ways = tasks.trace(tasks.HERE, what)
        if ways and until(ways[0]):
            return ways[0]
        assert time.monotonic() < end, ways
        time.sleep(0.3)


def is_(fate: str) -> Callable[[Way], bool]:
    return lambda one: one.fate == fate


def test_a_delivered_letter_by_each_of_its_names():
    mark = hand_in("team@example.test")
    one = traced(mark, is_("delivered"))
    assert "folder INBOX of anna@example.test (team@example.test leads there)" in (
        one.ends[0].words
    )
    assert {"postfix", "rspamd", "dovecot"} == {hop.who for hop in one.hops}
    by_number = tasks.trace(tasks.HERE, one.names[0])
    assert [w.names for w in by_number] == [one.names]
    assert one in tasks.trace(tasks.HERE, ANNA)


def test_a_forwarded_letter_names_who_took_it():
    one = traced(hand_in("away@example.test"), is_("passed"))
    assert "mail.friend.test took it for ben@friend.test" in one.ends[0].words
    assert "away@example.test leads there" in one.ends[0].words


def test_a_letter_that_waits_says_for_what_and_health_sees_it():
    # Its own "doveadm stop" is sometimes too late to find it, and systemd then says failed.
    shell(
        "systemctl stop dovecot;"
        "! systemctl -q is-failed dovecot || systemctl reset-failed dovecot"
    )
    try:
        mark = hand_in(ANNA)
        one = traced(mark, is_("waits"))
        assert "because Dovecot does not take it" in one.ends[0].words
        seen, queue = tasks.health(tasks.HERE)
        assert health.worst(seen) == "act"
        words = " ".join(s.words for s in seen if s.state == "act")
        assert "dovecot.service does not run" in words, words
        assert [w.number for w in queue] == [one.names[0]]
    finally:
        shell("systemctl start dovecot; postqueue -f")
    assert "INBOX" in traced(mark, is_("delivered")).ends[0].words


def test_spam_that_was_filed_is_found_in_junk():
    """Points enough for Junk and too few to be refused: made by a rule of this test."""
    rule = "/etc/rspamd/local.d/multimap.conf"
    listed = 'doubtful { type = "from"; map = ["doubt@elsewhere.test"]; score = 9; }'
    listens = "until ss -Hltn 'sport = :11332' | grep -q .; do sleep 0.1; done"
    shell(f"echo '{listed}' > {rule} && systemctl restart rspamd && {listens}")
    try:
        mark = hand_in(ANNA, sender="doubt@elsewhere.test")
        one = traced(mark, is_("junk"))
        assert "in the folder Junk of anna@example.test" in one.ends[0].words
    finally:
        shell(f"rm {rule} && systemctl restart rspamd && {listens}")


def test_refused_letters_say_why():
    assert lab.spammer.gtube(ANNA).code == 554
    one = traced("sales@spammer.test", is_("refused"))
    assert "certain that it is spam" in one.ends[0].words
    lab.friend.send("nobody@example.test", "For nobody")
    one = traced("nobody@example.test", is_("refused"))
    assert "Nobody of this name lives here" in one.ends[0].words
    assert not one.names, "it never got a number"


def test_the_command_tells_it_in_words(cli):
    done = cli("trace", "nobody@example.test")
    assert done.returncode == 0 and "Nobody of this name" in done.stdout
    done = cli("trace", "never-seen@example.test")
    assert done.returncode == 0 and "knows no such letter" in done.stdout
    assert cli("trace", "x").returncode == 1


# --- the nightly look --------------------------------------------------------


def mails(words: str) -> int:
    """How many mails with these words lie in Anna's inbox, once the queue is empty."""
    shell(until('[ -z "$(postqueue -j)" ]', 600, 0.1))
    return len(shell(f"doveadm search -u {ANNA} body '{words}'").splitlines())


def test_the_night_mails_the_postmaster_only_what_changed():
    note, words = "/var/lib/ispguide/look/notes/trial", "The cellar door is open"
    night = "systemctl start ispguide-look.service"
    shell(f"{night}; mkdir -p $(dirname {note}); echo '{words}' > {note}; {night}")
    assert mails(words) == 1
    shell(night)
    assert mails(words) == 1, "nothing changed"
    shell(f"rm {note}; {night}")
    assert (mails(words), mails(f"OVER: {words}")) == (2, 1)


def test_the_look_needs_nothing_of_the_guide():
    """A stopped program and a full queue are named by the program alone."""
    shell("systemctl stop redis-server")
    try:
        said = shell("ispguide-look --only services")
        assert "✗ act" in said and "redis-server.service does not run" in said
    finally:
        shell("systemctl start redis-server")
    assert "All services run" in shell("ispguide-look --only services")


def test_health_ends_with_2_when_somebody_must_act(cli):
    def services() -> str:
        done = cli.json("health")
        assert done["code"] == (2 if done["state"] == "act" else 0)
        return next(x["state"] for x in done["looks"] if x["what"] == "services")

    assert services() == "fine"
    shell("systemctl stop redis-server")
    try:
        assert services() == "act"
    finally:
        shell("systemctl start redis-server")


def test_the_flow_counts_what_was_done_above():
    seen, settings = tasks.mail_flow(tasks.HERE)
    assert seen.of("received") and seen.of("sent") and seen.of("score")
    assert {"spam", "nobody of this name"} <= set(seen.reasons().index)
    assert seen.by_time(settings.timezone)["received"].sum() == seen.of("received")
