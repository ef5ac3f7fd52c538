"""The fences as tables: doors, rules, a change that takes itself back, who guesses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ispguide.chapters import GUIDE
from ispguide.engine import facts, problems
from ispguide.engine.actions import Run
from ispguide.engine.errors import CannotReachServer, GuideError
from ispguide.engine.gaps import Unsure
from ispguide.engine.server import Answer, ignore
from ispguide.engine.templates import render
from ispguide.mail import firewall as fw
from ispguide.mail.firewall import CAME_BY, IN_FORCE, Firewall
from ispguide.mail.measures import bans
from ispguide.outside import trial
from ispguide.views.watching import bans_html

from .fake import SETTINGS

LISTENING = [["0.0.0.0", 22, "sshd"], ["::", 22, "sshd"], ["127.0.0.1", 6010, "sshd"]]
UNIT = {"load": "loaded", "active": "active", "enabled": "enabled", "result": ""}


def ran(out: str = "", rc: int = 0) -> dict:
    return {"rc": rc, "out": out, "err": ""}


def have(firewall: Firewall, **other) -> dict:
    there = {"kind": "file", "mode": "0644", "owner": "root", "group": "root"}
    return {
        facts.file(fw.RULES): there | {"text": other.get("text", firewall.text)},
        facts.listening(): other.get("listening", LISTENING),
        CAME_BY: ran(other.get("came_by", "22\n")),
        IN_FORCE: other.get("in_force", ran()),
        facts.unit(fw.UNIT): UNIT | other.get("unit", {}),
    }


# --- doors -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tcp", "udp"),
    [
        ("", [], []),
        ("8080", [8080], []),
        ("8080, 51820/udp 25565/tcp", [8080, 25565], [51820]),
        ("53/udp,53/tcp,53", [53], [53]),
    ],
)
def test_doors_of_ones_own(text, tcp, udp):
    assert problems.of(replace(SETTINGS, more_ports=text)) == []
    assert fw.own(text) == {"tcp": tcp, "udp": udp}


@pytest.mark.parametrize("text", ["ssh", "70000", "0", "8080/sctp", "22; flush", "-1"])
def test_what_names_no_door_is_said(text):
    (said,) = problems.of(replace(SETTINGS, more_ports=text.replace("; ", ";")))
    assert "no port" in said


def test_the_way_in_is_where_sshd_answers_and_where_we_came_in():
    assert fw.of_ssh([("0.0.0.0", 2222, "sshd")], "") == [2222]
    assert fw.of_ssh(LISTENING, "22\n") == [22]
    assert fw.of_ssh([("::", 22, "systemd")], "2022\n") == [2022]


def test_a_day_holds_what_an_hour_holds():
    (said,) = problems.of(replace(SETTINGS, mails_per_hour=9, mails_per_day=8))
    assert "mails_per_day" in said


# --- rules -------------------------------------------------------------------


def test_the_rules_name_each_door_and_no_table_of_others():
    text = Firewall(replace(SETTINGS, pop3=False, more_ports="8080 51820/udp")).text
    rules = [line.strip() for line in text.splitlines() if "#" not in line]
    assert "tcp dport { 25, 80, 143, 443, 465, 587, 993 } accept" in rules
    assert "tcp dport { 8080 } accept" in rules
    assert "udp dport { 51820 } accept" in rules
    assert not [line for line in rules if "flush" in line]
    assert {w for line in rules if "table" in line for w in line.split()} <= {
        *("table", "delete", "inet", "ispguide", "{")
    }


def test_well_is_well():
    firewall = Firewall(SETTINGS)
    assert firewall.gap(have(firewall)) == ""
    assert set(firewall.facts()) == set(have(firewall))


def test_another_port_of_ssh_is_a_gap_and_goes_into_the_rules():
    firewall = Firewall(SETTINGS)
    moved = have(firewall, listening=[["::", 2222, "sshd"]], came_by="2222\n")
    gap = firewall.gap(moved)
    assert gap.kind == "differs" and "+\t\ttcp dport { 2222 } accept" in gap
    (action,) = firewall.fix(moved)
    assert isinstance(action, fw.Try)
    assert "tcp dport { 2222 } accept" in action.stdin
    assert "over a new SSH connection" in action.by_hand()


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        ({"text": "# by hand"}, "differs"),
        ({"in_force": ran(rc=1)}, "stale"),
        ({"unit": {"enabled": "disabled"}}, "not-enabled"),
    ],
)
def test_each_gap_is_named(other, kind):
    firewall = Firewall(SETTINGS)
    assert firewall.gap(have(firewall, **other)).kind == kind


def test_no_answer_is_no_gap():
    firewall = Firewall(SETTINGS)
    told = firewall.gap(have(firewall, in_force={"error": "no answer within 10 s"}))
    assert isinstance(told, Unsure)


# --- a change that takes itself back -----------------------------------------


class Door:
    """A server that lets in, or not, as the list says."""

    def __init__(self, *lets_in: bool):
        self.lets_in, self.did, self.closed = list(lets_in), [], 0

    def close(self) -> None:
        self.closed += 1

    def exchange(self, do=(), tell=(), watch=ignore, **more):
        if not self.lets_in.pop(0):
            raise CannotReachServer("Nobody opens.")
        self.did += do
        return Answer(dict.fromkeys(tell, ""), {"ok": True} if do else None, None, None)


TRY = fw.Try(fw.TRY, stdin="rules")


def test_rules_are_kept_when_a_new_connection_comes_in():
    door = Door(True)
    answer = trial.confirmed(door, [TRY], [CAME_BY], ignore, "brute_force.firewall")
    assert door.closed == 1, "the old line proves nothing"
    assert answer.done == {"ok": True} and CAME_BY in answer.have
    (kept,) = door.did
    assert kept == Run(fw.KEEP, touches=(fw.RULES,))


def test_rules_that_shut_us_out_are_told_in_words(monkeypatch):
    monkeypatch.setattr(trial, "PAUSE", 0)
    door, heard = Door(False, False, True), []
    write = Run("true")
    answer = trial.confirmed(door, [write, TRY], [CAME_BY], heard.append, "x")
    assert door.did == [], "nothing was kept"
    assert answer.done and answer.done["failed"] == 1 and not answer.done["ok"]
    assert answer.done["words"] == trial.LOCKED_OUT
    assert trial.SHUT in heard and CAME_BY in answer.have


def test_a_server_that_never_comes_back_is_an_error(monkeypatch):
    monkeypatch.setattr(trial, "PAUSE", 0)
    monkeypatch.setattr(trial, "SECONDS", 0)
    with pytest.raises(CannotReachServer):
        trial.confirmed(Door(False, False, False), [TRY], [], ignore, "x")


def test_only_what_succeeded_is_being_tried():
    def done(ok: bool) -> Answer:
        return Answer({}, {"ok": ok}, None, None)

    assert trial.tried([TRY], done(True))
    assert not trial.tried([TRY], done(False))
    assert not trial.tried([Run("true")], done(True))
    assert not trial.tried([TRY], Answer({}, None, None, None))


# --- the chapter can be left out ---------------------------------------------


def test_left_out_it_has_no_things():
    chapter = next(c for c in GUIDE if c.name == "brute_force")
    out = replace(SETTINGS, brute_force=False)
    assert [t for step in chapter for t in step.things(out)] == []


def test_the_webmail_is_watched_where_there_is_one():
    path = "/etc/fail2ban/jail.d/ispguide.local"
    with_it = type("S", (), {**vars(SETTINGS), "webmail": True})()
    without = type("S", (), {**vars(SETTINGS), "webmail": False})()
    assert "[roundcube-auth]" in render(path, with_it)
    assert "[roundcube-auth]" not in render(path, without)


# --- who guesses -------------------------------------------------------------

BANNED = """\
dovecot 198.18.1.31 \t2026-11-25 04:36:42 + 3600 = 2026-11-25 05:36:42
sshd 2001:db8::1 \t2026-11-25 04:30:00 + -1 = 9999-12-31 23:59:59
ispguide-limits anna@example.test \t2026-11-25 04:20:00 + 86400 = 2026-11-26 04:20:00
"""
SEEN = """\
1795581402.123456 mail fail2ban-server[1492]: fail2ban.filter [1492]: INFO [dovecot] Found 198.18.1.31 - 2026-11-25 04:36:40
1795581402.223456 mail fail2ban-server[1492]: fail2ban.filter [1492]: INFO [dovecot] Found 198.18.1.31 - 2026-11-25 04:36:41
1795581403.123456 mail fail2ban-server[1492]: fail2ban.actions [1492]: NOTICE [dovecot] Ban 198.18.1.31
1795581404.123456 mail fail2ban-server[1492]: fail2ban.filter [1492]: INFO [ispguide-limits] Found anna@example.test - 2026-11-25 04:20:00
1795581405.123456 mail fail2ban-server[1492]: fail2ban.filter [1492]: INFO [sshd] Found 2001:db8::1 - 2026-11-25 04:20:00
"""


def test_who_is_shut_out_the_latest_first():
    found = bans.bans(ran(BANNED))
    assert [(b.who, b.service, b.until) for b in found] == [
        ("198.18.1.31", "reading", "2026-11-25 05:36:42"),
        ("2001:db8::1", "SSH", "ever"),
        ("anna@example.test", "ispguide-limits", "2026-11-26 04:20:00"),
    ]
    lines = bans.ban_lines(found)
    assert "reading, since 2026-11-25 04:36:42, until" in lines[0]
    assert "at its limit of letters" in lines[2]
    assert bans.ban_lines([]) == ["Nobody is shut out."]


def test_guesses_in_words():
    words = bans.guard_words(bans.guarding(ran(BANNED), ran(SEEN)))
    assert "3 wrong guesses from 2 addresses; 1 was shut out" in words
    assert "Shut out now: 198.18.1.31, 2001:db8::1." in words
    assert "At their limit of letters: anna@example.test." in words
    quiet = bans.guard_words(bans.guarding(ran(), ran()))
    assert quiet == "Nobody guessed wrong within the last day. Shut out now: nobody."


def test_the_picture_escapes_and_has_a_table():
    seen = SEEN.replace("Found 198.18.1.31", "Found <b>evil</b>")
    html = bans_html(bans.guarding(ran(BANNED), ran(seen)))
    assert "<svg" in html and "Wrong guesses by door" in html
    assert "&lt;b&gt;evil&lt;/b&gt;" in html and "<b>evil" not in html
    assert "<svg" not in bans_html(bans.guarding(ran(), ran()))


def test_without_fail2ban_it_is_said_in_words():
    with pytest.raises(GuideError) as stop:
        bans.bans({"rc": 127, "out": "", "err": "fail2ban-client: not found"})
    assert stop.value.kind == "no-answer" and "16" in stop.value.do
