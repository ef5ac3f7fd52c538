"""From what somebody sees to the cell that repairs it.

Read from the tables *When it breaks* of all notebooks, each time anew: there is no
second list that could say something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ispguide.shipped import notebooks

HEADING = "## When it breaks"
GLOSSARY = "90-glossary.ipynb"
_LINK = re.compile(r'\[([^\]]+)\]\(([^)\s]+)(?: "[^"]*")?\)')
#: A bar between two cells of a table; one behind a backslash is a bar.
_BAR = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Symptom:
    """A row of such a table, in Markdown.  `cells`: (notebook, cell id) it leads to."""

    sees: str
    usually: str
    repair: str
    notebook: str
    title: str
    cells: tuple[tuple[str, str], ...]


@cache
def symptoms() -> tuple[Symptom, ...]:
    """Every row of every notebook, in reading order."""
    found = (row for path in sorted(notebooks().glob("*.ipynb")) for row in _of(path))
    return tuple(found)


def _of(path: Path) -> Iterator[Symptom]:
    cells = json.loads(path.read_text())["cells"]
    texts = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
    title = texts[0].partition("\n")[0].removeprefix("# ") if texts else path.stem
    for text in texts:
        table = text.partition(HEADING)[2]
        rows = [row for row in table.splitlines() if row.startswith("|")]
        yield from (_symptom(row, path.name, title) for row in rows[2:])


def _symptom(row: str, notebook: str, title: str) -> Symptom:
    sees, usually, repair = (
        _linked(cell.strip(), notebook) for cell in _BAR.split(row.strip())[1:4]
    )
    targets = [target for _, target in _LINK.findall(repair)]
    cells = tuple(
        (name, cell)
        for name, mark, cell in (t.partition("#cell-id=") for t in targets)
        if mark
    )
    return Symptom(sees, usually, repair, notebook, title, cells)


def _linked(text: str, notebook: str) -> str:
    """Links name their notebook; words of the glossary are words again."""

    def one(found: re.Match[str]) -> str:
        words, target = found[1], found[2]
        if target.startswith(GLOSSARY):
            return words
        whole = target if not target.startswith("#") else notebook + target
        return f"[{words}]({whole})"

    return _LINK.sub(one, text)


def matching(words: str) -> list[Symptom]:
    """Those that hold every one of these words somewhere."""
    wanted = words.lower().split()
    return [
        s
        for s in symptoms()
        if all(
            w in f"{s.sees} {s.usually} {s.repair} {s.title}".lower() for w in wanted
        )
    ]
