"""The shape of the code: who may import whom, and how long a thing may be."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "ispguide"
MODULES = sorted(ROOT.rglob("*.py"))
#: Longer than 200 lines for a reason that stands at their top.
LONG = {"remote.py"}
WIDGETS = {"IPython", "ipywidgets", "jupyterlab"}
IO = {"socket", "subprocess", "fabric", "paramiko", "requests", "smtplib", "imaplib"}
#: Who may know the practice internet; proofs meet it through `elsewhere.py`.
MAY_PRACTISE = {
    "lab",
    "notebook",
    "cli_lab.py",
    "cli_internet.py",
    "drill.py",
    "elsewhere.py",
    "record.py",
}
PURE = {
    "things.py",
    "mail.py",
    "sql.py",
    "chapter.py",
    "actions.py",
    "facts.py",
    "people.py",
    "undoing.py",
}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{a.name}" for a in node.names)


def test_importing_the_package_loads_nothing_heavy():
    code = "import ispguide, sys; print([m for m in ('IPython','ipywidgets','pandas','dns','fabric','jinja2') if m in sys.modules])"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_dependency_direction(path):
    tops = {name.partition(".")[0] for name in imported(path)}
    own = {name for name in imported(path) if name.startswith("ispguide.")}
    if "notebook" not in path.parts:
        assert not tops & WIDGETS
    if path.name in PURE or {"chapters", "things"} & set(path.parts):
        assert not tops & IO
    if path.name == "remote.py":
        assert not own
        assert tops <= set(sys.stdlib_module_names)
    if "chapters" in path.parts:
        forbidden = {
            "server",
            "outside",
            "guide",
            "report",
            "tasks",
            "cli",
            "notebook",
            "lab",
        }
        assert not {n.split(".")[1] for n in own} & forbidden
    if not MAY_PRACTISE & set(path.relative_to(ROOT).parts):
        assert not {n for n in own if n.split(".")[1] == "lab"}
    if "lab" in path.relative_to(ROOT).parts:
        allowed = {"lab", "settings", "profile", "server", "errors", "chapters"}
        assert {n.split(".")[1] for n in own} <= allowed


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_size_and_docstrings(path):
    tree = ast.parse(path.read_text())
    lines = path.read_text().count("\n")
    if lines > 5:
        assert ast.get_docstring(tree), "a module says what it is for"
    if lines > 200:
        assert path.name in LONG
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert length <= 25, f"{node.name} has {length} lines"


def test_nothing_prints_but_command_line_and_notebook():
    for path in MODULES:
        if path.name == "tasks.py" or "notebook" in path.parts:
            continue
        calls = (
            n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)
        )
        assert not [c.lineno for c in calls if getattr(c.func, "id", "") == "print"], (
            path
        )


def test_lint_and_types():
    for tool in (["ruff", "check", "ispguide", "tests"], ["mypy"]):
        done = subprocess.run(
            [sys.executable, "-m", *tool],
            cwd=ROOT.parent,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
