"""The report to keep: `report()` makes it, `symptoms()` finds the way home.

`page` writes it as HTML, `markdown` as Markdown, both from the same parts.
"""

from __future__ import annotations

from html import escape
from typing import Any

from ispguide.notebook.card import headless, live
from ispguide.notebook.plain import guarded
from ispguide.notebook.show import Shown

__all__ = ["report", "symptoms"]


def report() -> Any:
    """Gather everything, and keep it as HTML and Markdown."""
    if not headless():
        from ispguide.notebook.graduation.cards import ReportCard

        return live(ReportCard)
    return guarded(_plain_report)


def _plain_report() -> Shown:
    """A script proves nothing here and keeps no file: it shows what would be told."""
    from ispguide import tasks
    from ispguide.notebook import frame, switch
    from ispguide.notebook.graduation.parts import at_a_glance

    seen = tasks.graduate(tasks.HERE, switch.current(), prove=False)
    words = at_a_glance(seen)
    inner = "".join(f"<li>{escape(line)}</li>" for line in words)
    return Shown(frame.style() + frame.box(f"<ul>{inner}</ul>"), "\n".join(words))


def symptoms(words: str = "") -> Any:
    """From what you see to the cell that repairs it.  `words`: to search for."""
    from ispguide.graduation.symptoms import matching
    from ispguide.notebook import frame
    from ispguide.notebook.graduation.index import as_text, table

    if not headless():
        from ispguide.notebook.graduation.cards import SymptomCard

        return live(lambda: SymptomCard(words))
    rows = matching(words)
    return Shown(frame.style() + frame.box(table(rows)), as_text(rows))
