"""How soon a card is there, in a browser: `python -m tests.browser.benchmark`.

The replay answers, so that JupyterLab, the kernel and the cards are measured and no
server.  A figure depends on the machine: a benchmark, not a test.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path

from ..benchmark import say
from .conftest import chromiums, jupyter
from .reader import Reader

STEPS = (
    "the_machine",
    "remember_settings",
    "the_name",
    "sources",
    "the_clock",
    "updates",
)
#: From the key to the first frame with something new below this cell, in seconds.
FIRST_SIGN = """cell => new Promise(seen => {
  let begin = 0;
  document.addEventListener('keydown', () => begin = performance.now(),
                            {capture: true, once: true});
  new MutationObserver((_, me) => {
    if (!begin || !cell.querySelector('.ispg-card')) return;
    me.disconnect();
    requestAnimationFrame(() => seen((performance.now() - begin) / 1000));
  }).observe(cell, {childList: true, subtree: true});
})"""


def first_sign(reader: Reader, code: str) -> float:
    """Seconds from Shift+Enter in the cell to the first sight of its card."""
    cell = reader.cell(code)
    cell.locator(".jp-InputPrompt").click()
    handle = cell.element_handle()
    assert handle
    watch = "cell => { window.firstSign = (" + FIRST_SIGN + ")(cell); }"
    handle.evaluate(watch)
    reader.page.keyboard.press("Shift+Enter")
    return float(reader.page.evaluate("window.firstSign"))


def main() -> None:
    with tempfile.TemporaryDirectory() as home, chromiums(Path(home)) as start:
        os.environ |= {"ISPGUIDE_HOME": home, "ISPGUIDE_REPLAY_SECONDS": "0"}
        code = "from ispguide.cli import main; main()"
        words = ["-c", code, "start", "--replay", "--no-browser"]
        log = Path(home) / "log"
        with jupyter(Path(home), words, log) as desk, start() as browser:
            reader = Reader(browser.new_page(), desk)
            reader.open("02-server")
            reader.run_cell('chapter("server")')
            reader.at_rest()
            seconds = []
            for step in STEPS:
                seconds.append(first_sign(reader, f'server.step("{step}")'))
                reader.at_rest()
            say("from Shift+Enter to the first sight of a card, median",
                statistics.median(seconds), "<= 0.3 s")  # fmt: skip
            say("  the slowest of them", max(seconds), "<= 0.3 s")


if __name__ == "__main__":
    main()
