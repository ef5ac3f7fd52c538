"""CONTRIBUTING, "Add a chapter": followed literally, on a copy of the project."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from .cells import notebook
from .conftest import ROOT

#: The kind of a block, where it belongs, and what is in it.
BLOCK = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.M | re.S)
#: What a chapter must be like, and the commands that must know it.
CHECKED = (
    "test_chapters", "test_notebooks", "test_questions", "test_layers", "test_templates",
)  # fmt: skip
KEPT_OUT = shutil.ignore_patterns("__pycache__", "pictures")
SHOWN = "from ispguide.cli import main; main()"


def recipe() -> list[tuple[str, str, str]]:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    told = text.partition("## Add a chapter")[2].partition("\n## Add a thing")[0]
    return BLOCK.findall(told)


def side(diff: str, mark: str) -> str:
    """The text before ("-") or after ("+")."""
    lines = diff.splitlines(keepends=True)
    return "".join(line[1:] or "\n" for line in lines if line[0] in f" {mark}\n")


def follow(kind: str, path: Path, text: str) -> None:
    if kind == "diff":
        now, before = path.read_text(), side(text, "-")
        assert now.count(before) == 1, f"{path} has not once: {before}"
        path.write_text(now.replace(before, side(text, "+")))
        return
    assert not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text) if kind != "cells" else nbformat.write(notebook(text), path)


@pytest.mark.thorough
def test_a_chapter_by_the_recipe(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for folder in ("ispguide", "templates", "notebooks", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=KEPT_OUT)
    for file in ("pyproject.toml", "README.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / file, copy)
    for kind, where, text in recipe():
        follow(kind, copy / where, text)

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=copy, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    tests = [f"tests/{name}.py" for name in CHECKED]
    run("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert "/etc/motd.d/ispguide" in run("-c", SHOWN, "show", "motd")
