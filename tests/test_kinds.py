"""Kinds: what is not so has a short name that stays, and sentences are free to improve.

The rules at the end keep it so: every gap and every error of the program is of a kind,
and no sentence of theirs stands in two places of the tests.
"""

from __future__ import annotations

import ast
import copy
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from ispguide.cli import cli
from ispguide.engine import errors
from ispguide.engine.gaps import KINDS, NO_GAP, Gap, Unsure, together

from .conftest import ROOT

PROGRAM = sorted((ROOT / "ispguide").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
KIND = re.compile(r"[a-z]+(-[a-z]+)*")


def test_a_gap_is_its_words_and_has_a_kind():
    gap = Gap("missing", "It is missing.")
    assert gap == "It is missing." and gap.kind == "missing"
    assert copy.deepcopy(gap).kind == "missing", "data is copied on its way to JSON"
    assert not NO_GAP and NO_GAP.kind == ""
    unsure = Unsure("Nobody knows.")
    assert unsure.kind == "unsure" and isinstance(unsure, Gap)


@pytest.mark.parametrize(("kind", "words"), [("odd", "x"), ("missing", ""), ("", "x")])
def test_what_is_no_gap(kind, words):
    with pytest.raises(ValueError, match=repr(kind)):
        Gap(kind, words)


def test_several_gaps_are_of_the_kind_of_the_first_that_is_sure():
    unsure, one, two = Unsure("?"), Gap("missing", "1"), Gap("differs", "2")
    both = together([NO_GAP, unsure, one, two])
    assert (both, both.kind) == ("1\n2", "missing")
    assert isinstance(together([unsure, unsure]), Unsure)
    assert together([]) is together([NO_GAP]) is NO_GAP


def test_an_error_is_of_the_kind_of_its_class_if_none_is_given():
    assert errors.NotLetIn("x").kind == "not-let-in"
    assert errors.CannotUndo("x", kind="still-needed").kind == "still-needed"
    assert errors.CannotUndo("x").kind == "cannot-undo", "the class keeps its own"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["check", "nowhere", "--server", "replay"], "no-such-step"),
        (["people", "list", "--server", "nobodys"], "no-such-server"),
        (["bans", "--server", "../x"], "bad-name"),
        (["bans", "lift", "192.0.2.1", "--server", "../x"], "bad-name"),
    ],
)
def test_with_json_an_error_is_an_object_too(tmp_path, monkeypatch, words, kind):
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    plain, done = (CliRunner().invoke(cli, w) for w in (words, [*words, "--json"]))
    assert plain.exit_code == done.exit_code == 1
    assert plain.stdout == "" and plain.stderr == done.stderr, "for people, the same"
    found = json.loads(done.stdout)
    assert found["ok"] is False and set(found) == {"ok", "error"}
    assert found["error"].pop("kind") == kind
    assert found["error"].keys() == {"is", "should", "do"}
    assert all(part in done.stderr for part in found["error"].values())


# rules


def calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield node, getattr(node.func, "id", getattr(node.func, "attr", ""))


def test_every_error_that_is_raised_has_a_kind():
    """By its class, or by name where it is a plain one."""
    for path in PROGRAM:
        for call, name in calls(path):
            given = [k.value for k in call.keywords if k.arg == "kind"]
            words = [k.value for k in given if isinstance(k, ast.Constant)]
            assert all(KIND.fullmatch(word) for word in words), (path, call.lineno)
            assert name != "GuideError" or given, (path, call.lineno)


def test_every_kind_of_gap_is_known_and_used():
    """A gap of an unknown kind would be an error while somebody looks."""
    text = "\n".join(path.read_text() for path in PROGRAM if path.stem != "gaps")
    assert [k for k in KINDS if k not in ("", "unsure") and f'"{k}"' not in text] == []
    assert all(KIND.fullmatch(kind) for kind in KINDS if kind)
    for path in PROGRAM:
        for call, name in calls(path):
            if name == "Gap" and isinstance(call.args[0], ast.Constant):
                assert call.args[0].value in KINDS, (path, call.lineno)


def texts(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """What is written between quotes, from three words on, and where."""
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    for node in nodes:
        if isinstance(node.value, str) and len(node.value.split()) > 2:
            yield node.value, node.lineno


def test_no_sentence_is_compared_in_two_places():
    """Words of a gap or an error that stand in a test keep them from being improved;
    once may be worth it, twice is not."""
    tell = {"Gap", "Unsure", "must", "LabProblem", "NotPublished", "NotRecorded"}
    told = [
        c for p in PROGRAM for c, name in calls(p) if name in tell | set(vars(errors))
    ]
    sentences = {text for call in told for text, _ in texts(call)}
    assert len(sentences) > 200
    places = defaultdict(list)
    for path in TESTS:
        for text, line in texts(ast.parse(path.read_text())):
            for sentence in (s for s in sentences if text in s):
                places[sentence].append(f"{path.name}:{line}")
    assert {s: where for s, where in places.items() if len(where) > 1} == {}
