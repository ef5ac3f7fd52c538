"""The cards of graduation: the report that is made and kept, and the way home.

The files are written beside the notebooks only when the button is pressed.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import ipywidgets as widgets

from ispguide import tasks
from ispguide.errors import GuideError
from ispguide.graduation import Graduation
from ispguide.graduation.symptoms import matching
from ispguide.notebook import frame, switch
from ispguide.notebook.card import Card, Watch
from ispguide.notebook.graduation.index import table
from ispguide.notebook.graduation.markdown import markdown
from ispguide.notebook.graduation.page import html
from ispguide.notebook.graduation.parts import at_a_glance
from ispguide.notebook.inputs import button
from ispguide.notebook.switching import Switch

INTRO = (
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
        name, sudo = switch.current(), switch.sudo()
        self.state("busy", "at work")
        proofs = prove and switch.position() != switch.LOOK

        def work(watch: Watch) -> tuple[Graduation, list[Path]]:
            seen = tasks.graduate(tasks.HERE, name, sudo, proofs, watch)
            return seen, kept(seen, Path.cwd())

        self.run("Making the report", work, lambda found: self.take(*found))

    def take(self, seen: Graduation, files: list[Path]) -> None:
        """What stands in it, and where it lies."""
        links = "".join(f"<li>{frame.link(f.name, f.name)}</li>" for f in files)
        told = "".join(f"<li>{escape(line)}</li>" for line in at_a_glance(seen))
        broken = any(p.state == "failed" for p in seen.proofs)
        self.state(
            "failed" if broken else "ok", "a proof failed" if broken else "written"
        )
        self.show(f"{INTRO}<ul>{told}</ul><p>It lies here:</p><ul>{links}</ul>")


def kept(seen: Graduation, folder: Path) -> list[Path]:
    """Write both files; who cannot write there is told so."""
    stem = f"report-{seen.settings.hostname}"
    texts = {f"{stem}.html": html(seen), f"{stem}.md": markdown(seen)}
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
        self.show(table(rows))
