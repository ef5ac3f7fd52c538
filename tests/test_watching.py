"""Watching: the look's own reasoning, the trace of letters, the flow of mail.

The journal's lines were said by a real server (tests/recorded/traces.txt).
"""

from __future__ import annotations

import json
import types
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from ispguide import tasks
from ispguide.cli.mail import as_text
from ispguide.engine.errors import GuideError
from ispguide.mail.log import journal, trace, traffic
from ispguide.mail.log.traffic import OTHER, refusal
from ispguide.mail.log.way import Way, way
from ispguide.mail.measures import health
from ispguide.remote import flow, look
from ispguide.replay import Recorded
from ispguide.tasks import base, watching
from ispguide.tasks.watching import _search_word
from ispguide.views import journey
from ispguide.views import watching as shown

from .fake import SETTINGS

LINES = list(
    journal.lines((Path(__file__).parent / "recorded" / "traces.txt").read_text())
)


def named(what: str) -> list[Way]:
    """The ways of the letters that a word names, the newest first."""
    found = [line for line in LINES if trace.holds(line, what)]
    ties = set(trace.newest([line for line in found if not trace.refused(line)]))
    for _ in range(trace.ROUNDS):
        more = [x for x in LINES if ties & set(trace.ties(x))]
        ties |= {tie for line in more for tie in trace.ties(line)}
    alone = [line for line in found if trace.refused(line)]
    return [way(g) for g in reversed(trace.messages([*more, *alone]))]


# --- the trace ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "fate", "words"),
    [
        ("E823C6DA00E", "delivered", "folder INBOX of anna@example.test."),
        ("179558067874.15113.4271376836323304819@friend.test", "delivered", "INBOX"),
        ("272416DA004", "junk", "it looked like spam"),
        ("7D2846DA00E", "passed", "(away@example.test leads there)"),
        ("141646DA00F", "delivered", "(team@example.test leads there)"),
        ("4D78F6DA004", "waits", "because Dovecot does not take it"),
        ("67BBB6DA010", "refused", "certain that it is spam"),
        ("A5CF96DA00F", "refused", "block list"),
        ("29E1C6DA011", "later", "come again"),
        ("D7D4F6DA013", "returned", "cannot be looked up in the DNS"),
        ("nobody@example.test", "refused", "Nobody of this name lives here"),
    ],
)
def test_what_became_of_a_letter_in_words(what, fate, words):
    (one,) = [w for w in named(what) if what in w.names or not w.names]
    assert one.fate == fate
    assert words in one.ends[0].words
    assert words in as_text(one) and what in as_text(one)
    times = [hop.at for hop in one.hops]
    assert times == sorted(times) and times[0] >= 0


def test_an_address_names_all_its_letters_and_not_those_of_others():
    fates = [w.fate for w in named("anna@example.test")]
    assert {"delivered", "refused", "later", "waits", "returned"} <= set(fates)
    assert not trace.holds(LINES[0], "nna@example.test")
    line = replace(LINES[0], text="to=<joanna@example.test>")
    assert not trace.holds(line, "anna@example.test")
    assert trace.holds(
        replace(line, text="to=<Anna@Example.test>,"), "anna@example.test"
    )


def test_a_letter_without_a_message_id_is_followed_by_its_session():
    line = next(x for x in LINES if x.text.endswith("message-id=<>"))
    assert trace.ties(line) == ["272416DA004"]
    (one,) = named("272416DA004")
    assert "puts it into Junk" in [hop.what for hop in one.hops]
    assert "no Message-ID" in one.hops[1].words


def test_who_brought_it_and_what_happens_after():
    hops = {hop.what: hop for w in named("D7D4F6DA013") for hop in w.hops}
    assert "anna@example.test" in hops["takes it from the machine"].words
    assert "DCA546DA0A1" in hops["tells the sender"].words
    assert hops["gives up"].state == "no"
    given = "1.0 h postfix/submission/smtpd[1]: 4D78F6DA099: client=x[192.0.2.1], sasl_method=PLAIN, sasl_username=anna@example.test"
    (line,) = journal.lines(given)
    assert "anna@example.test brought it" in way([line]).hops[0].words
    assert way([line]).fate == "unknown"


@pytest.mark.parametrize(
    ("text", "what", "fate"),
    [
        ("sieve: msgid=<a@b.test>: forwarded to <x@y.test>", "sends it on", "passed"),
        ("sieve: msgid=<a@b.test>: stored mail into mailbox 'Club'", "puts it into Club", "delivered"),
    ],
)  # fmt: skip
def test_a_rule_of_the_owner(text, what, fate):
    rows = (
        f"1.0 h dovecot[1]: lmtp(a@b.test)<7><sEs>: {text}\n"
        "1.1 h postfix/lmtp[1]: 4D78F6DA099: to=<a@b.test>, relay=h[private/dovecot-lmtp], delay=0.1, "
        "delays=0/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 <a@b.test> sEs Saved)\n"
    )
    (group,) = trace.messages(journal.lines(rows))
    one = way(group)
    assert (one.hops[0].what, one.fate) == (what, fate)


@pytest.mark.parametrize("what", ["", "  ", "abc", "two words", "<a>"])
def test_what_names_no_letter_is_said(what):
    with pytest.raises(GuideError) as stop:
        _search_word(what)
    assert stop.value.kind == "no-such-message"


def test_a_word_for_the_shell_stays_a_word():
    assert "'x; rm -rf /'" in trace.search(["x; rm -rf /"], 7)
    assert _search_word(" <a@b.test> ") == "a@b.test"


def test_a_replay_and_a_slow_journal_say_so(monkeypatch):
    class Slow:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    late = types.SimpleNamespace(
        server=Slow(),
        settings=SETTINGS,
        exchange=lambda tell: types.SimpleNamespace(
            have=dict.fromkeys(tell, {"error": "no answer within 10 s"})
        ),
    )
    monkeypatch.setattr(base, "open_guide", lambda *_: late)
    for outside, kind in ((base.World, "no-answer"), (Recorded, "not-recorded")):
        late.outside = outside(late.server)
        with pytest.raises(GuideError) as stop:
            watching.trace(tasks.HERE, "anna@example.test")
        assert stop.value.kind == kind


def test_what_a_stranger_wrote_is_escaped():
    rows = "1.0 h postfix/smtpd[1]: NOQUEUE: reject: RCPT from x[192.0.2.1]: 550 5.1.1 <q>: no; from=<<script>@b.test> to=<a@b.test>"
    one = way(list(journal.lines(rows)))
    html = journey.ways_html([one])
    assert "<script>" not in html and "refused" in html
    assert "refused" in journey.ways_text([one])
    assert "knows no such letter" in journey.ways_html([])
    assert journey.ways_text([]) == journey.NOTHING


# --- the look ----------------------------------------------------------------


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings as they lie on the server."""
    monkeypatch.setattr(look, "settings", lambda: asdict(SETTINGS))


def row(key: str, state: str = "look", what: str = "") -> dict:
    return {
        "what": what or key,
        "key": key,
        "state": state,
        "words": f"{key}.",
        "do": "",
    }


@pytest.mark.parametrize(
    ("before", "now", "new", "over"),
    [
        ([], [row("a")], ["a"], []),
        ([row("a")], [row("a")], [], []),
        ([row("a")], [row("a", "act")], ["a"], []),
        ([row("a")], [row("a", "fine")], [], ["a"]),
        ([row("a")], [], [], ["a"]),
        ([], [row("a", "fine"), row("b", "unknown")], [], []),
        # Who could not tell tonight has not found that it is over.
        ([row("listed", what="list")], [row("x", "unknown", "list")], [], []),
    ],
)
def test_only_what_changed_is_news(before, now, new, over):
    kept = {r["key"]: r for r in before}
    memory, found, ended = look.changes(now, kept)
    assert [r["key"] for r in found] == new and [r["key"] for r in ended] == over
    assert look.changes(now, memory)[1:] == ([], []), "the second time it is no news"


def test_the_mail_says_what_to_do():
    over = [{**row("b"), "words": "It was so."}]
    text = look.report("a@b.test", [{**row("a", "act"), "do": "Do it."}], over).decode()
    for words in ("ACT: a.", "Do it.", "OVER: It was so.", "To: a@b.test", "2 changes"):
        assert words in text


def test_mail_first_and_then_the_memory(tmp_path, monkeypatch, capsys):
    """A mail that does not leave must be tried again the next night."""
    sent: list[bytes] = []

    def fails(*_: object, **__: object) -> None:
        raise OSError("no sendmail")

    monkeypatch.setattr(look.subprocess, "run", fails)
    with pytest.raises(OSError):
        look.mail_changes([row("a")], tmp_path / "s", "a@b.test")
    assert not (tmp_path / "s").exists()
    monkeypatch.setattr(
        look.subprocess, "run", lambda *a, input, check: sent.append(input)
    )
    for _ in range(2):
        look.mail_changes([row("a")], tmp_path / "s", "a@b.test")
    assert len(sent) == 1 and "Nothing changed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("used", "state"), [(0.5, "fine"), (0.81, "look"), (0.91, "act")]
)  # fmt: skip
def test_a_disk_is_judged(monkeypatch, used, state):
    free = int(1000 * (1 - used))
    room = types.SimpleNamespace(
        f_blocks=1000, f_bfree=free, f_bavail=free, f_frsize=4096, f_files=0, f_favail=0
    )
    monkeypatch.setattr(look.os, "statvfs", lambda place: room)
    assert {r[1] for r in look.disk()} == {state}


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"time": 0, "ok": True}, "backup old"),
        ({"time": 4e9, "ok": True}, "backup"),
        ({"time": 4e9, "ok": False, "failed": "no room"}, "backup failed"),
        (None, "backup none"),
    ],
)
def test_a_backup_is_judged(monkeypatch, tmp_path, said, state):
    path = tmp_path / "backup.json"
    if said:
        path.write_text(json.dumps(said))
    monkeypatch.setattr(look, "BACKUP", path)
    assert [r[0] for r in look.backup()] == [state]


def test_failed_logins_of_every_kind_are_counted(monkeypatch):
    text = (
        "imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): "
        "user=<anna@example.test>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, TLS\n"
        "warning: unknown[192.0.2.7]: SASL PLAIN authentication failed: \n"
        "Failed password for invalid user admin from 2001:db8::7 port 4711 ssh2\n"
    )
    monkeypatch.setattr(look, "said", lambda *argv: text)
    ((key, state, words, _),) = look.logins()
    assert (key, state) == ("logins", "fine")
    assert (
        "3 failed logins" in words
        and "2 addresses" in words
        and "192.0.2.7 (2)" in words
    )


def test_what_cannot_be_told_is_said_and_stops_nothing(monkeypatch, tmp_path):
    def silent(*_: object) -> str:
        raise look.CannotTell("no answer")

    monkeypatch.setattr(look, "said", silent)
    monkeypatch.setattr(look, "listed", silent)
    rows = look.look(tmp_path, None)
    states = {r["what"]: r["state"] for r in rows}
    assert states["queue"] == states["block list"] == "unknown"
    assert states["memory"] == "fine", "the others are looked at all the same"


def test_a_note_of_ones_own_takes_part(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "ups").write_text("The battery is old.\nmore\n")
    (found,) = look.look(tmp_path, ["notes"])
    assert (found["state"], found["words"]) == ("look", "The battery is old.")


def test_health_is_the_gravest_first():
    looks = [row("a", "fine"), row("b", "act"), row("c", "unknown"), row("d", "look")]
    answer = {"rc": 0, "out": json.dumps({"time": 1, "looks": looks}), "err": ""}
    seen = health.health(answer)
    assert [s.state for s in seen] == ["act", "look", "unknown", "fine"]
    assert health.worst(seen) == "act"
    words = health.health_words(seen)
    assert "1 thing needs you now" in words and "1 part could not be told" in words
    html = shown.health_html((seen, []))
    assert "✗ act" in html and "○ look" in html
    assert shown.judged((seen, []))[0] == "failed"


def test_a_server_that_cannot_be_looked_at_says_so():
    with pytest.raises(GuideError) as stop:
        health.health({"rc": 1, "out": "", "err": "python3: not found"})
    assert stop.value.kind == "no-answer" and "python3" in stop.value.evidence


# --- the flow ----------------------------------------------------------------


def flowing(*rows: tuple) -> traffic.Flow:
    out = json.dumps({"now": 1795580000, "rows": rows})
    return traffic.flow({"rc": 0, "out": out, "err": ""})


DAY0 = 1795564800  # 2026-11-25 00:00 UTC
ROWS = (
    (DAY0, "received", "", 5),
    (DAY0 + 3600, "sent", "", 2),
    (
        DAY0 + 3600,
        "refused",
        "550 5.1.1 <>: Recipient address rejected: User unknown",
        3,
    ),
    (DAY0 + 3600, "later", "4.7.1 Try again later", 1),
    (DAY0 + 3600, "score", "16", 2),
)


def test_mail_is_counted_by_hour_and_later_by_day():
    one = flowing(*ROWS).by_time("Etc/UTC")
    assert list(one["received"]) == [5, 0] and list(one["refused"]) == [0, 3]
    more = flowing(*ROWS, (DAY0 + 3 * 86400, "sent", "", 9)).by_time("Europe/Berlin")
    assert list(more["sent"]) == [2, 0, 0, 9], "days without mail are days too"


def test_reasons_and_points():
    seen = flowing(*ROWS)
    assert dict(seen.reasons()) == {"nobody of this name": 3, "grey list": 1}
    assert dict(seen.points()) == {16: 2}
    words = traffic.flow_words(seen)
    assert "5 received, 2 sent, 3 refused, 1 told to come again" in words
    assert "nobody of this name (3 of 4)" in words
    html = shown.flow_html((seen, SETTINGS))
    assert html.count("<svg") == 3 and "<td>nobody of this name</td><td>3</td>" in html


def test_no_mail_is_said_and_not_drawn():
    html = shown.flow_html((flowing(), SETTINGS))
    assert "No mail came or went" in html and "<svg" not in html


def test_the_counting_on_the_server_knows_every_line():
    """The program runs there; its judgement of a line is tried here."""
    counts: dict[str, int] = {}
    for line in LINES:
        if kind := flow.kind_of(str(line)):
            counts[kind[0]] = counts.get(kind[0], 0) + 1
    # Delivered: two to Anna, one to Junk, one notice; passed on: one, and one in time.
    assert (counts["received"], counts["sent"], counts["returned"]) == (4, 2, 1)
    assert counts["refused"] == 3 and counts["later"] == 1 and counts["score"] > 7


@pytest.mark.parametrize(
    ("said", "short"),
    [
        ("554 5.7.1 <x@y.test>: Relay access denied", "not for us"),
        ("5.7.1 Gtube pattern", "spam"),
        ("550 5.1.1 <spam@example.test>: User unknown", "nobody of this name"),
        ("452 4.2.2 <a@b.test> Mailbox is full", "mailbox full"),
        ("553 5.7.1 <a@b.test>: Sender address rejected: not logged in", "no login"),
        ("450 4.7.1 Client host rejected: cannot find your reverse hostname", "no reverse name"),
        ("550 5.9.9 because", OTHER.short),
    ],
)  # fmt: skip
def test_a_refusal_in_words(said, short):
    assert refusal(said).short == short
