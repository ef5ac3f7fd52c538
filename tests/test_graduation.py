"""The report to keep: whole, self-contained, escaped; an index that cannot rot."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import click
import pytest

from ispguide.chapters import GUIDE
from ispguide.cli import cli
from ispguide.engine.errors import GuideError
from ispguide.engine.overview import ChapterState, Overview
from ispguide.engine.report import Finding, Report
from ispguide.mail.dns.compare import RIGHT, Verdict
from ispguide.mail.dns.records import Record
from ispguide.mail.log.traffic import Flow
from ispguide.mail.measures.certificate import Certificate
from ispguide.mail.measures.health import Seen
from ispguide.notebook.report import kept
from ispguide.tasks.components import PARTS, PartState
from ispguide.tasks.dns import Row
from ispguide.tasks.report import (
    DUTIES,
    Graduation,
    Tried,
    fresh,
    made,
    matching,
    remembered,
    symptoms,
)
from ispguide.views import report
from ispguide.views.report import markdown
from tests.fake import SETTINGS
from tests.test_notebooks import PATHS

EVIL = 'x <script>alert("1")</script> | `y` [a](javascript:b) *z*'
NOW = 1795580000.0
RECORD = Record(
    "mx", "example.test", "MX", ("10 mail.example.test.",), "required", EVIL
)


@pytest.fixture
def seen() -> Graduation:
    found = Report((Finding("tls", "web_server", "file x", "ok"),))
    states = tuple(ChapterState(c, "proved") for c in GUIDE)
    return Graduation(
        NOW, SETTINGS, Overview(found, states),
        tuple(PartState(p, "proved") for p in PARTS),
        (Tried("tls", "prove", "the site answers", "ok", EVIL, NOW, "anna"),),
        (Row(RECORD, Verdict(RIGHT, "", ()), RECORD, "example.test", True),),
        (Seen("queue", "look", EVIL, "Do `this`."),),
        Flow(NOW, ((1795564800, "received", "", 3), (1795564800, "score", "2", 3))),
        Certificate(NOW - 10, NOW + 8_000_000, NOW, EVIL, ("mail.example.test",)),
        (), {"tls": (NOW, "anna@desk")},
    )  # fmt: skip


# --- the index ---------------------------------------------------------------


def rows_of_tables() -> int:
    """Rows of all tables, counted another way."""
    total = 0
    for path in PATHS:
        for cell in json.loads(path.read_text())["cells"]:
            text = "".join(cell["source"]).partition("\n## When it breaks\n")
            text = (
                text
                if text[1]
                else "".join(cell["source"]).partition("## When it breaks\n")
            )
            total += sum(
                line.startswith("|") for line in text[2].splitlines()
            ) - 2 * bool(text[1])
    return total


def test_every_row_of_every_notebook_is_in_the_index():
    assert len(symptoms()) == rows_of_tables() > 80
    assert {s.notebook for s in symptoms()} >= {c.notebook for c in GUIDE}


def test_every_link_of_the_index_leads_to_a_cell():
    ids = {
        path.name: {cell["id"] for cell in json.loads(path.read_text())["cells"]}
        for path in PATHS
    }
    for s in symptoms():
        assert "when-it-breaks" in ids[s.notebook], s.notebook
        for notebook, cell in s.cells:
            assert cell in ids[notebook], f"{s.sees}: {notebook}#{cell}"
    assert sum(bool(s.cells) for s in symptoms()) > 60


def test_words_find_rows_and_all_of_them_must_fit():
    assert matching("") == list(symptoms())
    assert {s.notebook for s in matching("gtube INBOX")} == {"13-spam.ipynb"}
    assert matching("gtube certbot") == []
    assert "No table says so" in report.symptoms_table([])


def test_a_cell_of_a_table_becomes_html():
    text = report.linked(
        "`<b>` and [a *b*](06-postfix.ipynb#cell-id=safety) \\| <i>", report.outside
    )
    assert text == (
        '<code>&lt;b&gt;</code> and <a href="06-postfix.ipynb#cell-id=safety">a <em>b</em></a>'
        " | &lt;i&gt;"
    )
    assert "commandlinker" in report.linked(
        "[a](06-postfix.ipynb#cell-id=safety)", report.inside
    )


# --- the report --------------------------------------------------------------


def test_the_page_needs_nothing_and_nobody(seen):
    text = report.page(seen)
    assert "default-src 'none'" in text
    assert not re.search(r"\b(?:src|srcset)=|@import|url\((?!#)", text)
    assert not re.search(r"<(?:script|link|iframe|object)\b", text)
    assert not re.findall(r'href="(?!#|\d\d-[\w-]+\.ipynb)', text)
    assert "prefers-color-scheme:dark" in text and "@media print" in text


def test_what_came_from_outside_is_escaped_in_both(seen):
    assert "<script" not in report.page(seen) and "javascript:" not in _links(
        report.page(seen)
    )
    told = [line for line in markdown(seen).splitlines() if "alert(" in line]
    assert len(told) > 4
    for line in told:
        assert "\\<script" in line and not re.search(
            r"(?<!\\)(?:<script|\]\(java)", line
        )


def _links(text: str) -> str:
    return " ".join(re.findall(r'href="([^"]*)"', text))


def test_both_tell_the_same(seen):
    for text in (report.page(seen), markdown(seen)):
        for words in ("the site answers", "10 mail.example.test.", "13 Catching spam",
                      "25 Nov 2026", *DUTIES, "anna@desk", "proofs held"):  # fmt: skip
            assert words in text, words


def test_a_table_in_markdown_keeps_its_columns(seen):
    wide = rows = 0
    for line in markdown(seen).splitlines():
        bars = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not bars or not wide or bars == wide, line
        rows += bars > 0
        wide = bars
    assert rows > 20


def test_pictures_are_whole_files_in_markdown(seen):
    import base64

    found = re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)\)", markdown(seen))
    assert len(found) == len(list(report.pictures(seen))) == 4
    for one in found:
        tree = ElementTree.fromstring(base64.b64decode(one))
        assert tree.tag.endswith("svg") and tree.find("{*}title") is not None


def test_what_could_not_be_told_is_said_and_not_drawn(seen):
    bare = replace(seen, flow=None, certificate=None, health=())
    words = " ".join(report.at_a_glance(bare))
    assert words.count("could not be told") == 3
    assert len(list(report.pictures(bare))) == 1
    assert "How it was" not in report.page(bare)


def test_proofs_remember_when_and_fresh_ones_what_they_saw():
    steps = [step for chapter in GUIDE for step in chapter if step.proves]
    known = {"spam.prove": {"ok": True, "time": NOW, "who": "anna"}}
    old = list(remembered(steps, SETTINGS, known))
    assert {t.state for t in old if t.chapter == "spam"} == {"ok"}
    assert {t.evidence for t in old if t.chapter == "tls"} == {"Never tried."}
    (prove,) = [s for s in steps if str(s) == "spam.prove"]
    check = next(iter(prove.things(SETTINGS)))
    have = {next(iter(check.facts())): {"rc": 0, "out": "a\nsyntax OK\n", "err": ""}}
    finding = Finding("spam", "prove", str(check), "ok")
    (one,) = fresh([finding], steps, SETTINGS, have, NOW)
    assert (one.evidence, one.time) == ("a / syntax OK", NOW)


def test_the_last_deed_of_a_chapter_is_told():
    rows = [
        {"step": "tls.renewal", "ok": True, "time": 1, "who": "a"},
        {"step": "tls.renewal", "ok": True, "time": 2, "who": "b"},
        {"step": "tls.renewal", "ok": False, "time": 3, "who": "c"},
    ]
    assert made(rows) == {"tls": (2.0, "b")}


def test_files_are_kept_or_it_is_said_why_not(seen, tmp_path):
    files = kept(seen, tmp_path)
    assert [f.name for f in files] == [
        "report-mail.example.test.html",
        "report-mail.example.test.md",
    ]
    assert all(f.read_text() for f in files)
    with pytest.raises(GuideError) as stop:
        kept(seen, tmp_path / "nowhere")
    assert stop.value.kind == "file-not-written"


def test_every_command_that_is_advised_exists():
    advised = re.findall(r"`\./guide (\w+)( --?\w+)?", str(DUTIES))
    assert {name for name, _ in advised} >= {
        "health",
        "check",
        "apply",
        "trace",
        "undo",
    }
    for name, option in advised:
        command = cli.commands[name]
        assert isinstance(command, click.Command)
        options = {o for p in command.params for o in p.opts}
        assert not option or option.strip() in options, (name, option)


def test_chapters_that_are_advised_are_told_by_their_number():
    told = {int(n) for n in re.findall(r"chapter (\d+)", str(DUTIES))}
    assert {c.name for c in GUIDE if c.number in told} == {"backup", "moving"}
    assert len(told) == 2
