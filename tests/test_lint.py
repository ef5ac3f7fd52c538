"""Ruff and mypy, on the package, the tests, and the programs that run on servers.

The programs lie below templates/ as they are installed, without `.py`; two of them hold
words of Jinja.  So each is looked at as a server gets it: written by the guide's own
machinery for a reader who chose everything.  Nobody formats them here: that would
change files on servers for the looks alone.
Sources: https://docs.astral.sh/ruff/, https://mypy.readthedocs.io/
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ispguide.chapters import GUIDE
from ispguide.engine.local import templates
from ispguide.engine.things import File
from tests.conftest import ROOT
from tests.fake import SETTINGS

#: So that the programs that wait for a wish are written, too.
S = replace(
    SETTINGS,
    backup_to="keeper@vault.friend.test:mail",
    old_server="old.example.test",
)
#: They speak to the system by its own names, as `remote` does (see pyproject.toml).
NOT_ASKED = "PTH,SIM115"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    # What stays on the server calls its package by the name that it has there.
    env = {**os.environ, "MYPYPATH": str(ROOT / "ispguide")}
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=env if "programs" in " ".join(words) else None,
        capture_output=True,
        text=True,
    )


def clean(*words: str) -> None:
    done = run(*words)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_has_nothing_to_say():
    clean("ruff", "check", ".")


def test_everything_is_formatted():
    clean("ruff", "format", "--check", ".")


def test_types_are_right():
    clean("mypy")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Every Python program of the templates, as a server gets it."""
    folder, written = tmp_path_factory.mktemp("programs"), list[str]()
    for path, text in sorted(texts().items()):
        file = folder / Path(path).name
        file.write_text(text)
        written.append(str(file))
    return written


def texts() -> dict[str, str]:
    """{path on the server: text} of the files that say they are Python."""
    steps = (step for chapter in GUIDE for step in chapter)
    files = (t for step in steps for t in step.things(S) if isinstance(t, File))
    return {f.path: f.text for f in files if python(f.text)}


def python(text: str) -> bool:
    return bool(re.match(r"#!\S*(/env )?\S*python", text))


def test_none_is_forgotten():
    """What lies below templates/ as Python is what the guide writes."""
    found = {
        f"/{path.relative_to(templates())}"
        for path in templates().rglob("*")
        if path.is_file() and python(path.read_text())
    }
    assert found and found == texts().keys()


def test_ruff_has_nothing_to_say_of_programs(programs: list[str]):
    how = ["--config=pyproject.toml", "--extend-ignore", NOT_ASKED]
    clean("ruff", "check", *how, *programs)


def test_types_are_right_in_programs(programs: list[str]):
    """With a cache of its own: it is less strict than with the package."""
    how = [
        "--config-file=",
        "--cache-dir=.mypy_cache/programs",
        "--python-version=3.11",
    ]
    how += ["--scripts-are-modules", "--check-untyped-defs"]
    clean("mypy", *how, *programs)
