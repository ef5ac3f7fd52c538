"""The pictures with a real server behind them: letters really go, programs really stop."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ispguide import tasks
from ispguide.engine.errors import GuideError
from ispguide.mail.log import traffic
from ispguide.mail.log.hops import STATIONS, Hop, outcome
from ispguide.mail.measures import certificate
from ispguide.notebook import pictures

from .conftest import LEFT, shell

#: In this order: the big picture knows what was done before.
pytestmark = pytest.mark.story


@pytest.fixture(autouse=True)
def nothing_is_left(built) -> Iterator[None]:
    yield
    assert not shell(f"{LEFT}; postqueue -j")


def sent(kind: str, to: str = "") -> tuple[list[Hop], list[tuple[float, Hop]]]:
    """The journey, and when each hop was told, in seconds since the first."""
    told: list[tuple[float, Hop]] = []
    hops = tasks.travel(
        tasks.HERE, kind, to, tell=lambda hop: told.append((time.monotonic(), hop))
    )
    return hops, told


def test_a_letter_passes_every_station():
    hops, told = sent("letter")
    assert {hop.who for hop in hops} == set(STATIONS)
    end = outcome(hops)
    assert end and (end.who, end.state) == ("reader", "ok")
    assert "X-Spamd-Result" in end.detail and "Delivered-To" in end.detail
    whats = [hop.what for hop in hops]
    assert whats.index("gives it a number") < whats.index("puts it into the queue")
    assert whats.index("puts it into INBOX") < whats.index("forgets the letter")
    assert [hop for _, hop in told] != [], "told while it happens"
    assert all(0 <= hop.at < 30 for hop in hops)


def test_hops_are_told_while_the_letter_travels():
    """Not all at its end: between the first word and the last lies most of the way."""
    _, told = sent("letter")
    (begin, first), *_, (end, last) = told
    assert last.at > first.at
    assert end - begin > (last.at - first.at) / 2, told


def test_spam_is_refused_while_the_stranger_waits():
    hops, _ = sent("spam")
    end = outcome(hops)
    assert end and (end.who, end.state) == ("postfix", "no")
    assert any(h.who == "rspamd" and "GTUBE" in h.detail for h in hops)
    assert not [h for h in hops if h.who in ("dovecot", "reader")]


def test_a_letter_to_nobody_is_refused_at_the_door():
    hops, _ = sent("nobody")
    end = outcome(hops)
    assert end and end.state == "no"
    assert any("550 5.1.1" in h.detail for h in hops)
    assert "hands the letter over" not in [h.what for h in hops]
    asked = [h for h in hops if h.who == "mariadb"]
    assert asked[-1].words.startswith("No.")


def test_no_password_is_in_any_hop():
    hops, _ = sent("letter")
    everything = "\n".join(f"{h.what} {h.words} {h.detail}" for h in hops)
    assert "password =" not in everything
    secret = shell(
        "sed -n 's/^password = //p' /etc/postfix/mysql-email2email.cf"
    ).strip()
    assert secret and secret not in everything
    assert "AUTHENTICATE PLAIN •••" in everything


def test_a_chosen_address_is_followed_through_its_alias(cli):
    cli("people", "add", "anna@example.test")
    cli("people", "alias", "tea@example.test", "anna@example.test")
    hops, _ = sent("letter", "tea@example.test")
    assert "Yes: its mail goes to anna@example.test." in [h.words for h in hops]
    end = outcome(hops)
    # A stranger nobody knows may meet the grey list, as in the world outside.
    assert end and end.state in ("ok", "wait")


def test_what_is_no_letter_and_no_address_gets_a_sentence():
    for message, to, kind in (
        ("postcard", "", "no-such-message"),
        ("letter", "no address", "bad-address"),
        ("letter", "a'; --", "bad-address"),
    ):
        with pytest.raises(GuideError) as told:
            tasks.travel(tasks.HERE, message, to)
        assert told.value.kind == kind


def test_a_chapter_that_was_never_done_is_named(cli):
    """As on a server where nobody made it yet: a gap, and no ledger that knows it."""
    ledger = "/var/lib/ispguide/ledger.jsonl"
    shell(f"mv {ledger} {ledger}.kept; postconf -e virtual_transport=virtual")
    try:
        with pytest.raises(GuideError) as told:
            tasks.travel(tasks.HERE, "letter")
        assert told.value.kind == "not-ready"
        assert "Chapter 08" in told.value.is_ or "Chapter 06" in told.value.is_
        assert told.value.should and ".ipynb" in told.value.do
    finally:
        shell(f"mv {ledger}.kept {ledger}")
        assert cli("apply", "postfix", "delivery").returncode == 0


def test_a_letter_that_gets_stuck_is_taken_back(cli):
    """Dovecot is down: the letter waits in the queue, and goes with its mailbox."""
    shell("systemctl stop dovecot.socket dovecot")
    try:
        hops, _ = sent("letter")
        end = outcome(hops)
        assert end and (end.state, end.who) == ("wait", "postfix")
        assert "dovecot-lmtp" in end.words
    finally:
        assert cli("apply", "dovecot").returncode == 0


def test_the_big_picture_is_real():
    states = {s.part.key: s.state for s in tasks.parts(tasks.HERE)}
    assert states.pop("dns") in ("proved", "true", "later", "open", "failed")
    assert set(states.values()) <= {"proved", "true"}, states
    shell("systemctl stop redis-server")
    try:
        found = {s.part.key: s for s in tasks.parts(tasks.HERE)}
        assert found["redis"].state == "stopped"
        assert "redis-server is inactive" in found["redis"].why
        assert found["mariadb"].state in ("proved", "true")
    finally:
        shell("systemctl start redis-server")


def test_the_queue_with_a_letter_that_waits():
    number = shell(
        "postconf -e defer_transports=smtp; postfix reload 2>/dev/null; "
        "printf 'Subject: x\\n\\nx\\n' | sendmail -f anna@example.test friend@friend.test; "
        "for i in $(seq 100); do postqueue -j | grep -q deferred && break; sleep 0.1; done; "
        'postqueue -j | sed -n \'s/.*"queue_id": "\\([^"]*\\)".*/\\1/p\''
    ).strip()
    try:
        (mail,) = tasks.measure_queue(tasks.HERE)
        assert (mail.number, mail.recipients) == (number, ("friend@friend.test",))
        assert traffic.queue_words([mail]).startswith("1 mail waits")
    finally:
        shell(
            f"postconf -X defer_transports; postfix reload 2>/dev/null; postsuper -d {number}"
        )


def test_scores_mailboxes_and_certificate(cli):
    sent("spam")
    verdicts, settings = tasks.measure_scores(tasks.HERE)
    assert verdicts[-1].action == "reject" and verdicts[-1].score == 15
    assert settings.reject_score == 15
    cli("people", "add", "anna@example.test")
    boxes = tasks.measure_mailboxes(tasks.HERE)
    assert "anna@example.test" in [box.address for box in boxes]
    cert = tasks.measure_certificate(tasks.HERE)
    assert "mail.example.test" in cert.names and cert.begin < cert.now < cert.end
    assert certificate.certificate_words(cert).startswith("It ends in")


@pytest.mark.parametrize(
    "name", ["queue", "spam_scores", "mailboxes", "certificate", "journey"]
)
def test_headless_cells(name, monkeypatch):
    monkeypatch.setenv("ISPGUIDE_CELLS", "do")
    shown = getattr(pictures, name)()
    assert "✗" not in repr(shown)
    assert "role=" in shown._repr_html_() or "<p>" in shown._repr_html_()


def test_headless_big_picture(monkeypatch):
    monkeypatch.setenv("ISPGUIDE_CELLS", "look")
    shown = pictures.big_picture("postfix")
    assert "▶ SMTP" in shown._repr_html_()
    assert "MariaDB" in repr(shown)
