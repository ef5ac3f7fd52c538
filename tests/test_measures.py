"""Queue, scores, mailboxes and certificate: from what programs say to rows and words."""

from __future__ import annotations

import pytest

from ispguide.engine.errors import GuideError
from ispguide.engine.words import DAY, HOUR, amount, span
from ispguide.mail.log import traffic
from ispguide.mail.log.journal import all_judged, lines
from ispguide.mail.measures import certificate, mailboxes


def said(out: str) -> dict:
    return {"rc": 0, "out": out, "err": ""}


QUEUE = """\
1795556070
{"queue_name": "deferred", "queue_id": "94F351B8011", "arrival_time": 1795556000, "message_size": 310, "forced_expire": false, "sender": "anna@example.test", "recipients": [{"address": "someone@[198.18.250.2]", "delay_reason": "lost connection with 198.18.250.2[198.18.250.2] while receiving the initial server greeting"}]}
{"queue_name": "deferred", "queue_id": "9231F1B8010", "arrival_time": 1795469670, "message_size": 310, "forced_expire": false, "sender": "", "recipients": [{"address": "a@b.test", "delay_reason": "connect to b.test[192.0.2.1]:25: Connection timed out"}, {"address": "c@b.test"}]}
{"queue_name": "active", "queue_id": "9231F1B8019", "arrival_time": 1795556080, "message_size": 310, "forced_expire": false, "sender": "x@y.test", "recipients": [{"address": "z@b.test"}]}
"""


def test_the_queue_oldest_first():
    rows = traffic.waiting(said(QUEUE))
    assert [(r.number, r.age) for r in rows] == [
        ("9231F1B8010", 86400.0),
        ("94F351B8011", 70.0),
        ("9231F1B8019", 0.0),  # its clock is a little ahead
    ]
    assert rows[0].recipients == ("a@b.test", "c@b.test")
    words = traffic.queue_words(rows)
    assert words.startswith("3 mails wait, the oldest for 1 day")
    assert "1 because the other server does not answer" in words
    assert "it is being delivered just now" in words


def test_an_empty_queue_is_good_news():
    assert traffic.waiting(said("1795556070\n")) == []
    assert "empty" in traffic.queue_words([])


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("connect to mx.b.test[192.0.2.1]:25: Connection refused", "nobody listens"),
        ("Host or domain name not found. Name service error for name=b.test", "DNS"),
        ("host mx said: 451 4.7.1 Greylisted, try again later", "come again later"),
        ("host mx said: 452 4.2.2 Mailbox full", "mailbox is full"),
        ("connect to mail[private/dovecot-lmtp]: No such file", "Dovecot"),
        ("host mx said: 421 busy", "not now"),
        ("something new", "something new"),
    ],
)
def test_reasons_in_words(reason, words):
    assert words in traffic.meaning(reason)


VERDICTS = """\
1795555206.019814 mail.example.test rspamd[366]: #366(rspamd_proxy) <c88f70>; proxy; rspamd_task_write_log: id: <b@elsewhere.test>, qid: <DE4AA1B83E4>, ip: 198.19.134.1, from: <stranger@elsewhere.test>, (default: F (no action): [2.00/15.00] []), len: 362, time: 12.115ms
1795555205.019814 mail.example.test rspamd[366]: #366(rspamd_proxy) <e4e4>; proxy; rspamd_task_write_log: id: <undef>, ip: 198.19.134.1, from: <>, (default: T (add header): [8.90/15.00] [MISSING_MID(2.50){},FROM_INVALID(2.00){},MIME_TRACE(0.00){0:+;}]), len: 36, time: 11.301ms
1795555204.9 mail.example.test rspamd[366]: rspamd_map_dns_callback: cannot resolve maps.rspamd.com
1795555203.5 mail.example.test rspamd[366]: x; rspamd_task_write_log: id: <c@x>, qid: <A1>, ip: 1.2.3.4, from: <a@b>, (default: S (reject): [-15.50/15.00] [GTUBE(0.00){}]), len: 364, time: 1ms
"""


def test_verdicts_oldest_first():
    rows = traffic.scores(said(VERDICTS))
    assert [(r.score, r.action) for r in rows] == [
        (-15.5, "reject"),
        (8.9, "add header"),
        (2.0, "no action"),
    ]
    assert rows[1].message_id == "undef" and rows[1].queue_id == ""
    assert [s.name for s in rows[1].symbols][:2] == ["MISSING_MID", "FROM_INVALID"]
    assert rows[1].symbols[2].about == "0:+"
    words = traffic.score_words(rows)
    assert words == "Of the last 3 mails: 1 refused, 1 put into Junk, 1 let in."


def test_no_verdicts_and_lines_that_are_none():
    assert traffic.scores(said("")) == []
    assert "no mail yet" in traffic.score_words([])
    assert all_judged(lines("-- No entries --\n\n  folded\n")) == []


SIZES = """\
Username\tmailbox\tmessages\tvsize
anna@example.test\tTrash\t1\t1000
anna@example.test\tINBOX\t2\t3106
"""
PEOPLE = {"rows": [["anna@example.test", "0"], ["bob@example.test", "100"]]}


def test_mailboxes_with_and_without_mail():
    rows = mailboxes.boxes(PEOPLE, said(SIZES))
    assert rows == [
        mailboxes.Box("anna@example.test", 3, 4106, 0),
        mailboxes.Box("bob@example.test", 0, 0, 100),
    ]
    assert mailboxes.box_words(rows) == "2 mailboxes with 3 mails, 4.1 kB in all."
    full = mailboxes.Box("c@example.test", 1, 95, 100)
    assert mailboxes.box_words([full]).endswith("Nearly full: c@example.test.")
    assert "no mailbox yet" in mailboxes.box_words([])


CERT = """\
1795556070
notBefore=Nov 24 21:12:41 2026 GMT
notAfter=Feb 22 21:12:41 2027 GMT
issuer=C = US, O = Let's Encrypt, CN = R10
X509v3 Subject Alternative Name: 
    DNS:mail.example.test, DNS:imap.example.test
"""  # noqa: W291


def test_the_certificates_life():
    cert = certificate.certificate(said(CERT))
    assert (cert.end - cert.begin) / DAY == 90
    assert (cert.end - cert.due) / DAY == 30
    assert cert.issuer == "R10" and len(cert.names) == 2
    words = certificate.certificate_words(cert)
    assert words.startswith("It ends in 89 days; certbot renews it in 59 days.")


@pytest.mark.parametrize(
    ("after", "words"),
    [(75 * DAY, "certbot should renew it now"), (91 * DAY, "It ended 1 day ago!")],
)
def test_a_certificate_that_is_late(after, words):
    begin = 1795554761.0
    cert = certificate.Certificate(
        begin, begin + 90 * DAY, begin + after, "R10", ("x",)
    )
    assert words in certificate.certificate_words(cert)


def test_one_with_a_short_life_is_due_at_once():
    cert = certificate.Certificate(100.0, 100.0 + 6 * DAY, 200.0, "R10", ("x",))
    assert cert.due == cert.begin


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "the command doveadm is not installed"},
        {"rc": 127, "out": "", "err": "sh: 1: postqueue: not found\n"},
    ],
)
def test_what_cannot_be_measured_is_said_in_three_parts(answer):
    for read in (
        traffic.waiting,
        traffic.scores,
        certificate.certificate,
        lambda a: mailboxes.boxes(PEOPLE, a),
    ):
        with pytest.raises(GuideError) as told:
            read(answer)
        assert told.value.is_ and told.value.should and told.value.do
        assert told.value.kind == "no-answer"
    with pytest.raises(GuideError) as told:
        mailboxes.boxes({"error": "MariaDB is off"}, said(SIZES))
    assert told.value.kind == "no-answer" and "05" in told.value.do


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"), (1, "1 second"), (59, "59 seconds"), (60, "1 minute"),
        (2 * HOUR, "2 hours"), (DAY, "1 day"), (400 * DAY, "400 days"),
        (800 * DAY, "2 years"),
    ],
)  # fmt: skip
def test_spans(seconds, words):
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (3106, "3.1 kB"), (95e6, "95 MB"), (2.5e12, "2500 GB")],
)  # fmt: skip
def test_amounts(size, words):
    assert amount(size) == words
