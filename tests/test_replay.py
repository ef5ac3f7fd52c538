"""The replay: what was recorded is what is told, and nothing else."""

from __future__ import annotations

import json
import time

import pytest

from ispguide import tasks
from ispguide.chapters import GUIDE
from ispguide.engine import facts
from ispguide.engine.errors import CannotUndo, GuideError
from ispguide.engine.guide import Guide
from ispguide.engine.profile import Profile
from ispguide.engine.settings import Secret
from ispguide.recording import recorder
from ispguide.recording.comparing import differences, states
from ispguide.recording.scrub import mirrors, moved, scrubbed
from ispguide.replay import NotRecorded, Recording, profile, recorded, start
from ispguide.replay.recording import Change, difference, patched
from ispguide.replay.server import UNKNOWN
from ispguide.tasks.base import known

RENEW = "Renew the recording: .venv/bin/python -m ispguide.recording"
STEPS = [str(step) for chapter in GUIDE for step in chapter.steps]


@pytest.fixture(autouse=True)
def bare(tmp_path, monkeypatch):
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    monkeypatch.setenv("ISPGUIDE_REPLAY_SECONDS", "0")
    start()


def opened() -> Guide:
    return tasks.open_guide("replay")


def test_the_recording_knows_the_whole_guide():
    steps = [c.step for c in recorded().changes if not c.step.startswith("people:")]
    assert steps == STEPS, RENEW
    known = recorded().answers(STEPS)
    guide = opened()
    unknown = [f for f in guide.facts(guide.select()) if f not in known]
    assert not unknown, f"{unknown[:3]} … {RENEW}"


def test_from_bare_to_proved_as_on_a_server():
    assert not opened().check().ok
    report = opened().apply()
    assert report.ok, f"{report.text()}\n{RENEW}"
    assert {f.state for f in report} <= {"ok", "fixed"}, RENEW
    assert [f for f in report if f.state == "fixed"]
    again = opened().apply()
    assert (again.ok, again.actions) == (True, 0)


def test_each_step_alone_in_the_order_of_reading():
    for chapter in GUIDE:
        for step in chapter.steps:
            report = opened().apply(step)
            assert report.ok, f"{report.text()}\n{RENEW}"
        assert opened().prove(chapter).ok, RENEW


def test_two_kernels_see_the_same_server():
    first, second = opened(), opened()
    first.apply("server", "packages")
    assert second.check("packages").ok


def test_a_step_whose_ground_is_missing_waits():
    report = opened().apply("postfix.safety")
    assert {f.state for f in report} == {"blocked"}


def test_a_chapter_that_was_passed_over_stays_open():
    opened().apply("server", "packages", "tls", "database", "dovecot")
    assert opened().check("dovecot").ok
    assert opened().check("postfix").only("gap")


def test_a_proof_that_was_not_earned_is_not_told():
    report = opened().prove("spam")
    states = {f.state for f in report if f.thing.startswith("what is certainly spam")}
    assert states == {"unknown"}


def test_a_question_nobody_asked_then_is_not_answered():
    asked = [facts.run("who made this"), facts.outside("dns", "x.test", "A"),
             facts.proof("nothing")]  # fmt: skip
    have = opened().server.exchange(tell=asked).have
    assert list(have.values()) == [UNKNOWN] * 3


def test_undo_takes_the_step_out_again():
    opened().apply()
    with pytest.raises(CannotUndo) as stop:
        tasks.undo(tasks.HERE, "postfix.virtual_domains", server="replay")
    assert stop.value.kind == "still-needed"
    last = "watching.every_night"
    report = tasks.undo(tasks.HERE, last, server="replay")
    assert report.only("gap")
    assert tasks.history(tasks.HERE, server="replay")[-1]["step"] == f"undo {last}"
    assert opened().apply(last).ok


def test_the_history_is_of_what_was_clicked():
    before = time.time()
    opened().apply("server")
    rows = tasks.history(tasks.HERE, server="replay")
    assert {row["step"].partition(".")[0] for row in rows} == {"server"}
    assert {row["who"] for row in rows} == {"you@replay"}
    assert all(before <= row["time"] <= time.time() + 5 for row in rows)


def test_proofs_are_remembered():
    opened().apply("server", "packages")
    seen = tasks.overview(tasks.HERE, server="replay")
    assert seen.of("packages").state == "proved"
    assert seen.of("spam").state == "open"


def test_only_recorded_people_can_be_added():
    opened().apply("server", "packages", "tls", "database")
    with pytest.raises(NotRecorded, match="ben@example.test"):
        tasks.people_add(
            tasks.HERE, "ben@example.test", Secret("a-long-one"), server="replay"
        )
    tasks.people_add(
        tasks.HERE, "anna@example.test", Secret("a-long-one"), server="replay"
    )
    lists = tasks.people_list(tasks.HERE, server="replay")
    assert [row[0] for row in lists["mailboxes"]] == ["anna@example.test"]


def test_other_settings_are_refused_and_not_kept():
    settings = opened().settings
    with pytest.raises(NotRecorded):
        tasks.save_settings(tasks.HERE, settings, "replay")
    assert Profile.load("replay").settings == settings


def test_a_step_is_played_at_a_pace_one_can_watch(monkeypatch):
    monkeypatch.setenv("ISPGUIDE_REPLAY_SECONDS", "0.5")
    change = recorded().change("packages.install")
    heard: list[str] = []
    begin = time.monotonic()
    opened().server.exchange([object()], watch=heard.append, step=change.step)
    assert time.monotonic() - begin >= 0.5
    assert heard == [line for _, line in change.lines]
    assert len(heard) > 100


def test_it_needs_no_file_to_be_known(tmp_path):
    (tmp_path / "profiles" / "replay.toml").unlink()
    assert known("replay") == profile()
    assert known("replay").replay
    assert not Profile("other", "192.0.2.1", "").replay


def test_no_other_server_takes_its_name():
    with pytest.raises(GuideError) as stop:
        Profile("replay", "192.0.2.1", "").save()
    assert stop.value.kind == "reserved-name"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (1, 1), (1, 2), ("a", {"b": 1}), ({"b": 1}, "a"), (None, {}), ({}, None),
        ({"a": 1, "b": 2}, {"b": 3, "c": None}), ({"a": {"x": 1}}, {"a": {"y": [1]}}),
        ({}, {"a": {}}), ({"a": None}, {}), ([1], [1, 2]),
    ],
)  # fmt: skip
def test_a_patch_makes_the_old_the_new(old, new):
    patch = difference(old, new)
    assert (patch is None) == (old == new)
    patch = json.loads(json.dumps(patch))
    assert (patched(old, patch) if patch else old) == new


def test_patches_of_two_steps_do_not_disturb_each_other():
    first, second = {"mynetworks": "a"}, {"mynetworks": "a", "relay": "b"}
    patch = difference(first, second)
    assert patched({"other": "c"}, patch) == {"other": "c", "relay": "b"}


def test_comparing_names_what_is_otherwise():
    whole = recorded()
    old = Recording(whole.settings, whole.base, whole.changes[:5], ())
    assert differences(old, old) == []
    fewer = Recording(old.settings, old.base, old.changes[:-1], old.proofs)
    assert "has the step" in differences(old, fewer)[0]
    (fact, answer), *rest = old.base.items()
    assert (
        "has the question"
        in differences(
            old, Recording(old.settings, dict(rest), old.changes, old.proofs)
        )[0]
    )
    lame = (Change(old.changes[1].step, old.changes[1].lines),)
    worse = (old.changes[0], *lame, *old.changes[2:])
    found = differences(old, Recording(old.settings, old.base, worse, old.proofs))
    assert any("is gap" in line for line in found), found


def test_states_are_told_for_every_thing():
    told = states(recorded(), STEPS)
    assert len(told) > 100
    assert set(told.values()) == {"ok"}, RENEW


def test_hosts_of_archives_are_taken_out():
    lines = ["Get:1 http://deb.somewhere.invalid:3142/debian bookworm/main amd64 x 1 [2 kB]",
             {"text": "deb [signed-by=/x] https://mirror.uni.invalid/debian bookworm main"},
             "see https://www.postfix.org/postconf.5.html"]  # fmt: skip
    known = mirrors(lines)
    assert known == {
        "deb.somewhere.invalid:3142": "mirror.example",
        "mirror.uni.invalid": "mirror.example",
    }
    text = scrubbed(json.dumps(lines), known)
    assert "invalid" not in text
    assert "http://mirror.example/debian" in text
    assert "www.postfix.org" in text


def test_words_are_replaced_whole():
    known = {"10.0.0.2": "192.0.2.53", "me@vm": "you@replay"}
    text = "10.0.0.2 10.0.0.20 110.0.0.2 me@vm some@vm me@vms"
    assert (
        scrubbed(text, known)
        == "192.0.2.53 10.0.0.20 110.0.0.2 you@replay some@vm me@vms"
    )


def test_what_notebooks_ask_besides_is_recorded():
    asked = recorder.besides(recorded().made_settings())
    assert not [fact for fact in asked if fact not in recorded().base], RENEW


def test_letters_are_followed_as_they_went_then():
    with pytest.raises(GuideError) as stop:
        tasks.travel(tasks.HERE, "letter", "", server="replay")
    assert stop.value.kind == "not-recorded"
    opened().apply()
    heard = []
    hops = tasks.travel(
        tasks.HERE, "letter", "", server="replay", sudo=None, tell=heard.append
    )
    assert hops == heard
    assert [hop.who for hop in hops][-1] == "reader"
    refused = tasks.travel(tasks.HERE, "spam", "", server="replay")
    assert "no" in {hop.state for hop in refused}


def test_what_is_measured_is_told():
    opened().apply()
    assert tasks.measure_queue(tasks.HERE, server="replay") == []
    assert tasks.measure_scores(tasks.HERE, server="replay")[0]
    assert tasks.measure_certificate(tasks.HERE, server="replay")
    assert tasks.dns_propagation(tasks.HERE, server="replay").notes


def test_the_practice_network_moves_to_its_first_place():
    text = ("198.19.2.10 2.19.198.in-addr.arpa 2001:db8:102::10 02:c6:12:01:02:10 "
            "2.0.1.0.8.b.d.0.1.0.0.2.ip6.arpa 1.198.19.2.5")  # fmt: skip
    assert moved(text, "198.19.2.10") == (
        "198.18.1.10 1.18.198.in-addr.arpa 2001:db8:1::10 02:c6:12:00:01:10 "
        "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa 1.198.18.1.5"
    )
