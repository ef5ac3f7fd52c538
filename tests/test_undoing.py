"""Undo, decided from the ledger alone."""

import pytest

from ispguide.engine.actions import Restore
from ispguide.engine.chapter import Chapter
from ispguide.engine.errors import CannotUndo
from ispguide.engine.things import Service
from ispguide.engine.undo import (
    UNDO,
    history_lines,
    named_now,
    restores,
    services,
    standing,
)


def entry(step, path="", before="none", ok=True, time=1.0):
    row = {
        "time": time,
        "run": "r",
        "who": "anna@here",
        "step": step,
        "did": "write",
        "ok": ok,
    }
    return row | ({"path": path, "before": {"kind": before}} if path else {})


@pytest.fixture
def steps():
    chapter = Chapter("c", "C", 1)

    @chapter.step
    def one(s):
        """One."""

    @chapter.step
    def two(s):
        """Two."""

    return chapter


def test_the_state_before_the_first_change_comes_back(steps):
    ledger = [entry("c.one", "/a", "none"), entry("c.one", "/a", "file", time=2)]
    (back,) = restores(steps["one"], ledger, [])
    assert back.before == {"kind": "none"}


def test_what_was_undone_no_longer_stands(steps):
    ledger = [entry("c.one", "/a"), entry(UNDO + "c.one", "/a", "file", time=2)]
    assert standing(ledger) == []
    with pytest.raises(CannotUndo) as stop:
        restores(steps["one"], ledger, [])
    assert stop.value.kind == "nothing-to-undo"


def test_a_ledger_of_the_version_before_is_read_by_the_names_of_today(steps):
    steps.former = {"eins": "one"}
    old = [entry("c.eins", "/a"), entry("elsewhere.eins", "/b")]
    now = named_now([steps], old)
    assert [e["step"] for e in now] == ["c.one", "elsewhere.eins"]
    assert restores(steps["eins"], now, []) == [Restore("/a", {"kind": "none"})]
    undone = named_now([steps], [*old, entry(UNDO + "c.eins", "/a", "file", time=2)])
    assert [e["step"] for e in standing(undone)] == ["elsewhere.eins"]


def test_it_refuses_while_something_rests_on_the_step(steps):
    ledger = [entry("c.one", "/a"), entry("c.two", "/b", time=2)]
    with pytest.raises(CannotUndo, match="c.two .* c.one") as stop:
        restores(steps["one"], ledger, [steps["two"]])
    assert stop.value.kind == "still-needed"


def test_it_refuses_a_file_that_another_step_changed_later(steps):
    ledger = [entry("c.one", "/a"), entry("c.two", "/a", time=2)]
    with pytest.raises(CannotUndo, match="/a .* c.two") as stop:
        restores(steps["one"], ledger, [])
    assert stop.value.kind == "changed-since"


def test_a_failed_action_does_not_stand():
    assert standing([entry("c.one", "/a", ok=False)]) == []


def test_history_is_one_line_an_entry():
    (line,) = history_lines([entry("c.one", "/a", ok=False)])
    assert "anna@here  c.one  FAILED /a" in line


def test_an_undo_that_failed_was_put_back_and_counts_for_nothing(steps):
    undone = [
        entry(UNDO + "c.one", "/a", "file") | {"run": "u"},
        entry(UNDO + "c.one", ok=False) | {"run": "u"},
    ]
    ledger = [entry("c.one", "/a", "none"), *undone]
    (back,) = restores(steps["one"], ledger, [])
    assert back.path == "/a"


def test_a_service_goes_before_the_file_that_is_its_unit():
    mine, other = Service("mine.timer"), Service("other")
    back = [Restore("/etc/systemd/system/mine.timer", {"kind": "none"})]
    now = {"active": "active", "load": "loaded", "enabled": "enabled", "since": 1}
    have = {f: now for s in (mine, other) for f in s.facts()}
    first, then = services([mine, other], back, have)
    assert [a.command for a in first] == ["systemctl disable --now mine.timer"]
    assert then and "mine" not in str(then)
