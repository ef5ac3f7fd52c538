"""Cards on a page: whom they serve, and what they leave in place.

The replay answers here: how a card looks, moves and is read does not depend on who
answers, and nothing has to be built for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from .conftest import SIZE, jupyter
from .reader import RUN_ALL, Desk, Reader

VIEW = "application/vnd.jupyter.widget-view+json"
BOXES = """card => {
  const top = e => Math.round(e.getBoundingClientRect().top);
  const next = card.closest('.jp-Cell').nextElementSibling;
  return [card.querySelector('[role=heading]'), ...card.querySelectorAll('button'), next]
    .map(top).join(' ');
}"""


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """JupyterLab as `./guide start --replay` opens it."""
    home = tmp_path_factory.mktemp("replay")
    code = "from ispguide.cli import main; main()"
    words = ["-c", code, "start", "--replay", "--no-browser"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISPGUIDE_HOME", str(home))
        patch.setenv("ISPGUIDE_REPLAY_SECONDS", "3")
        with jupyter(home, words, home / "log") as found:
            patch.undo()
            yield found


@pytest.fixture
def visitor(window: Page, replayed: Desk) -> Iterator[Reader]:
    """Somebody who only looks around."""
    others = replayed.kernels()
    yield Reader(window, replayed)
    replayed.end_kernels(but=others)


@pytest.fixture(scope="module")
def run(chromium: Browser, replayed: Desk) -> Iterator[Reader]:
    """Chapter 2 after *Run All*, in a window of its own."""
    with chromium.new_context(viewport=SIZE) as context:
        reader = Reader(context.new_page(), replayed)
        reader.open("02-server")
        reader.run_all()
        yield reader


def serious(page: Page) -> list[str]:
    """What axe-core finds in the cards that keeps somebody from using them."""
    found = Axe().run(page, context=".ispg-card").response["violations"]
    return [
        f"{v['id']}: {v['help']} {v['nodes'][0]['html'][:200]}"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everybody_can_use_the_cards(run, dark):
    run.theme(dark)
    try:
        assert run.cards().count() >= 8
        assert not serious(run.page)
    finally:
        run.theme(False)


#: A projector, and the same room seen from the last row: 1280 at 150 %.
PROJECTORS = {"1024 wide": (1024, 768), "150 %": (853, 480)}


@pytest.mark.parametrize("size", PROJECTORS)
def test_nothing_scrolls_sideways_on_a_projector(run, size):
    width, height = PROJECTORS[size]
    run.page.set_viewport_size({"width": width, "height": height})
    try:
        wide = run.cards().evaluate_all(
            "cards => cards.filter(c => c.scrollWidth > c.clientWidth + 1).length"
        )
        assert wide == 0
    finally:
        run.page.set_viewport_size(SIZE)


@pytest.mark.thorough
def test_every_screen_says_that_it_is_a_replay(visitor):
    visitor.open("03-packages")
    visitor.run_all()
    said = visitor.notebook.get_by_text("REPLAY server")
    assert said.count() >= visitor.cards().count() - 3  # questions carry no switch
    expect(said.first).to_contain_text("nothing is changed")


def test_nothing_moves_while_a_step_is_at_work(visitor, replayed):
    (replayed.folder.parent / "replay.json").unlink(missing_ok=True)  # bare again
    visitor.open("02-server")
    visitor.run_cell('chapter("server")')
    card = visitor.card("02 The server itself")
    card.expect("open")
    card.button("make it so").click()
    expect(card.box.locator("progress")).to_be_visible()
    seen, told = set(), set()
    while card.box.locator("progress").count():
        seen.add(card.box.evaluate(BOXES))
        told.add(card.live.inner_text())
    assert len(seen) == 1
    assert len(told) > 3, "its line moves while it works"


def test_a_keyboard_reaches_everything(visitor):
    visitor.open("02-server")
    visitor.run_cell('chapter("server")')
    visitor.run_cell('server.step("the_machine")')
    visitor.at_rest()
    card = visitor.card("the machine")
    card.expect("true")
    expect(card.button("undo")).to_be_enabled()
    card.button("look again").focus()
    reached = []
    for _ in range(8):
        reached.append(
            visitor.page.evaluate("document.activeElement.textContent.trim()")
            or visitor.page.evaluate("document.activeElement.type")
        )
        visitor.page.keyboard.press("Tab")
    assert reached[:3] == ["look again", "make it so", "undo"]
    assert "radio" in reached and "source of this step" in reached
    fold = card.box.locator("summary", has_text="source of this step")
    fold.focus()
    visitor.page.keyboard.press("Enter")
    expect(card.box.get_by_text("def the_machine(s)")).to_be_visible()


def test_a_saved_notebook_keeps_the_reports_and_nothing_live(run, page, replayed):
    text = run.save("02-server")
    outputs = [o for c in json.loads(text)["cells"] for o in c.get("outputs", ())]
    assert VIEW not in text and "widget-state" not in text
    assert any("what should be true" in json.dumps(o) for o in outputs)
    (replayed.folder / "later.ipynb").write_text(text)  # no kernel knows it
    later = Reader(page, replayed)
    later.load("later")
    later.idle()
    said = later.notebook.get_by_text("what should be true").first
    expect(said).to_be_visible(timeout=60_000)
    assert later.notebook.get_by_text("model not found").count() == 0


@pytest.mark.thorough
def test_the_cards_live_in_notebook_7_too(page, tmp_path):
    words = [
        "-m",
        "notebook",
        "--no-browser",
        "--allow-root",
        f"--ServerApp.root_dir={tmp_path}/notebooks-of-tests",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISPGUIDE_HOME", str(tmp_path))
        patch.setenv("ISPGUIDE_SERVER", "replay")
        patch.setenv("ISPGUIDE_REPLAY_SECONDS", "0")
        start = "from ispguide import replay; replay.start()"
        subprocess.run([sys.executable, "-c", start], check=True)
        with jupyter(tmp_path, words, tmp_path / "log") as desk:
            page.goto(f"{desk.url}/notebooks/02-server.ipynb?token={desk.token}")
            # Not "No Kernel".  The button that says so, too, is not always on the bar:
            # where it thinks that there is no room, it hides what it has.
            kernel = page.get_by_role("img", name="Python 3 (ipykernel)")
            expect(kernel).to_be_visible(timeout=60_000)
            page.evaluate(RUN_ALL)
            card = page.locator(".ispg-card").first
            expect(card.get_by_role("heading").first).to_contain_text(
                "02 The server itself", timeout=60_000
            )
            expect(card.get_by_role("button", name="make it so")).to_be_visible()
