"""Saving a notebook: cards become their last reports, nothing live stays.

All of it is the real thing: our cards and ipywidgets' widgets as IPython displays them,
notebooks of nbformat, and the contents manager of JupyterLab's server, which reads the
configuration that `./guide start` writes for it.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ipywidgets as widgets
import nbformat
import pytest
from IPython.core.formatters import DisplayFormatter
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.contents.manager import ContentsManager
from markupsafe import Markup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from traitlets.config import PyFileConfigLoader

from ispguide import jupyter
from ispguide.jupyter import KEPT, folder
from ispguide.notebook.card import CARDS, Card
from ispguide.notebook.show import Shown
from ispguide.views import style

Save = Callable[..., list[Any]]
#: The server sets the hook twice, and tells itself so.
pytestmark = pytest.mark.filterwarnings("ignore:Overriding existing pre_save_hook")
STATE = "application/vnd.jupyter.widget-state+json"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Iterator[None]:
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    monkeypatch.setenv("ISPGUIDE_NOTEBOOKS", str(tmp_path / "notebooks"))
    (tmp_path / "notebooks").mkdir()
    folder().mkdir(parents=True)
    yield
    while CARDS:
        CARDS.popitem()[1].close()


@pytest.fixture
def manager(tmp_path) -> ContentsManager:
    """What writes the files of JupyterLab, told what `./guide start` tells it."""
    path = jupyter._config(folder().parent)
    config = PyFileConfigLoader(path.name, str(path.parent)).load_config()
    kind = ServerApp.contents_manager_class.default_value
    return kind(root_dir=str(tmp_path / "notebooks"), config=config)


def finished(work: Coroutine[Any, Any, Any]) -> Any:
    """What it brings.  In a thread: where a browser was open, this one has a loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture
def saved(manager, tmp_path) -> Save:
    """Saves a notebook, its only code cell with these outputs; those in the file."""

    def save(*outputs: Any) -> list[Any]:
        cells = [
            new_markdown_cell("Words."),
            new_code_cell("run()", outputs=list(outputs)),
        ]
        state = {STATE: widgets.Widget.get_manager_state()}
        notebook = new_notebook(cells=cells, metadata={"widgets": state})
        nbformat.validate(notebook)
        content = json.loads(json.dumps(notebook))  # as it comes from the browser
        model = {"type": "notebook", "format": "json", "content": content}
        assert "message" not in finished(manager.save(model, "one.ipynb"))
        found = nbformat.read(tmp_path / "notebooks" / "one.ipynb", as_version=4)
        nbformat.validate(found)
        assert "widgets" not in found.metadata
        assert found.cells[0].source == "Words."
        return list(found.cells[1].outputs)

    return save


def displayed(thing: object, kind: str = "execute_result") -> Any:
    """What a cell shows when `thing` is its last line."""
    data, metadata = DisplayFormatter().format(thing)
    count = {"execution_count": 1} if kind == "execute_result" else {}
    return new_output(kind, data, metadata=metadata, **count)


def live(output: Any) -> bool:
    """Whether something in it wants a widget; text and HTML need nobody."""
    return not set(output.data) <= {"text/plain", "text/html", "image/svg+xml"}


def a_card() -> Card:
    card = Card("key", "A card")
    card.show(Markup("<p>not looked yet</p>"))
    return card


@pytest.mark.parametrize("kind", ["execute_result", "display_data"])
def test_the_last_report_stands_where_the_card_was(saved, kind):
    card = a_card()
    output = displayed(card, kind)
    assert live(output) and "not looked yet" in output.data["text/html"]
    card.show(Markup("<p>true</p>"))
    (found,) = saved(output)
    assert not live(found) and found.output_type == kind
    assert found.data["text/html"] == card.static()
    assert "<p>true</p>" in card.static() and "not looked" not in card.static()


def test_a_card_that_left_nothing_shows_what_it_began_with(saved):
    card = a_card()
    output = displayed(card)
    card.show(Markup("<p>true</p>"))
    CARDS.pop("key").close()
    (found,) = saved(output)
    assert not live(found)
    assert "<p>not looked yet</p>" in found.data["text/html"]


def test_each_card_has_its_own_report(saved):
    outputs = []
    for name in ("one", "two"):
        card = Card(name, f"Card {name}")
        outputs.append(displayed(card))
        card.show(Markup("<p>this is {}</p>").format(name))
    found = saved(*outputs)
    said = [
        name in row.data["text/html"] for row in found for name in ("is one", "is two")
    ]
    assert said == [True, False, False, True]


@pytest.mark.parametrize("make", [widgets.Text, widgets.HTML, widgets.VBox])
def test_other_widgets_go_altogether(saved, make):
    output = displayed(make())
    assert live(output)
    assert saved(output) == []


def test_nothing_typed_is_in_the_file(saved, tmp_path):
    card = a_card()
    card.inside.children = [widgets.Password(value="correct-horse")]
    assert "correct-horse" in json.dumps(widgets.Widget.get_manager_state())
    saved(displayed(card))
    assert "correct-horse" not in (tmp_path / "notebooks" / "one.ipynb").read_text()


def test_ordinary_outputs_stay_as_they_are(saved):
    plain = [
        new_output("stream", name="stdout", text="1\n2"),
        displayed(Shown(style.box(Markup("<p>a report</p>")), "a report")),
        new_output("error", ename="E", evalue="no", traceback=["a", "b"]),
    ]
    assert "a report" in plain[1].data["text/html"]
    assert saved(*plain) == plain


def test_files_and_folders_are_not_touched(manager, tmp_path):
    """An error of the hook would only be logged, so it is asked itself, too."""
    for model in (
        {"type": "file", "format": "text", "content": '{"metadata": {"widgets": 1}}'},
        {"type": "directory"},
    ):
        before = json.dumps(model)
        manager.pre_save_hook(model=model, path="x", contents_manager=manager)
        assert json.dumps(model) == before
        finished(manager.save(model, f"a {model['type']}"))
    there = tmp_path / "notebooks"
    assert (there / "a file").read_text() == '{"metadata": {"widgets": 1}}'
    assert (there / "a directory").is_dir()


def test_reports_of_dead_kernels_are_swept(saved):
    jupyter.keep(lambda: "old", lambda: "x")
    jupyter.keep(lambda: "new", lambda: "x")
    old, new = folder() / "old.html", folder() / "new.html"
    os.utime(old, (0, time.time() - KEPT - 10))
    saved()
    assert (old.exists(), new.exists()) == (False, True)
