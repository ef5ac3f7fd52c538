"""The shape of the code: which room a module is in, who may import whom, what is pure."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

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
#: Where modules belong that are not in their rooms yet: the room of the longest name
#: that a module's begins with.  Who moves one takes it out here.
HOMES = {
    "engine": """
        actions bare chapter differences errors facts gaps guide keeping
        measures.words names notebook.forms.spelling overview problems profile
        progress rendering report secret server settings shipped ssh story templates things
        undoing wire
    """,
    "tasks": """
        addressbook components connecting dns.coach drill graduation here opening
        tasks tasks_backup tasks_bans tasks_dkim tasks_dmarc tasks_dns
        tasks_forwardings tasks_graduation tasks_import tasks_moving tasks_people
        tasks_pictures tasks_reading tasks_renewal tasks_settings tasks_smarthost
        tasks_watching
    """,
    "mail": """
        backup chapters._certificate chapters._smarthost chapters._words dane dkim
        dmarc dns firewall further journal journey mail measures moving people quotas
        renewing smarthost sql sqltext
    """,
    "cli": """
        cli cli_backup cli_bans cli_dkim cli_internet cli_lab cli_moving cli_options
        cli_people cli_people_file cli_reading cli_smarthost cli_test cli_watching
    """,
    "outside": """
        dnsquery elsewhere lookups lookups_after nameservers outside publishing trial
    """,
    "jupyter": """
        jupyter notebook.shown saving
    """,
    "lab": "lab",
    "proofs": """
        journey.reading journey.ready journey.retold journey.travel proofs proving
    """,
    "remote": "remote",
    "chapters": "chapters",
    "notebook": "notebook",
    "quiz": """
        notebook.asked notebook.judging notebook.judging_living notebook.judging_mail
        notebook.judging_web
    """,
    "views": """
        notebook.frame notebook.glossary notebook.graduation.index
        notebook.graduation.markdown notebook.graduation.page
        notebook.graduation.parts notebook.house_html notebook.people_html
        notebook.pictures.axes notebook.pictures.components_table
        notebook.pictures.diagram notebook.pictures.flow_plots
        notebook.pictures.guarding notebook.pictures.health_html
        notebook.pictures.plot notebook.pictures.plots notebook.pictures.svg
        notebook.pictures.timeline notebook.pictures.ways notebook.records_html
        notebook.reports_html notebook.safe_html notebook.seal_html notebook.spf_html
        notebook.spread_html notebook.step_html
    """,
    "replay": "replay",
    "recording": """
        replay.comparing replay.questions replay.record replay.recorder replay.scrub
    """,
}
#: Imports that no rule allows.  This list may only become shorter.
SINS = {
    ("lab.image", "chapters.packages"),
}
#: Modules that import each other in a circle.  This list may only become shorter.
CIRCLES = [
    ["notebook.forms.settings", "notebook.forms.smarthost"],
    ["notebook.question_cards", "notebook.questions"],
    ["rendering", "report"],
]
WIDGETS = {"IPython", "ipywidgets", "jupyterlab"}
#: What talks to others, from Python and from elsewhere …
IO = {"asyncio", "dns", "fabric", "http.client", "imaplib", "invoke", "paramiko",
      "requests", "smtplib", "socket", "ssl", "subprocess", "urllib.request"}  # fmt: skip
#: … and what does so here, each with what begins with its name and an underscore.
TALKING = {"connecting", "dnsquery", "drill", "elsewhere", "guide", "here",
           "lab", "lookups", "nameservers", "opening", "outside", "proofs", "proving",
           "publishing", "server", "ssh", "tasks", "trial"}  # fmt: skip
#: Modules and whole packages that talk to nobody.
PURE = {"actions.py", "backup", "chapter.py", "chapters", "components.py", "dane",
        "differences.py", "dkim", "dmarc", "dns", "facts.py", "firewall",
        "further", "graduation", "journal.py", "journey", "mail.py", "measures", "moving",
        "overview.py", "people", "problems.py", "progress.py", "quotas", "rendering.py", "renewing.py",
        "smarthost.py", "sql.py", "sqltext.py", "things", "undoing.py"}  # fmt: skip
#: The few in them that do, and why.  This list may only become shorter.
TALKS_THOUGH = {
    "journey/reading.py",  # fetches the letter as its owner does
    "journey/retold.py",  # asks the recording for a journey
    "journey/ready.py",  # asks whether a letter could be sent at all
    "journey/travel.py",  # sends one, and watches it
    "measures/certificate.py",  # `ssl` reads openssl's dates; nobody is called
}


def name_of(path: Path) -> str:
    """What the module is called, without ispguide; "" is the package itself."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


NAMES = {name_of(path) for path in MODULES}


@cache
def room(name: str) -> str:
    """The room that a module is in, or belongs to."""
    homes = {word: r for r, words in HOMES.items() for word in words.split()}
    while name and name not in homes:
        name = name.rpartition(".")[0]
    return homes.get(name, "")


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
            assert not node.level, "by its whole name, or these rules do not see it"
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


def test_the_homes_name_what_is_there():
    words = [word for names in HOMES.values() for word in names.split()]
    assert sorted(words) == sorted(set(words) & NAMES)


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
    """The command line shows pages of the report until they are in their own room."""
    outside = {
        name_of(path)
        for path in MODULES
        if room(name_of(path)) not in ("notebook", "views", "quiz", "jupyter")
        and any(room(other) == "notebook" for other in ours(path))
    }
    assert outside == set()


def test_nothing_of_ours_runs_on_a_server():
    for path in MODULES:
        if room(name_of(path)) == "remote":
            tops = {name.partition(".")[0] for name in imported(path)}
            assert tops <= set(sys.stdlib_module_names)


def within(path, table):
    """Whether the module, or a package it is in, stands in the table."""
    own = path.relative_to(ROOT)
    return any(str(place) in table for place in (own, *own.parents))


def talks(path):
    """What a module imports that talks to others."""
    names = set(imported(path))
    theirs = {n for n in names if any(f"{n}.".startswith(f"{io}.") for io in IO)}
    firsts = {n: n.split(".")[1] for n in names if n.startswith("ispguide.")}
    return theirs | {n for n, f in firsts.items() if {f, f.partition("_")[0]} & TALKING}


def test_what_is_pure_talks_to_nobody():
    """But for the few exceptions, and each of these still is one."""
    talkers = {p for p in MODULES if within(p, PURE) and talks(p)}
    assert {str(p.relative_to(ROOT)) for p in talkers} == TALKS_THOUGH


def test_the_tables_name_what_is_there():
    """A rule about a module that moved away would be kept by everybody."""
    parts = PURE | TALKS_THOUGH
    assert [name for name in sorted(parts) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_says_what_it_is_for(path):
    tree = parsed(path)
    assert ast.get_docstring(tree) or not tree.body


def test_nothing_prints_but_command_line_and_notebook():
    for path in MODULES:
        if path == ROOT / "tasks.py" or within(path, {"notebook"}):
            continue
        calls = (n for n in ast.walk(parsed(path)) if isinstance(n, ast.Call))
        assert not [c.lineno for c in calls if getattr(c.func, "id", "") == "print"], (
            path
        )
