"""The shape of the code: which room a module is in, who may import whom, what is pure."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

import ispguide

ROOT = Path(__file__).parent.parent / "ispguide"
MODULES = sorted(ROOT.rglob("*.py"))

BELOW = {"engine", "remote", "mail", "chapters", "outside", "replay", "lab", "quiz"}
#: The rooms, from the ground up, and what of ours each may import.
MAY = {
    "engine": set(),
    "remote": set(),
    "mail": {"engine"},
    "chapters": {"engine", "mail"},
    "outside": {"engine", "mail"},
    "replay": {"engine"},
    "lab": {"engine", "mail"},
    "quiz": {"engine", "mail"},
    "jupyter": {"engine"},
    "proofs": BELOW,
    "tasks": BELOW | {"proofs"},
    "views": BELOW | {"proofs", "tasks"},
    "recording": BELOW | {"proofs", "tasks"},
    "cli": BELOW | {"proofs", "tasks", "views", "recording", "jupyter"},
    "notebook": BELOW | {"proofs", "tasks", "views", "recording", "jupyter"},
}
#: Imports that no rule allows.  This list may only become shorter.
SINS: set[tuple[str, str]] = set()
#: Modules that import each other in a circle.  This list may only become shorter.
CIRCLES: list[list[str]] = []
WIDGETS = {"IPython", "ipywidgets", "jupyterlab"}
#: What talks to others, from Python and from elsewhere.
IO = {"asyncio", "dns", "fabric", "http.client", "imaplib", "invoke", "paramiko",
      "requests", "smtplib", "socket", "ssl", "subprocess", "urllib.request"}  # fmt: skip
#: The only ones that do so in the rooms that are pure, and why.
PURE = {"engine", "mail", "chapters", "quiz"}
TALKERS = {
    "engine.guide",  # its one question at a time, to `server`
    "engine.server",
    "engine.ssh",
    "mail.measures.certificate",  # `ssl` reads openssl's dates; nobody is called
}


def name_of(path: Path) -> str:
    """What the module is called, without ispguide; "" is the package itself."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


NAMES = {name_of(path) for path in MODULES}


def room(name: str) -> str:
    """The room that a module is in: the first word of its name."""
    return name.partition(".")[0]


@cache
def parsed(path: Path) -> ast.Module:
    """Its syntax, read once."""
    return ast.parse(path.read_text())


def checked_only(tree: ast.AST) -> set[ast.AST]:
    """What only a type checker sees."""
    tests = (n for n in ast.walk(tree) if isinstance(n, ast.If))
    found = (n for n in tests if ast.unparse(n.test) == "TYPE_CHECKING")
    return {inner for n in found for inner in ast.walk(n)}


def imported(path: Path, at_work: bool = False) -> Iterator[str]:
    """All names that a module imports; `at_work`: only while it runs."""
    tree = parsed(path)
    unseen = checked_only(tree) if at_work else set()
    for node in ast.walk(tree):
        if node in unseen:
            continue
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:  # only where the package has another name when it runs
                assert room(name_of(path)) == "remote"
                continue
            yield from (f"{node.module}.{a.name}" for a in node.names)


def ours(path: Path, at_work: bool = False) -> set[str]:
    """The modules of ours among them."""
    found = set()
    for name in imported(path, at_work):
        top, _, own = name.partition(".")
        while top == "ispguide" and own and own not in NAMES:
            own = own.rpartition(".")[0]
        if top == "ispguide":
            found.add(own)
    return found - {name_of(path), ""}


def circles(arrows: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Those that can be reached from themselves, each circle once, in order."""
    reach: dict[str, set[str]] = {}
    for start in arrows:
        seen, todo = set[str](), list(arrows[start])
        while todo:
            if (one := todo.pop()) not in seen:
                seen.add(one)
                todo += arrows.get(one, ())
        reach[start] = seen
    found = {
        tuple(sorted(b for b in seen if a in reach.get(b, ())))
        for a, seen in reach.items()
        if a in seen
    }
    return [list(circle) for circle in sorted(found)]


def test_importing_the_package_loads_nothing_heavy():
    code = "import ispguide, sys; print([m for m in ('IPython','ipywidgets','pandas','dns','fabric','jinja2') if m in sys.modules])"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"


def test_every_module_has_a_room():
    assert [name for name in sorted(NAMES - {""}) if room(name) not in MAY] == []


def test_arrows_point_down():
    found = {
        (name_of(path), other)
        for path in MODULES
        for other in ours(path)
        if room(other)
        not in MAY.get(room(name_of(path)), set()) | {room(name_of(path))}
    }
    assert found == SINS


def test_no_circle_of_modules():
    assert circles({name_of(p): ours(p, at_work=True) for p in MODULES}) == CIRCLES


def test_no_circle_of_rooms():
    arrows: dict[str, set[str]] = {}
    for path in MODULES:
        mine = room(name_of(path))
        arrows.setdefault(mine, set()).update(map(room, ours(path)))
        arrows[mine].discard(mine)
    assert circles(arrows) == []


def test_circles_are_seen():
    arrows = {"a": "b", "b": "c", "c": "ad", "d": "", "e": "f", "f": "e"}
    assert circles(arrows) == [["a", "b", "c"], ["e", "f"]]


def test_only_what_can_be_pressed_loads_widgets():
    for path in MODULES:
        tops = {name.partition(".")[0] for name in imported(path)}
        assert not tops & WIDGETS or room(name_of(path)) == "notebook", path


def test_the_notebooks_alone_import_what_can_be_pressed():
    outside = {
        name_of(path)
        for path in MODULES
        if room(name_of(path)) != "notebook"
        and any(room(other) == "notebook" for other in ours(path))
    }
    assert outside == set()


def test_nothing_of_ours_runs_on_a_server():
    for path in MODULES:
        if room(name_of(path)) == "remote":
            tops = {name.partition(".")[0] for name in imported(path)}
            assert tops <= set(sys.stdlib_module_names)


def test_what_is_pure_talks_to_nobody():
    """But for the few, and each of these still does."""
    found = set()
    for path in MODULES:
        names = {
            n for n in imported(path) if any(f"{n}.".startswith(f"{io}.") for io in IO)
        }
        ways = ours(path, at_work=True) & {
            "engine.guide",
            "engine.server",
            "engine.ssh",
        }
        if room(name_of(path)) in PURE and (names or ways):
            found.add(name_of(path))
    assert found == TALKERS


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_says_what_it_is_for(path):
    tree = parsed(path)
    assert ast.get_docstring(tree) or not tree.body


def test_nothing_prints_but_tasks_and_notebook():
    """Tasks do under `fab`, where nobody else shows what they return."""
    found = {
        name_of(path)
        for path in MODULES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    }
    assert {name for name in found if room(name) not in ("notebook", "remote")} == {
        "tasks.base"
    }


def test_each_public_name_has_its_home():
    """They are loaded when they are first asked for: nothing else would miss one."""
    for name in ispguide.__all__:
        assert getattr(ispguide, name).__name__ == name
