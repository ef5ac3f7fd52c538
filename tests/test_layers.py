"""The shape of the code: who may import whom, and how long a thing may be."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "ispguide"
MODULES = sorted(ROOT.rglob("*.py"))
#: Longer than 200 lines for a reason that stands at their top.
LONG = {"guide.py", "problems.py", "remote.py"}
WIDGETS = {"IPython", "ipywidgets", "jupyterlab"}
#: What talks to others, from Python and from elsewhere …
IO = {"asyncio", "dns", "fabric", "http.client", "imaplib", "invoke", "paramiko",
      "requests", "smtplib", "socket", "ssl", "subprocess", "urllib.request"}  # fmt: skip
#: … and what does so here, each with what begins with its name and an underscore.
TALKING = {"connecting", "dnsquery", "drill", "elsewhere", "guide", "here",
           "lab", "lookups", "nameservers", "opening", "outside", "proofs", "proving",
           "publishing", "server", "ssh", "tasks", "trial"}  # fmt: skip
#: Who may know the practice internet; proofs meet it through `elsewhere.py`.
MAY_PRACTISE = {
    "lab",
    "notebook",
    "cli_lab.py",
    "cli_internet.py",
    "drill.py",
    "proving.py",
    "replay/record.py",
}
#: Modules and whole packages that talk to nobody.
PURE = {"actions.py", "backup", "chapter.py", "chapters", "components.py", "dane",
        "differences.py", "dkim", "dmarc", "dns", "facts.py", "firewall",
        "further", "graduation", "journal.py", "journey", "mail.py", "measures", "moving",
        "overview.py", "people", "problems.py", "progress.py", "quotas", "rendering.py", "renewing.py",
        "smarthost.py", "sql.py", "sqltext.py", "things", "undoing.py"}  # fmt: skip
#: The few in them that do, and why.  This list may only become shorter.
TALKS_THOUGH = {
    "journey/reading.py",  # fetches the letter as its owner does
    "journey/ready.py",  # asks whether a letter could be sent at all
    "journey/travel.py",  # sends one, and watches it
    "measures/certificate.py",  # `ssl` reads openssl's dates; nobody is called
}
#: What chapters do without, besides: who shows them.
ABOVE = {"cli", "notebook", "report"}


def within(path, table):
    """Whether the module, or a package it is in, stands in the table."""
    own = path.relative_to(ROOT)
    return any(str(place) in table for place in (own, *own.parents))


def room(name):
    """The part of the guide that an import names: tasks for ispguide.tasks_dns.x."""
    first = name.split(".")[1]
    return first.partition("_")[0] or first


def talks(path):
    """What a module imports that talks to others."""
    names = set(imported(path))
    theirs = {n for n in names if any(f"{n}.".startswith(f"{io}.") for io in IO)}
    return theirs | {
        n for n in names if n.startswith("ispguide.") and room(n) in TALKING
    }


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "by its whole name, or these rules do not see it"
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
    if not within(path, {"notebook"}):
        assert not tops & WIDGETS
    if path == ROOT / "remote.py":
        assert not own
        assert tops <= set(sys.stdlib_module_names)
    if within(path, {"chapters"}):
        assert not {room(n) for n in own} & ABOVE
    if not within(path, MAY_PRACTISE):
        assert not {n for n in own if room(n) == "lab"}
    if within(path, {"lab"}):
        allowed = {"lab", "settings", "profile", "server", "errors", "chapters"}
        assert {room(n) for n in own} <= allowed


def test_what_is_pure_talks_to_nobody():
    """But for the few exceptions, and each of these still is one."""
    talkers = {p for p in MODULES if within(p, PURE) and talks(p)}
    assert {str(p.relative_to(ROOT)) for p in talkers} == TALKS_THOUGH


def test_the_tables_name_what_is_there():
    """A rule about a module that moved away would be kept by everybody."""
    parts = LONG | MAY_PRACTISE | PURE | TALKS_THOUGH
    assert [name for name in sorted(parts) if not (ROOT / name).exists()] == []
    rooms = {room(f"ispguide.{path.stem}") for path in ROOT.iterdir()}
    assert rooms >= TALKING | ABOVE


def test_who_may_is_who_does():
    for name in MAY_PRACTISE:
        theirs = (p for p in MODULES if within(p, {name}))
        names = {n for p in theirs for n in imported(p) if n.startswith("ispguide.")}
        assert "lab" in {room(n) for n in names}, name


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_size_and_docstrings(path):
    tree = ast.parse(path.read_text())
    lines = path.read_text().count("\n")
    if lines > 5:
        assert ast.get_docstring(tree), "a module says what it is for"
    assert (lines > 200) == within(path, LONG)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert length <= 25, f"{node.name} has {length} lines"


def test_nothing_prints_but_command_line_and_notebook():
    for path in MODULES:
        if path == ROOT / "tasks.py" or within(path, {"notebook"}):
            continue
        calls = (
            n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)
        )
        assert not [c.lineno for c in calls if getattr(c.func, "id", "") == "print"], (
            path
        )
