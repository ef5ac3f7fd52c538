"""The cards of graduation: the report that is made and kept, and the way home.

The files are written beside the notebooks only when the button is pressed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from ispguide import tasks
from ispguide.engine.errors import GuideError
from ispguide.notebook import switch
from ispguide.notebook.card import Card, Watch, headless, live
from ispguide.notebook.inputs import button
from ispguide.notebook.show import Shown, guarded
from ispguide.notebook.switch import Switch
from ispguide.tasks.report import Graduation, matching
from ispguide.views import html, style
from ispguide.views.report import (
    at_a_glance,
    markdown,
    page,
    symptoms_table,
    symptoms_text,
)

# The report to keep: `report()` makes it, `symptoms()` finds the way home.
#
# `page` writes it as HTML, `markdown` as Markdown, both from the same parts.


def report() -> Any:
    """Gather everything, and keep it as HTML and Markdown."""
    if not headless():
        return live(ReportCard)
    return guarded(_plain_report)


def _plain_report() -> Shown:
    """A script proves nothing here and keeps no file: it shows what would be told."""
    seen = switch.here()(tasks.graduate, prove=False)
    words = at_a_glance(seen)
    inner = Markup("<ul>{}</ul>").format(html.each("<li>{}</li>", words))
    return Shown(style.style() + style.box(inner), "\n".join(words))


def symptoms(words: str = "") -> Any:
    """From what you see to the cell that repairs it.  `words`: to search for."""
    if not headless():
        return live(lambda: SymptomCard(words))
    rows = matching(words)
    return Shown(style.style() + style.box(symptoms_table(rows)), symptoms_text(rows))


# The cards of graduation: the report that is made and kept, and the way home.


INTRO = Markup(
    "<p>The report is written beside this notebook, as HTML and as Markdown. With the "
    "proofs it takes half a minute, and each proof shows what it saw.</p>"
)


class ReportCard(Card):
    """Two buttons: with the proofs, which send mail, and without."""

    def __init__(self) -> None:
        buttons = [
            button("make the report", lambda: self.make(True), css="ispg-do", tip="run the proofs too"),
            button("without the proofs", lambda: self.make(False)),
        ]  # fmt: skip
        super().__init__("graduation.report", "The report to keep", buttons)
        self.switch = Switch()
        self.bar.children = (*self.bar.children, self.switch.box)
        self.show(INTRO)

    def make(self, prove: bool) -> None:
        """Gather on the worker, write there too: drawing loads a library."""
        on = switch.here()
        self.state("busy", "at work")
        proofs = prove and switch.position() != switch.LOOK

        def work(watch: Watch) -> tuple[Graduation, list[Path]]:
            seen = on(tasks.graduate, prove=proofs, watch=watch)
            return seen, kept(seen, Path.cwd())

        self.run("Making the report", work, lambda found: self.take(*found))

    def take(self, seen: Graduation, files: list[Path]) -> None:
        """What stands in it, and where it lies."""
        links = html.each("<li>{}</li>", (style.link(f.name, f.name) for f in files))
        told = html.each("<li>{}</li>", at_a_glance(seen))
        broken = any(p.state == "failed" for p in seen.proofs)
        self.state(
            "failed" if broken else "ok", "a proof failed" if broken else "written"
        )
        whole = Markup("{}<ul>{}</ul><p>It lies here:</p><ul>{}</ul>")
        self.show(whole.format(INTRO, told, links))


def kept(seen: Graduation, folder: Path) -> list[Path]:
    """Write both files; who cannot write there is told so."""
    stem = f"report-{seen.settings.hostname}"
    texts = {f"{stem}.html": page(seen), f"{stem}.md": markdown(seen)}
    try:
        for name, text in texts.items():
            (folder / name).write_text(text)
    except OSError as error:
        raise GuideError(
            f"The report could not be written: {error}.",
            "The folder of the notebooks should be yours to write in.",
            "On the command line: ./guide export --format html > report.html",
            kind="file-not-written",
        ) from error
    return [folder / name for name in texts]


class SymptomCard(Card):
    """A field, and below it every row that holds all its words."""

    def __init__(self, words: str = "") -> None:
        super().__init__("graduation.symptoms", "From what you see to what repairs it")
        self.field = widgets.Text(
            value=words,
            description="you see",
            placeholder="a word of the message: refused, certificate, 451 …",
            continuous_update=True,
            style={"description_width": "initial"},
            layout={"width": "32em", "max_width": "100%"},
        )
        self.inside.children = (self.field,)
        self.field.observe(lambda _: self.search(), "value")
        self.search()

    def search(self) -> None:
        """No server is asked: the tables are in the notebooks."""
        rows = matching(str(self.field.value))
        self.rest(f"{len(rows)} rows.")
        self.show(symptoms_table(rows))
