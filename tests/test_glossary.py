"""Words explained on hover: every chapter links the first use of each of them.

90-glossary.ipynb is the source; a title in a chapter that says something else, a word
that nobody uses and a first use without its link are found here.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ispguide.views import glossary
from tests.test_notebooks import NOTEBOOKS, PATHS

CHAPTERS = [path for path in PATHS if path.name != glossary.PAGE]
#: What is no running text: blocks of code, headings, raw HTML.
FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
LINES = re.compile(r"^    .*$|^#{1,6} .*$|^<details>.*$", re.M)
GLOSSARY_LINK = re.compile(
    rf'\[([^\]]+)\]\({glossary.PAGE}#cell-id=([^ ]+) "([^"]+)"\)'
)
OTHER_LINK = re.compile(rf"\[[^\]]+\]\((?!{glossary.PAGE})[^)]*\)")


def blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def running_text(source: str) -> str:
    """The source with everything blanked that is no prose; places stay the same."""
    source = LINES.sub(blank, FENCE.sub(blank, source))
    source = OTHER_LINK.sub(blank, source)
    source = re.sub(r"\]\([^)]*\)|<[^>]+>", blank, source)
    codes = {form for t in glossary.terms().values() for form in (t.name, *t.also)}
    return re.sub(r"`([^`\n]+)`", lambda m: m[0] if m[1] in codes else blank(m), source)


def text_of(path: Path) -> str:
    cells = json.loads(path.read_text())["cells"]
    return "\n\n".join(
        "".join(c["source"]) for c in cells if c["cell_type"] == "markdown"
    )


def first_uses(source: str) -> dict[str, int]:
    """Each word's first place in the running text."""
    found: dict[str, int] = {}
    for match, term in glossary.find(running_text(source)):
        found.setdefault(term.name, match.start())
    return found


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_first_use_of_each_word_is_a_link(path):
    source = text_of(path)
    links = {m.start() for m in GLOSSARY_LINK.finditer(source)}
    bare = []
    for name, place in first_uses(source).items():
        begin = source.rfind("[", 0, place + 1)
        if begin not in links or source[begin + 1 : place].strip("`"):
            bare.append(f"{name}: …{source[max(0, place - 30) : place + 30]}…")
    assert not bare, "\n".join(bare)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_titles_say_what_the_glossary_says(path):
    by_cell = {t.cell: t for t in glossary.terms().values()}
    for text, cell, title in GLOSSARY_LINK.findall(text_of(path)):
        term = by_cell[cell]
        assert title == term.tip, text
        match, found = next(glossary.find(text.strip("`")))
        assert found == term and match[0] == text.strip("`")


def test_every_word_is_used_and_no_form_means_two():
    used = {name for path in CHAPTERS for name in first_uses(text_of(path))}
    assert set(glossary.terms()) == used
    forms = [f for t in glossary.terms().values() for f in (t.name, *t.also)]
    assert len(set(forms)) == len(forms)


def test_the_page_is_in_order_and_leads_back():
    names = list(glossary.terms())
    assert names == sorted(names, key=str.lower)
    page = json.loads((NOTEBOOKS / glossary.PAGE).read_text())["cells"][1:]
    for term, cell in zip(glossary.terms().values(), page, strict=True):
        assert cell["id"] == term.cell
        entry = "".join(cell["source"])
        assert entry.startswith(f"## {term.name}\n\n{term.meaning}.\n")
        assert re.search(
            r"^Explained in \[.+\]\(\d\d-[\w-]+\.ipynb#.+\)\.$", entry, re.M
        )


@pytest.mark.parametrize("term", glossary.terms().values(), ids=lambda t: t.name)
def test_a_meaning_is_one_line(term):
    assert 10 < len(term.meaning) <= 110
    assert '"' not in term.meaning and ". " not in term.meaning


def test_explained_links_the_first_use_and_escapes():
    html = glossary.explained("LMTP & <b>LMTP</b> at port 25, not main.cfg")
    assert html.count("<a ") == 2
    assert "&amp; &lt;b&gt;LMTP&lt;/b&gt; at <a" in html
    assert 'title="SMTP for the hatch' in html
    assert "main.cfg" in html


def test_a_longer_word_wins():
    names = [t.name for _, t in glossary.find("the queue ID and the open relay")]
    assert names == ["queue ID", "open relay"]
