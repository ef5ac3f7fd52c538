"""The notebooks as texts: whole, clean, in step with the chapters, links that lead.

They are the source themselves, so nothing is generated and nothing is compared with
a generator.  Running them is another test's work.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
#: What a link leads to; behind it may stand what is told on hover.
LINK = re.compile(r'(?<!!)\[[^\]]+\]\(([^)\s]+)(?: "[^"]+")?\)')
GLOSSARY = "90-glossary.ipynb"
HEADING = re.compile(r"^(#{1,6}) (.+)$", re.M)
ENDING = ["Prove it", "Check yourself", "When it breaks"]
DANGER = "**What would go wrong otherwise?**"
#: Two sentences on one line: an end, then a capital letter.
TWO = re.compile(r"[.?!][*)\"]* (?=[A-Z\"*`(])")

each = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def cells(path: Path, kind: str) -> list[Any]:
    found = nbformat.read(path, as_version=4).cells
    return [cell for cell in found if cell.cell_type == kind]


def prose(path: Path) -> str:
    """The Markdown without fenced and indented blocks."""
    text = "\n\n".join(cell.source for cell in cells(path, "markdown"))
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return re.sub(r"^    .*$", "", text, flags=re.M)


def headings(path: Path, level: int = 0) -> list[str]:
    found = HEADING.findall(prose(path))
    return [text for marks, text in found if level in (0, len(marks))]


def anchors(path: Path) -> set[str]:
    """As JupyterLab makes them: the heading's text, a hyphen for each space."""
    return {re.sub(r"[`*_]", "", text).replace(" ", "-") for text in headings(path)}


def chapters() -> list[Any]:
    from ispguide.chapters import GUIDE

    return list(GUIDE)


def steps_in(path: Path, chapter: str) -> list[str]:
    """The names in `chapter.step("…")`, top to bottom."""
    found = []
    for cell in cells(path, "code"):
        for node in ast.walk(ast.parse(cell.source)):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id=who), attr="step"),
                    args=[ast.Constant(value=name)],
                ) if who == chapter:
                    found.append(name)
    return found


def test_all_are_there() -> None:
    names = {path.name for path in PATHS}
    assert {"00-start.ipynb", "01-big-picture.ipynb"} <= names
    assert {chapter.notebook for chapter in chapters()} <= names


@each
def test_valid(path: Path) -> None:
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"


@each
def test_nothing_of_a_run_is_kept(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    for cell in cells(path, "code"):
        assert cell.outputs == [] and cell.execution_count is None
    for cell in notebook.cells:
        assert not cell.metadata, f"{cell.id} has metadata"


@each
def test_readable_ids(path: Path) -> None:
    """A step's cell is called like the step, so that a link can lead to it."""
    ids = [cell.id for cell in nbformat.read(path, as_version=4).cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][a-z0-9_-]+", name) for name in ids)
    for cell in cells(path, "code"):
        if step := re.search(r'\.step\("(\w+)"\)', cell.source):
            assert cell.id == step[1]


@each
def test_headings(path: Path) -> None:
    assert len(headings(path, 1)) == 1
    assert headings(path)[0].startswith(path.stem[:2])
    assert len(anchors(path)) == len(headings(path)), "two headings are alike"


@each
def test_short_cells(path: Path) -> None:
    for cell in cells(path, "code"):
        assert len(cell.source.splitlines()) <= 3, cell.id
        ast.parse(cell.source)
    assert path.stat().st_size <= (50_000 if path.name == GLOSSARY else 30_000)


@each
def test_one_sentence_a_line(path: Path) -> None:
    told = LINK.sub(lambda link: link[0].partition("](")[0][1:], prose(path))
    for line in told.splitlines():
        if not line.startswith(("|", "#", "<details>")):
            assert not TWO.search(line), line


@each
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(prose(path)):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        assert there.is_file(), target
        if anchor.startswith("cell-id="):
            ids = [cell.id for cell in nbformat.read(there, as_version=4).cells]
            assert anchor.removeprefix("cell-id=") in ids, target
        elif anchor:  # in a notebook that is not open yet, it would be missed
            assert there == path, f"{target}: a link to elsewhere leads to a cell"
            assert anchor in anchors(there), target


@each
def test_mermaid_is_closed_and_known(path: Path) -> None:
    text = "\n\n".join(cell.source for cell in cells(path, "markdown"))
    kinds = ("flowchart", "sequenceDiagram", "erDiagram")
    for drawing in re.findall(r"^```mermaid\n(.*?)^```$", text, re.M | re.S):
        assert drawing.startswith(kinds)
        assert ";" not in drawing, "a semicolon ends a line there"
    assert text.count("```") % 2 == 0


@each
def test_no_password_and_no_path_of_a_computer(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"password\s*=\s*\\?[\"'][^\"'\\]", source)
    assert "summersun" not in source
    assert not re.search(r"/(home|work|root|tmp)/", source)


def test_every_step_once_and_in_order() -> None:
    for chapter in chapters():
        wanted = [step.name for step in chapter.steps]
        assert steps_in(NOTEBOOKS / chapter.notebook, chapter.name) == wanted


def lines_of_code(chapter: Any) -> list[str]:
    return [cell.source for cell in cells(NOTEBOOKS / chapter.notebook, "code")]


def test_anatomy() -> None:
    """Connect first, look, and end with a proof, questions and the way home."""
    for chapter in chapters():
        path, name = NOTEBOOKS / chapter.notebook, chapter.name
        assert headings(path, 1) == [f"{chapter.number:02d} {chapter.title}"]
        code = lines_of_code(chapter)
        assert code[0] == (
            f'from ispguide.notebook import chapter\n{name} = chapter("{name}")'
        )
        assert code[1] == f"{name}.look()"
        assert code.count(f"{name}.prove()") == 1
        assert 2 <= sum(c.startswith(f"{name}.quiz(") for c in code) <= 4
        found = [text for text in headings(path, 2) if text in ENDING]
        assert found == ENDING, f"{path.name}: {found}"


def test_decisions_of_a_chapter_stand_before_its_steps() -> None:
    for chapter in chapters():
        code = lines_of_code(chapter)
        form = f"{chapter.name}.settings()"
        assert code.count(form) == bool(chapter.settings), chapter.name
        if chapter.settings:
            steps = [i for i, c in enumerate(code) if ".step(" in c]
            assert code.index(form) < steps[0]


def test_the_card_and_the_text_promise_the_same() -> None:
    """The minutes of the title, and one sentence of what will be learnt."""
    for chapter in chapters():
        title = cells(NOTEBOOKS / chapter.notebook, "markdown")[0].source
        assert re.search(rf"^{chapter.minutes} minutes\b", title, re.M), chapter.name
        assert chapter.learn.endswith(".") and not TWO.search(chapter.learn)


def test_the_danger_stands_beside_every_step() -> None:
    for chapter in chapters():
        all_cells = nbformat.read(NOTEBOOKS / chapter.notebook, as_version=4).cells
        after = dict(zip((c.id for c in all_cells), all_cells[1:], strict=False))
        for step in chapter.steps:
            assert DANGER in after[step.name].source, f"{chapter.name}.{step.name}"


def test_each_chapter_asks_the_server_and_lets_choose() -> None:
    from ispguide.notebook.questions import known_choices
    from ispguide.quiz.asked import BY_TEXT

    for chapter in chapters():
        code = [c for c in lines_of_code(chapter) if f"{chapter.name}.ask(" in c]
        asked = {json.loads(c.split(".ask(", 1)[1].rstrip(")")) for c in code}
        assert asked & set(BY_TEXT), chapter.name
        assert asked & set(known_choices()), chapter.name


@each
def test_repairs_lead_to_cells(path: Path) -> None:
    """In "when it breaks", a link goes to the cell that repairs."""
    for text in (c.source for c in cells(path, "markdown")):
        for line in text.partition("## When it breaks")[2].splitlines():
            for target in LINK.findall(line) if line.startswith("|") else ():
                if not target.startswith(("https://", GLOSSARY)):
                    assert "#cell-id=" in target, target


@each
def test_next_leads_on(path: Path) -> None:
    """The last cell of a notebook leads to the one after it, by its title."""
    later = [p for p in PATHS if path < p < NOTEBOOKS / GLOSSARY]
    if later:
        link = f"[{headings(later[0], 1)[0]}]({later[0].name})"
        assert link in cells(path, "markdown")[-1].source


def test_every_question_has_its_answer_elsewhere():
    import tomllib
    from importlib import resources

    text = resources.files("ispguide.quiz").joinpath("questions.toml").read_text()
    asked = [
        "".join(c["source"]).split("quiz(", 1)[1].rstrip(")")
        for path in sorted(Path(__file__).parent.parent.glob("notebooks/*.ipynb"))
        for c in json.loads(path.read_text())["cells"]
        if ".quiz(" in "".join(c["source"]) and c["cell_type"] == "code"
    ]
    assert sorted(json.loads(q) for q in asked) == sorted(
        tomllib.loads(text)["answers"]
    )
