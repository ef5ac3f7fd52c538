"""The words of the trade, each in one sentence, as 90-glossary.ipynb has them.

That page is the only source: the links in the chapters are compared with it by a
test, and cards explain their sentences with `explained`.  It links nothing in a
notebook by itself; there, the author decides where a word is first used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup

from ispguide.views import html

PAGE = "90-glossary.ipynb"


@dataclass(frozen=True)
class Term:
    """A word, its meaning (no full stop at its end), and how else it is written."""

    name: str
    meaning: str
    also: tuple[str, ...] = ()

    @property
    def cell(self) -> str:
        """The id of its cell: JupyterLab finds a cell even in a page it has yet to
        open, and a heading only in one that is open (measured)."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower())

    @property
    def tip(self) -> str:
        """The meaning as plain text, to be told on hover."""
        return self.meaning.replace("`", "")


@cache
def terms() -> dict[str, Term]:
    """Every word of the page, by its name."""
    from ispguide.engine.local import notebooks

    page = json.loads((notebooks() / PAGE).read_text())
    entries = ("".join(cell["source"]) for cell in page["cells"][1:])
    return {t.name: t for t in map(_term, entries)}


def _term(entry: str) -> Term:
    name, _, meaning, *rest = entry.removeprefix("## ").splitlines()
    also = re.fullmatch(r"\*Also:\* (.+)\.", rest[0]) if rest else None
    others = tuple(also[1].split(", ")) if also else ()
    return Term(name, meaning.removesuffix("."), others)


@cache
def _pattern() -> tuple[re.Pattern[str], dict[str, Term]]:
    forms = {form: t for t in terms().values() for form in (t.name, *t.also)}
    forms |= {form[0].upper() + form[1:]: t for form, t in forms.items()}
    longest = sorted(forms, key=len, reverse=True)
    words = "|".join(re.escape(form) for form in longest)
    return re.compile(rf"(?<![\w./@#-])(?:{words})(?![\w@/-]|\.\w)"), forms


def find(text: str) -> Iterator[tuple[re.Match[str], Term]]:
    """Every word of the glossary in `text`, the longer one where two begin alike."""
    pattern, forms = _pattern()
    for match in pattern.finditer(text):
        yield match, forms[match[0]]


def explained(text: str) -> Markup:
    """`text` as HTML, the first use of each word linked and explained on hover."""
    from ispguide.views.style import link

    done, parts, end = set[str](), list[str](), 0
    for match, term in find(text):
        if term.name in done:
            continue
        done.add(term.name)
        there = link(PAGE, match[0], cell=term.cell, tip=term.tip)
        parts += [text[end : match.start()], there]
        end = match.end()
    return html.joined([*parts, text[end:]])
