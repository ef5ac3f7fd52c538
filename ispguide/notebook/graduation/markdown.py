"""The report as Markdown, its pictures in it: one file, to be kept with one's notes."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator

from ispguide.graduation import Graduation
from ispguide.graduation.duties import DUTIES
from ispguide.graduation.symptoms import symptoms
from ispguide.measures.health import JUDGED
from ispguide.notebook.graduation import parts
from ispguide.notebook.graduation.page import intro


def markdown(seen: Graduation) -> str:
    """The whole file."""
    return "\n".join(_lines(seen)).rstrip() + "\n"


def _lines(seen: Graduation) -> Iterator[str]:
    yield from (f"# {seen.settings.hostname}: the report to keep", "", intro(seen), "")
    yield from (
        "## At a glance",
        "",
        *(f"- {plain(text)}" for text in parts.at_a_glance(seen)),
        "",
    )
    yield from ("## Pictures", "")
    for title, words, drawn in parts.pictures(seen):
        told = plain(words)
        yield from (f"### {title}", "", f"![{told}]({_inline(drawn)})", "", told, "")
    yield from ("## What was built", "", *_table(*parts.built(seen)))
    yield from _table(*parts.components(seen))
    yield from ("## What was proved", "", *_table(*parts.proofs(seen)))
    yield from ("## The DNS", "", *_table(*parts.records(seen)))
    if seen.health:
        looks = [
            (" ".join(JUDGED[h.state]), h.what, h.words, h.do) for h in seen.health
        ]
        heads = ("how", "part", "what was so", "what to do")
        yield from ("## How it was", "", *_table(heads, looks))
    for when, duties in DUTIES.items():
        yield from (f"## {when}", "", *(f"- {text}" for text in duties), "")
    yield from _index()


def _index() -> Iterator[str]:
    heads = ("you see", "it is usually", "repair", "chapter")
    yield from ("## From what you see to what repairs it", "")
    yield from _row(heads)
    for s in symptoms():
        chapter = f"[{s.title}]({s.notebook}#cell-id=when-it-breaks)"
        yield f"| {s.sees} | {s.usually} | {s.repair} | {chapter} |"


def _inline(drawn: str) -> str:
    """A picture as a part of the file; links in it would lead nowhere."""
    plain = drawn.replace("<a ", "<g ").replace("</a>", "</g>")
    return "data:image/svg+xml;base64," + base64.b64encode(plain.encode()).decode()


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield from _row(tuple(heads))
    for row in rows:
        yield "| " + " | ".join(map(plain, row)) + " |"
    yield ""


def _row(heads: tuple[str, ...]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)


def plain(text: str) -> str:
    """Words from outside: no line's end, no bar, nothing that is markup."""
    line = " ".join(text.split())
    for sign in "\\|<>[]*_":
        line = line.replace(sign, "\\" + sign)
    return line
