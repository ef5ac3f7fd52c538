"""Somebody who sits at JupyterLab: opens notebooks, presses keys, reads cards.

Finds things as a person does, by their words and their roles.  Waits for what can be
seen, never for a time.
"""

from __future__ import annotations

import json
import re
import shutil
import urllib.request
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, TimeoutError, expect

from ..conftest import ROOT

#: The notebooks as they came.
NOTEBOOKS = ROOT / "notebooks"
#: Pictures for somebody to look at; not kept by git.
PICTURES = Path(__file__).parent / "pictures"
#: Whether it is dark; how all but the cards look then, the thorough suite asks.
THEMES = (
    pytest.param(False, id="light"),
    pytest.param(True, id="dark", marks=pytest.mark.thorough),
)
TEXT, PROMPT = ".jp-MarkdownCell .jp-RenderedMarkdown", ".jp-CodeCell .jp-InputPrompt"
#: The numbers beside the cells; 0: it never ran, or runs now.
NUMBERS = f"""[...document.querySelectorAll(
  '.jp-NotebookPanel:not(.lm-mod-hidden) {PROMPT}'
)].map(prompt => parseInt(prompt.textContent.slice(1)) || 0)"""
#: Nothing is open any more, and nobody was asked.
CLOSE = "[...window.jupyterapp.shell.widgets('main')].forEach(panel => panel.dispose())"
#: Another notebook in the place of all that are open.
INSTEAD = f"""async path => {{
  const lab = window.jupyterapp;
  {CLOSE};
  await lab.commands.execute('docmanager:open', {{path}});
}}"""
THEME = """theme =>
  window.jupyterapp.commands.execute('apputils:change-theme', {theme})"""
RUN_ALL = """() => {
  window.jupyterapp.commands.execute('notebook:run-all-cells');
}"""
#: True when no card works any more, and no cell, and every card is drawn.
AT_REST = """() => {
  const panel = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden)');
  return panel && !panel.querySelector('.ispg-working')
    && ![...panel.querySelectorAll('.jp-InputPrompt')]
      .some(p => p.textContent.includes('*'))
    && [...panel.querySelectorAll('.jp-OutputArea-output')]
      .every(o => !(o.dataset.mimeType || '').includes('widget-view')
        || o.querySelector('.jupyter-widgets'));
}"""


@dataclass
class Desk:
    """A running JupyterLab (or Notebook) and the folder it shows."""

    url: str
    token: str
    folder: Path

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """What its own interface answers."""
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"{self.url}/{path}", data, method=method)
        asked.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(asked) as answer:
            return json.loads(answer.read() or b"null")

    def kernels(self) -> set[str]:
        """Those that run, each by its session."""
        return {session["id"] for session in self.ask("api/sessions")}

    def renew(self) -> None:
        """The notebooks as they came: JupyterLab saves what is open every two minutes,
        and a number beside a cell, or a cell more, would be there in the next test."""
        shutil.copytree(NOTEBOOKS, self.folder, dirs_exist_ok=True)

    def end_kernels(self, but: Set[str] = frozenset()) -> None:
        """As by *Shut Down All*."""
        for session in self.kernels() - but:
            self.ask(f"api/sessions/{session}", "DELETE")


class Reader:
    """A page of JupyterLab."""

    def __init__(self, page: Page, desk: Desk):
        self.page, self.desk = page, desk

    # where the reader is

    def open(self, notebook: str) -> None:
        """A notebook, alone on the desk, its kernel ready.

        To load JupyterLab takes a browser four seconds of a processor, so the page
        stays, unless a test was left in a dialog."""
        if self.sits() and not self.page.locator(".jp-Dialog").count():
            self.page.evaluate(INSTEAD, f"{notebook}.ipynb")
        else:
            self.load(notebook)
        # Under load it was seen open, and yet not current: no kernel in the status bar.
        self.tab(notebook).click(timeout=60_000)
        self.ready(notebook)

    def sits(self) -> bool:
        """Whether the page is this desk's by now."""
        return self.page.url.startswith(self.desk.url)

    def leave(self) -> None:
        """Close what is open, unsaved."""
        if self.sits():
            self.page.evaluate(f"() => {CLOSE}")

    def load(self, notebook: str) -> None:
        """The page anew, and this notebook on it."""
        where = f"{self.desk.url}/lab/tree/{notebook}.ipynb?reset&token="
        self.page.goto(where + self.desk.token)
        expect(self.tab(notebook)).to_be_visible(timeout=60_000)

    def ready(self, notebook: str) -> None:
        """Wait until this notebook is in front, whole, and its kernel is idle.

        JupyterLab draws the cells below the window when the browser has time for it;
        until then they have no number beside them."""
        expect(self.tab(notebook)).to_be_visible(timeout=60_000)
        book = json.loads((self.desk.folder / f"{notebook}.ipynb").read_text())
        for kind, mark in (("markdown", TEXT), ("code", PROMPT)):
            count = sum(cell["cell_type"] == kind for cell in book["cells"])
            drawn = self.notebook.locator(mark)
            expect(drawn).to_have_count(count, timeout=60_000)
        self.idle()

    def tab(self, notebook: str) -> Locator:
        """Its tab, in front of all others."""
        name = f"{notebook}.ipynb"
        return self.page.get_by_role("tab", name=name, selected=True).first

    def idle(self) -> None:
        """Wait until the kernel has nothing to do."""
        expect(
            self.page.locator(".jp-StatusBar-TextItem", has_text="Idle")
        ).to_be_visible(timeout=60_000)

    @property
    def notebook(self) -> Locator:
        """The notebook in front."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    # what the reader does

    def theme(self, dark: bool) -> None:
        """As by *Settings → Theme*."""
        if not self.sits():
            self.open("90-glossary")
        self.page.evaluate(THEME, "JupyterLab Dark" if dark else "JupyterLab Light")
        body, light = self.page.locator("body"), "false" if dark else "true"
        expect(body).to_have_attribute("data-jp-theme-light", light)

    def menu(self, *words: str) -> None:
        """Choose from the menus, as `menu("Run", "Run All Cells")`."""
        self.page.get_by_role("menuitem", name=words[0], exact=True).click()
        for word in words[1:]:
            self.page.locator(".lm-Menu-item", has_text=word).first.click()

    def run_all(self, seconds: float = 120) -> None:
        """As by *Run All Cells*, and wait until every card is at rest.

        Not by the menu: under load it moves below the pointer, and the click may mean
        *Run Selected Cell*."""
        before = self.page.evaluate(f"() => Math.max(0, ...{NUMBERS})")
        self.page.evaluate(RUN_ALL)
        try:
            self.page.wait_for_function(
                f"before => {NUMBERS}.every(number => number > before)",
                arg=before,
                timeout=seconds * 1000,
            )
        except TimeoutError as late:
            self.picture("cells-that-did-not-run")
            numbers = self.page.evaluate(f"() => {NUMBERS}")
            said = self.notebook.locator(".jp-OutputArea").all_inner_texts()
            raise AssertionError(f"{before} → {numbers} {said}") from late
        self.at_rest(seconds)

    def restart_kernel(self) -> None:
        """*Restart Kernel and Clear Outputs…*, and yes."""
        self.menu("Kernel", "Restart Kernel and Clear Outputs of All Cells…")
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        expect(self.cards()).to_have_count(0)
        self.idle()

    def at_rest(self, seconds: float = 120) -> None:
        """Wait until no card and no cell works."""
        self.page.wait_for_function(AT_REST, timeout=seconds * 1000)

    def cell(self, code: str) -> Locator:
        """The cell with this code."""
        editor = self.page.locator(".jp-InputArea-editor", has_text=code)
        return self.notebook.locator(".jp-CodeCell").filter(has=editor).first

    def run_cell(self, code: str) -> None:
        """Click beside a cell, press Shift+Enter, and see that it was taken."""
        prompt = self.cell(code).locator(".jp-InputPrompt")
        before = prompt.text_content() or ""
        prompt.click()
        self.page.keyboard.press("Shift+Enter")
        expect(prompt).not_to_have_text(before)

    def save(self, notebook: str) -> str:
        """Press Ctrl+S; the file's text as it is then."""
        with self.page.expect_response(
            lambda r: r.request.method == "PUT" and notebook in r.url
        ):
            self.page.keyboard.press("Control+s")
        return (self.desk.folder / f"{notebook}.ipynb").read_text()

    # what the reader sees

    def picture(self, name: str) -> None:
        """Keep what is on the screen, for somebody to look at."""
        PICTURES.mkdir(exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png")

    def card(self, title: str) -> Card:
        """The card with this title."""
        return Card(self, title)

    def cards(self) -> Locator:
        return self.notebook.locator(".ispg-card")

    def switch(self, to: str) -> None:
        """Turn the switch of the first card."""
        self.cards().first.get_by_role("radio", name=to).check()


class Card:
    """A card as it is seen: a heading with its state, buttons, a line, a report."""

    def __init__(self, reader: Reader, title: str):
        self.reader, self.title = reader, title
        self.name = re.compile(rf"(^|· ){re.escape(title)}$")
        heading = reader.page.get_by_role("heading", name=self.name)
        self.box = reader.cards().filter(has=heading)

    @property
    def heading(self) -> Locator:
        return self.box.get_by_role("heading", name=self.name)

    @property
    def live(self) -> Locator:
        return self.box.locator(".ispg-live").first

    def into_view(self) -> None:
        """Scroll to it; a card that draws itself anew meanwhile does not matter."""
        self.heading.evaluate("e => e.scrollIntoView()")

    def button(self, name: str) -> Locator:
        return self.box.get_by_role("button", name=name, exact=True)

    def expect(self, state: str, seconds: float = 60) -> None:
        """Wait until the heading says so; `state` is a regular expression."""
        words = re.compile(rf"\b({state})\b")
        expect(self.heading).to_have_text(words, timeout=seconds * 1000)
