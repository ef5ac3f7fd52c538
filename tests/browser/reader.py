"""Somebody who sits at JupyterLab: opens notebooks, presses keys, reads cards.

Finds things as a person does, by their words and their roles.  Waits for what can be
seen, never for a time.
"""

from __future__ import annotations

import json
import re
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, TimeoutError, expect

#: Pictures for somebody to look at; not kept by git.
PICTURES = Path(__file__).parent / "pictures"
#: Whether it is dark; how all but the cards look then, the thorough suite asks.
THEMES = (
    pytest.param(False, id="light"),
    pytest.param(True, id="dark", marks=pytest.mark.thorough),
)
#: The numbers beside the cells; 0: it never ran, or runs now.
NUMBERS = """[...document.querySelectorAll(
  '.jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell .jp-InputPrompt'
)].map(prompt => parseInt(prompt.textContent.slice(1)) || 0)"""
#: True when no card works any more, and no cell.
AT_REST = """() => {
  const panel = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden)');
  return panel && !panel.querySelector('.ispg-working')
    && ![...panel.querySelectorAll('.jp-InputPrompt')]
      .some(p => p.textContent.includes('*'));
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

    def end_kernels(self) -> None:
        """As by *Shut Down All*."""
        for session in self.ask("api/sessions"):
            self.ask(f"api/sessions/{session['id']}", "DELETE")

    def theme(self, dark: bool) -> None:
        """As by *Settings → Theme*, for pages opened from now on."""
        name = "JupyterLab Dark" if dark else "JupyterLab Light"
        path = "lab/api/settings/@jupyterlab/apputils-extension:themes"
        self.ask(path, "PUT", {"raw": json.dumps({"theme": name})})


class Reader:
    """A page of JupyterLab."""

    def __init__(self, page: Page, desk: Desk):
        self.page, self.desk = page, desk

    # where the reader is

    def open(self, notebook: str) -> None:
        """A notebook, alone on the desk, its kernel ready."""
        self.page.goto(
            f"{self.desk.url}/lab/tree/{notebook}.ipynb?reset&token={self.desk.token}"
        )
        self.ready(notebook)

    def ready(self, notebook: str) -> None:
        """Wait until this notebook is in front, whole, and its kernel is idle.

        JupyterLab shows the cells below the window when the browser has time for it."""
        tab = self.page.get_by_role("tab", name=f"{notebook}.ipynb", selected=True)
        expect(tab.first).to_be_visible(timeout=60_000)
        cells = json.loads((self.desk.folder / f"{notebook}.ipynb").read_text())[
            "cells"
        ]
        expect(self.notebook.locator(".jp-Cell")).to_have_count(
            len(cells), timeout=60_000
        )
        self.idle()

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

    def menu(self, *words: str) -> None:
        """Choose from the menus, as `menu("Run", "Run All Cells")`."""
        self.page.get_by_role("menuitem", name=words[0], exact=True).click()
        for word in words[1:]:
            self.page.locator(".lm-Menu-item", has_text=word).first.click()

    def run_all(self, seconds: float = 120) -> None:
        """*Run All Cells*, and wait until every card is at rest."""
        before = self.page.evaluate(f"() => Math.max(0, ...{NUMBERS})")
        self.menu("Run", "Run All Cells")
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
