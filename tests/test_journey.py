"""The journey of a mail, from what a real server really said (tests/recorded)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ispguide.mail.log import clocks, journal
from ispguide.mail.log import hops as dialogue
from ispguide.mail.log import trace as log
from ispguide.mail.log.clocks import Record
from ispguide.mail.log.hops import Hop, in_order, outcome
from ispguide.proofs.journey import trace_lines

RECORDED = json.loads(
    (Path(__file__).parent / "recorded" / "journeys.json").read_text()
)
KINDS = ("letter", "spam", "nobody")


def recorded(kind: str) -> tuple[list[journal.Line], log.Message, list[dialogue.Turn]]:
    about = RECORDED[kind]
    lines = list(journal.lines("\n".join(about["lines"])))
    record = [(at, line) for at, line in about["record"]]
    return lines, log.Message(about["mark"], about["number"]), dialogue.turns(record)


def hops_of(kind: str) -> list[Hop]:
    """Both halves of the journey, as `travel` puts them together."""
    lines, message, spoken = recorded(kind)
    about = [*log.knock(lines, message), *log.of(lines, message)]
    zero = clocks.zero(about, spoken)
    assert zero is not None
    heard = list(dialogue.smtp_dialogue(RECORDED[kind]["record"]))
    return in_order([*heard, *log.told(lines, message, zero)])


def line(text: str, program: str = "postfix/lmtp", time: float = 5.0) -> journal.Line:
    return journal.Line(time, program, "1", text)


# --- at the door -------------------------------------------------------------


def test_turns_are_said_and_answered():
    _, _, spoken = recorded("letter")
    verbs = [turn.verb for turn in spoken]
    assert verbs == [
        "",
        "EHLO",
        "STARTTLS",
        "EHLO",
        "MAIL",
        "RCPT",
        "DATA",
        ".",
        "QUIT",
    ]
    assert all(turn.at <= turn.answered for turn in spoken)
    assert spoken[-2].last.startswith("250 2.0.0 Ok: queued as ")
    assert len(spoken[1].heard) > 5, "EHLO is answered with many lines"


def test_a_turn_without_answer_is_told_only_when_it_says_something_by_itself():
    record = [(0.0, "   (connected to port 25)"), (0.1, "S: 220 x"), (0.2, "C: EHLO y")]
    assert [h.what for h in dialogue.smtp_dialogue(record)] == ["knocks at port 25"]
    record += [(0.3, "C: RCPT TO:<a@b.test>")]
    assert [h.what for h in dialogue.smtp_dialogue(record)][-1] == "names the recipient"


@pytest.mark.parametrize(
    ("said", "state"), [("250 Ok", "ok"), ("451 4.7.1 later", "wait"), ("554 no", "no")]
)
def test_the_first_digit_decides(said, state):
    record = [(0.0, "S: 220 x"), (0.1, "C: Date: now\n   ."), (0.2, f"S: {said}")]
    last = list(dialogue.smtp_dialogue(record))[-1]
    assert (last.what, last.state, last.who) == (
        f"answers {said[:3]}",
        state,
        "postfix",
    )


def test_the_number_in_the_last_word():
    assert dialogue.queued_as("250 2.0.0 Ok: queued as 4Xy12z") == "4Xy12z"
    assert dialogue.queued_as("554 5.7.1 no") == ""


# --- the address book --------------------------------------------------------


def have_for(to: str, answers: dict[tuple[str, str], str]) -> dict:
    have: dict = {}
    for fact in dialogue.user_database_facts(to):
        if fact[0] == "file":
            text = "user = mailserver\npassword = hidden-words\nquery = SELECT 1 FROM t WHERE k='%s'\n"
            have[fact] = {"kind": "file", "text": text}
        else:
            found = [
                v
                for (b, k), v in answers.items()
                if b in fact[1] and f" {k} " in fact[1]
            ]
            have[fact] = {"rc": 0 if found else 1, "out": "".join(found), "err": ""}
    return have  # fmt: skip


def asked(to: str, answers: dict[tuple[str, str], str]) -> list[Hop]:
    return list(dialogue.in_the_user_database(0.5, to, have_for(to, answers)))


OURS = {(dialogue.DOMAINS, "b.test"): "1"}


def test_a_mailbox_is_found_by_itself():
    hops = asked("a@b.test", OURS | {(dialogue.ITSELF, "a@b.test"): "a@b.test"})
    assert [h.what for h in hops] == [
        "is b.test ours?",
        "does the address lead elsewhere?",
        "is the address a mailbox?",
    ]
    assert hops[-1].words.startswith("Yes")


def test_an_alias_ends_the_questions():
    hops = asked("tea@b.test", OURS | {(dialogue.ALIASES, "tea@b.test"): "a@b.test\n"})
    assert hops[-1].words == "Yes: its mail goes to a@b.test."
    assert len(hops) == 2


def test_a_tag_is_taken_off_and_a_catch_all_comes_last():
    keys = [
        key
        for table, key in dialogue.questions("a+shop@b.test")
        if table == dialogue.ALIASES
    ]
    assert keys == ["a+shop@b.test", "a@b.test", "@b.test"]  # fmt: skip


def test_nobody_is_asked_for_in_every_map():
    hops = asked("x@b.test", OURS)
    assert "does @b.test catch all?" in [h.what for h in hops]
    assert hops[-1].words.startswith("No.")


def test_a_foreign_domain_is_one_question():
    assert [h.words[:3] for h in asked("x@c.test", OURS)] == ["No."]


def test_only_the_query_of_a_map_is_shown():
    hops = asked("o'hara@b.test", OURS)
    shown = "\n".join(h.detail for h in hops)
    assert "hidden-words" not in shown and "mailserver" not in shown
    assert "WHERE k='o'hara@b.test'" in shown
    assert "postmap -q 'o'\"'\"'hara@b.test'" in shown, "quoted for the shell"


def test_a_map_that_cannot_be_asked_is_named():
    have = have_for("a@b.test", OURS)
    for fact in list(have):
        if fact[0] == "run":
            have[fact] = {"error": "no answer within 10 s"}
    (hop,) = dialogue.in_the_user_database(0.0, "a@b.test", have)
    assert hop.state == "note" and "no answer within 10 s" in hop.words


# --- the journal -------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_only_its_own_lines(kind):
    lines, message, _ = recorded(kind)
    others = {RECORDED[k]["mark"] for k in KINDS if k != kind}
    mine = log.of(lines, message)
    assert mine
    assert not [row for row in mine if any(o in row.text for o in others)]


def test_a_refusal_has_no_number():
    """NOQUEUE is none: else every refusal of the last minutes would be taken for ours."""
    lines, message, _ = recorded("nobody")
    assert log.number(lines, message.mark) == ""
    lines, message, _ = recorded("spam")
    assert log.number(lines, message.mark) == message.number != ""


def test_the_letter_arrives_in_order():
    hops = hops_of("letter")
    names = [h.what for h in hops]
    order = [
        "knocks at port 25",
        "names the recipient",
        "gives it a number",
        "hands the letter over",
        "writes it down",
        "gives it 2.0 points",
        "puts it into the queue",
        "puts it into INBOX",
        "has handed it over",
        "forgets the letter",
    ]
    assert [n for n in names if n in order] == order
    assert log.ended(hops)
    assert outcome(hops) == next(h for h in hops if h.what == "puts it into INBOX")


def test_what_dovecot_complains_about_is_one_hop():
    complaints = [h for h in hops_of("letter") if h.what == "complains"]
    assert len(complaints) == 1
    assert complaints[0].detail.count("Error: sieve") == 2


@pytest.mark.parametrize("kind", ["spam", "nobody"])
def test_a_refusal_is_the_end(kind):
    hops = hops_of(kind)
    end = outcome(hops)
    assert end and (end.state, end.who) == ("no", "postfix")
    assert log.ended(hops)
    assert not [h for h in hops if h.who in ("dovecot", "reader")]


def test_rspamd_is_heard_between_the_letter_and_the_answer():
    for kind in ("letter", "spam"):
        hops = hops_of(kind)
        at = {h.what: h.at for h in hops}
        verdict = next(h for h in hops if h.who == "rspamd")
        answer = [h for h in hops if h.what in ("answers 250", "answers 554")][-1]
        assert at["hands the letter over"] <= verdict.at <= answer.at


def test_clocks_that_differ_by_an_hour_tell_the_same_journey():
    lines, message, spoken = recorded("letter")
    about = [*log.knock(lines, message), *log.of(lines, message)]
    later = [journal.Line(x.time + 3600, x.program, x.pid, x.text) for x in about]
    first, second = clocks.zero(about, spoken), clocks.zero(later, spoken)
    assert first and second and abs(second - first - 3600) < 1e-3


def test_without_a_line_to_go_by_no_clock_is_guessed():
    assert clocks.zero([], []) is None


JUNK = """\
5.10 mail dovecot[84]: lmtp(a@b.test)<541><uVCTBIb/BWsdAgAAUi6ngw>: sieve: msgid=unspecified: fileinto action: stored mail into mailbox 'Junk'
5.20 mail dovecot[84]: lmtp(c@b.test)<9><AnotherSessionAltogether>: sieve: msgid=<z>: stored mail into mailbox 'INBOX'
5.30 mail postfix/lmtp[536]: E03221B8434: to=<a@b.test>, orig_to=<tea@b.test>, relay=mail[private/dovecot-lmtp], delay=0.21, delays=0.14/0.02/0.03/0.03, dsn=2.0.0, status=sent (250 2.0.0 <a@b.test> uVCTBIb/BWsdAgAAUi6ngw Saved)
"""


def test_dovecots_line_is_found_by_its_session():
    lines = list(journal.lines(JUNK))
    hops = log.told(lines, log.Message("proof0", "E03221B8434"), 5.0)
    assert [h.what for h in hops] == ["puts it into Junk", "has handed it over"]
    assert "A filter rule put it there." in hops[0].words
    assert "tea@b.test led there" in hops[1].words
    assert "in the queue: 0.02 s" in hops[1].detail


@pytest.mark.parametrize(
    ("status", "what", "state"),
    [
        ("deferred (connect to private/dovecot-lmtp: Connection refused)",
         "could not hand it over yet", "wait"),
        ("bounced (host mail said: 552 5.2.2 over quota)", "gives up", "no"),
    ],
)  # fmt: skip
def test_a_letter_that_does_not_get_through(status, what, state):
    text = f"AB12CD: to=<a@b.test>, relay=none, delay=1, delays=0.1/0/0.9/0, dsn=4.4.1, status={status}"
    (hop,) = log.told([line(text)], log.Message("m", "AB12CD"), 4.0)
    assert (hop.what, hop.state, hop.at) == (what, state, 1.0)
    assert status.split("(")[1][:-1] in hop.words
    assert log.ended([hop])


def test_the_grey_list_says_when():
    text = (
        "x; proxy; rspamd_task_write_log: id: <m@x>, qid: <AB12CD>, ip: 1.2.3.4, from: <a@b>, "
        "(default: F (soft reject): [7.30/15.00] [HFILTER(2.50){},GREYLIST(0.00){greylisted;"
        "Tue, 24 Nov 2026 21:33:46 GMT;new record;}]), len: 3, time: 1ms"
    )
    (hop,) = log.told([line(text, "rspamd")], log.Message("m", "AB12CD"), 5.0)
    assert (hop.state, hop.what) == ("wait", "gives it 7.3 points")
    assert "from 24 Nov 2026 21:33:46 GMT on it is let in" in hop.words
    assert outcome([hop]) == hop


def test_nothing_seen_is_no_outcome():
    assert outcome([]) is None


# --- reading -----------------------------------------------------------------


def test_the_header_tells_its_way_and_nothing_else():
    mail = (
        "Return-Path: <s@x.test>\nReceived: from a by b\n\tid 1; now\nX-Other: no\n"
        "X-Spamd-Result: default: False [2.00 / 15.00];\n\tA(1.00)[]\nSubject: hello\n\nbody: no\n"
    )
    assert trace_lines(mail) == [
        "Return-Path: <s@x.test>",
        "Received: from a by b id 1; now",
        "X-Spamd-Result: default: False [2.00 / 15.00]; A(1.00)[]",
        "Subject: hello",
    ]


def test_a_record_knows_when_each_line_was_said():
    record = Record()
    record.append("C: EHLO")
    record.append("S: 250")
    assert list(record) == ["C: EHLO", "S: 250"]
    times = [at for at, _ in record.heard]
    assert times == sorted(times) and times[-1] <= record.now
