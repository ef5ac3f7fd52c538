"""What a provider elsewhere thinks of us: the proofs against one that says what it is told."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from ispguide.engine.facts import proof, run
from ispguide.engine.profile import Profile
from ispguide.engine.settings import Secret
from ispguide.lab import friend, spammer
from ispguide.lab.engine import LabProblem
from ispguide.lab.friend import FriendTest
from ispguide.outside.names import Names
from ispguide.proofs import authentication
from ispguide.proofs.base import Context, Mailbox, answer
from ispguide.proofs.context import known_elsewhere
from ispguide.proofs.protocols import Reply
from tests.test_outside import S

ME, BEN = "proof@example.test", "ben@friend.test"
BOX = Mailbox(ME, Secret("x"), "alias@example.test")
PASS = {"spf": "pass", "dkim": "pass", "dmarc": "pass"}
FAIL = {"spf": "fail", "dkim": "none", "dmarc": "fail"}
QUEUE = run("postqueue -j")


@dataclass
class Told:
    """A provider that says what it is told to say."""

    found: dict[str, str] | None = None
    said: tuple[int, str] = (250, "2.0.0 Ok")
    marks: list[str] = field(default_factory=list)
    address: str = BEN

    def verdict(self, mark, seconds):
        self.marks.append(mark)
        return self.found

    def forged(self, sender, mark):
        self.marks.append(sender)
        return SimpleNamespace(code=self.said[0], text=self.said[1])


def tried(name, other, monkeypatch, queue=(), record=("v=DMARC1; p=none",), yes="250"):
    """The answer of the proof."""
    smtp = SimpleNamespace(deliver=lambda sender, to, text: Reply(f"{yes} 2.0.0"))
    monkeypatch.setattr(Context, "logged_in", lambda self, port: nullcontext(smtp))
    monkeypatch.setattr(Names, "values", lambda self, name, kind: list(record))
    rows = "".join(json.dumps(row) + "\n" for row in queue)
    have = {QUEUE: {"rc": 0, "out": rows, "err": ""}}
    ctx = Context("127.0.0.1", S, BOX, lambda asked: have, elsewhere=other)
    return answer(proof(name), ctx)


def waits(why, to=BEN, sender=ME):
    reason = {"delay_reason": why} if why else {}
    return {"sender": sender, "recipients": [{"address": to} | reason]}


def test_without_anybody_elsewhere_it_could_not_tell(monkeypatch):
    for name in ("authenticated_elsewhere", "forgery_judged"):
        found = tried(name, None, monkeypatch)
        assert found["ok"] is None and "dkim=pass" in found["seen"]


@pytest.mark.parametrize(
    ("found", "ok"),
    [(PASS, True), (PASS | {"dkim": "fail"}, False), (FAIL, False), ({}, False)],
)
def test_all_three_must_vouch(monkeypatch, found, ok):
    told = tried("authenticated_elsewhere", Told(found), monkeypatch)
    assert told["ok"] is ok
    assert f"dkim={found.get('dkim', 'none')}" in told["seen"]


@pytest.mark.parametrize(
    ("queue", "ok", "words"),
    [
        ([waits("connect to mail.friend.test:25: Connection timed out")], None, "25"),
        ([waits("host mail.friend.test said: 450 4.7.25 refused")], False, "4.7.25"),
        ([waits("(delivery temporarily suspended: connect to x:25: …)")], None, "x:25"),
        ([waits("")], None, "still tries"),
        ([waits("timed out", to="x@y.test")], False, "never got it"),
        ([waits("timed out", sender="x@y.test")], False, "never got it"),
        ([], False, "never got it"),
    ],
)
def test_a_letter_that_does_not_come_is_looked_for(monkeypatch, queue, ok, words):
    told = tried("authenticated_elsewhere", Told(None), monkeypatch, queue)
    assert told["ok"] is ok and words in told["seen"]


def test_a_letter_that_our_own_server_refuses_was_not_judged(monkeypatch):
    other = Told(PASS)
    told = tried("authenticated_elsewhere", other, monkeypatch, yes="554")
    assert told["ok"] is False and "554" in told["seen"] and not other.marks


REFUSED = (550, "5.7.1 rejected by DMARC policy for example.test")


@pytest.mark.parametrize(
    ("wish", "other", "ok"),
    [
        ("reject", Told(said=REFUSED), True),
        ("none", Told(said=REFUSED), False),
        ("none", Told(FAIL), True),
        ("quarantine", Told(FAIL), True),
        ("none", Told(PASS), False),
        ("reject", Told(FAIL), False),
        ("none", Told(None), None),
        ("reject", Told(said=(550, "5.7.25 no reverse name")), None),
    ],
)
def test_a_forgery_meets_what_is_asked_for(monkeypatch, wish, other, ok):
    record = (f"v=DMARC1; p={wish}; rua=mailto:dmarc@example.test",)
    told = tried("forgery_judged", other, monkeypatch, record=record)
    assert told["ok"] is ok, told
    assert other.marks[0] == "director@example.test"


@pytest.mark.parametrize(
    "record", [(), ("v=DMARC1",), ("v=DMARC1; p=none", "v=DMARC1; p=reject")]
)
def test_without_a_clear_wish_nothing_is_forged(monkeypatch, record):
    other = Told(FAIL)
    told = tried("forgery_judged", other, monkeypatch, record=record)
    assert told["ok"] is None and not other.marks


def test_only_a_practice_server_knows_somebody():
    real = Profile("real", "192.0.2.1", "/dev/null")
    assert known_elsewhere(real) is None
    practice = Profile("practice", "192.0.2.1", "/dev/null", practice=True)
    assert known_elsewhere(practice).address == BEN


def test_what_was_read_is_thrown_away(monkeypatch):
    messages = [[], [SimpleNamespace(verdict=PASS)]]
    gone: list[str] = []
    monkeypatch.setattr(friend, "inbox", lambda mark: messages.pop(0))
    monkeypatch.setattr(friend, "discard", gone.append)
    assert FriendTest().verdict("mark", 5) == PASS and gone == ["mark"]


def test_a_letter_is_read_behind_news_of_others():
    rows = [b"1 (FLAGS (\\Deleted))", (b"2 (BODY[] {14}", b"Subject: mine\n\n"), b")"]
    box = SimpleNamespace(fetch=lambda number, what: ("OK", rows))
    assert friend._fetched(box, "2")["Subject"] == "mine"
    rows[1:] = []
    with pytest.raises(TypeError, match="no letter 2"):
        friend._fetched(box, "2")


def test_a_letter_that_does_not_come_is_nothing(monkeypatch):
    monkeypatch.setattr(friend, "inbox", lambda mark: [])
    assert FriendTest().verdict("mark", 0) is None


def test_a_practice_internet_that_sleeps_is_no_verdict(monkeypatch):
    def asleep(self, mark, seconds):
        raise LabProblem("It does not run.", "It should.", "./guide lab up")

    monkeypatch.setattr(Told, "verdict", asleep)
    assert tried("authenticated_elsewhere", Told(), monkeypatch)["ok"] is None


def test_the_forger_carries_the_mark(monkeypatch):
    how = {}

    def forge(to, sender, subject):
        how.update(to=to, sender=sender, subject=subject)

    monkeypatch.setattr(spammer, "forge", forge)
    FriendTest().forged("director@example.test", "mark")
    assert how["to"] == BEN and "mark" in how["subject"]
    assert authentication.PATIENCE > 0
