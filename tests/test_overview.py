"""How a chapter stands: what is open, drifted, true or proved, as tables."""

import pytest

from ispguide.engine.chapter import Chapter
from ispguide.engine.overview import overview
from ispguide.engine.report import Finding, Report

base = Chapter("base", "The base", 2)
door = Chapter("door", "The door", 3, needs=[base])
talk = Chapter("talk", "The talk", 4, needs=[door])


@base.step
def floor(s):
    """A floor."""


@base.proof
def stand(s):
    """Stand on it."""


@door.step
def hinge(s):
    """A hinge."""


@talk.proof
def speak(s):
    """Speak."""


def look(floor="ok", hinge="ok"):
    return Report(
        (
            Finding("base", "floor", "boards", floor, "a gap" if floor != "ok" else ""),
            Finding("door", "hinge", "iron", hinge, "a gap" if hinge != "ok" else ""),
        )
    )


def did(step, at):
    return {"run": f"r{at}", "step": step, "time": at, "ok": True, "who": "anna@desk"}


def tried(ok, at):
    return {"ok": ok, "time": at, "who": "anna@desk"}


CASES = [
    ("a gap nobody closed is open", look("gap"), [], {}, "base", "open"),
    ("one that was closed once drifted", look("gap"), [did("base.floor", 5)], {}, "base", "drifted"),
    ("undone, it is open again", look("gap"), [did("base.floor", 5), did("undo base.floor", 6)], {}, "base", "open"),
    ("true, its proofs not tried", look(), [did("base.floor", 5)], {}, "base", "true"),
    ("proved after the last change", look(), [did("base.floor", 5)], {"base.stand": tried(True, 6)}, "base", "proved"),
    ("changed after the proof", look(), [did("base.floor", 7)], {"base.stand": tried(True, 6)}, "base", "true"),
    ("a proof that failed", look(), [], {"base.stand": tried(False, 6)}, "base", "failed"),
    ("a chapter without proofs", look(), [], {}, "door", "true"),
    ("only proofs, not tried", look(), [], {}, "talk", "open"),
    ("only proofs, held", look(), [], {"talk.speak": tried(True, 1)}, "talk", "proved"),
    ("nothing could be told", look("unknown"), [], {}, "base", "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(
    "report, ledger, proved, name, state",
    [c[1:] for c in CASES],
    ids=[c[0] for c in CASES],
)
def test_states(report, ledger, proved, name, state):
    found = overview((base, door, talk), report, ledger, proved)
    assert found.of(name).state == state


def test_what_is_missing_is_said_with_its_step():
    found = overview((base, door, talk), look("gap"), [], {}).of("base")
    assert (found.step, found.missing, found.ready) == ("floor", "a gap", False)


def test_a_chapter_of_proofs_names_what_it_waits_for():
    found = overview((base, door, talk), look(hinge="gap"), [], {}).of("talk")
    assert "The door" in found.missing
