"""The chapters as text: documented, plain, in order, and made of things that agree."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections import defaultdict
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from ispguide import chapters
from ispguide.chapters import GUIDE
from ispguide.engine import facts, problems
from ispguide.engine.chapter import Step
from ispguide.engine.local import templates
from ispguide.engine.settings import DECISIONS, Settings
from ispguide.engine.things import File, Service
from ispguide.mail.packages import PACKAGES
from ispguide.mail.postfix import MasterService, Postconf

S = Settings("mail.example.test", "example.test", "postmaster@example.test")
HERE = Path(chapters.__file__).parent
STEPS = [step for chapter in GUIDE for step in chapter]
MADE = [step for step in STEPS if not step.proves]
#: Every choice a reader can make must give a whole guide.
CHOICES = [
    S,
    replace(S, pop3=False),
    replace(S, junk_score=1, reject_score=2, message_size_mb=500),
    *(
        replace(S, tls=tls, acme_url="https://acme.example.test/dir")
        for tls in DECISIONS["tls"].choices
    ),
    replace(S, tls="acme-url", acme_url="https://a.test/dir", acme_ca="/etc/ssl/x.pem"),
    *(replace(S, mta_sts=mode) for mode in DECISIONS["mta_sts"].choices),
    replace(S, sni=True),
    replace(S, smarthost="mail.friend.test", smarthost_user="relay@friend.test"),
]


#: Who listens while Postfix runs.
TAKES = [("0.0.0.0", 25, "master")]


def body(step: Step) -> ast.FunctionDef:
    """The step's function as a tree."""
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(step.build))).body
    assert isinstance(function, ast.FunctionDef)
    return function


def test_reading_order():
    numbers = [chapter.number for chapter in GUIDE]
    assert numbers == sorted(set(numbers))
    for i, chapter in enumerate(GUIDE):
        assert set(chapter.needs) <= set(GUIDE[:i]), chapter.name


def test_a_module_is_a_chapter():
    for chapter in GUIDE:
        assert import_module(f"ispguide.chapters.{chapter.name}").chapter is chapter


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_step_says_why(step):
    assert step.text.count(".") >= 2, "two sentences at least"
    assert not step.text.startswith(("Install", "Configure", "Set "))


#: What makes a step a program: it should read as a list of what is to be true.
BRANCHES = (ast.If, ast.IfExp, ast.BoolOp, ast.Try, ast.While, ast.For, ast.With, ast.comprehension)  # fmt: skip
#: What a shell does more with than calling one program by its words.
SHELL = re.compile(r"""[|;&$<>\n'"]""")


def words_of(node: ast.AST) -> str:
    """The text of a string in the source; X stands for what is put in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(words_of, node.values))
    if isinstance(node, ast.BinOp):
        return words_of(node.left) + words_of(node.right)
    if isinstance(node, ast.FormattedValue):
        return "X"
    value = getattr(node, "value", "")
    return value if isinstance(value, str) else ""


def commands_in(node: ast.Call) -> list[str]:
    """The commands that a step hands to a thing: by name, or a Check's second word."""
    second = node.args[1:2] if getattr(node.func, "id", "") == "Check" else []
    named = [k.value for k in node.keywords if k.arg in ("command", "unless")]
    return [words_of(found) for found in (*second, *named)]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_step_is_plain(step):
    """No branch, no loop, no quoted shell, no sudo: all of that has a name, elsewhere."""
    for node in ast.walk(body(step)):
        assert not isinstance(node, BRANCHES), ast.unparse(node)
        for command in commands_in(node) if isinstance(node, ast.Call) else ():
            assert not SHELL.search(command), command
    assert "sudo" not in step.source


def test_a_plain_step_is_told_from_a_program():
    told = {"x = 1 if y else 2": True, "yield Check('a', 'ls | wc')": True,
            "yield Once('a', command=f'echo {x} > y')": True, "yield Check('a', 'ls')": False}  # fmt: skip
    for code, refused in told.items():
        nodes = list(ast.walk(ast.parse(code)))
        calls = [c for n in nodes if isinstance(n, ast.Call) for c in commands_in(n)]
        shell = any(map(SHELL.search, calls))
        assert refused == (shell or any(isinstance(n, BRANCHES) for n in nodes)), code


@pytest.mark.parametrize("s", CHOICES, ids=lambda s: f"{s.tls}-{s.pop3}-{s.junk_score}")
def test_every_choice_gives_a_guide(s):
    assert problems.of(s) == []
    for step in STEPS:
        things = list(step.things(s))
        names = [str(thing) for thing in things]
        assert things
        assert len(set(names)) == len(names), f"{step}: two things of one name"
        assert all(list(thing.facts()) for thing in things)


@pytest.mark.parametrize("step", MADE, ids=str)
def test_who_writes_for_a_service_ends_with_it(step):
    """Running one step again repairs the whole component."""
    served = {
        "/etc/postfix": "postfix",
        "/etc/dovecot": "dovecot",
        "/etc/apache2": "apache2",
        "/etc/rspamd": "rspamd",
        "/etc/redis": "redis-server",
        "/etc/mysql": "mariadb",
    }
    services: set[str] = set()  # of what comes after the thing
    for thing in reversed(list(step.things(S))):
        if isinstance(thing, Service):
            services.add(thing.unit)
        if isinstance(thing, File):
            top = "/".join(thing.path.split("/")[:3])
            assert served.get(top) in {None, *services}, thing
        if isinstance(thing, Postconf | MasterService):
            assert "postfix" in services


@pytest.mark.parametrize("s", [S, CHOICES[-1]], ids=["S", "smarthost"])
def test_two_steps_never_want_different_things(s):
    """Else each apply would undo the other's."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for step in MADE:
        for thing in step.things(s):
            if isinstance(thing, Postconf):
                for name, value in thing.values:
                    wanted[name].add(value)
            if isinstance(thing, File):
                wanted[thing.path].add(f"{thing.text}{thing.mode}{thing.owner}")
    assert {k: v for k, v in wanted.items() if len(v) > 1} == {}


def test_a_postfix_service_belongs_to_one_step():
    owners = defaultdict(list)
    for step in MADE:
        for thing in step.things(S):
            if isinstance(thing, MasterService):
                owners[thing.name].append(str(step))
    assert all(len(steps) == 1 for steps in owners.values()), owners


@pytest.mark.parametrize("s", [S, CHOICES[-1]], ids=["S", "smarthost"])
def test_a_password_is_never_for_all_to_read(s):
    things = (thing for step in MADE for thing in step.things(s))
    secret = [t for t in things if isinstance(t, File) and "⟦" in t.text]
    assert "/etc/postfix/mysql-virtual-mailbox-maps.cf" in {t.path for t in secret}
    assert [t.path for t in secret if t.mode & 0o007] == []


def test_no_mirror_is_written_down():
    """In no chapter, in nothing that several of them share, and in no template."""
    paths = [p for p in (*HERE.rglob("*.py"), *templates().rglob("*")) if p.is_file()]
    assert {HERE / "packages.py", HERE / "server.py"} < set(paths)
    assert len(paths) > len(GUIDE) + 50
    mirror = re.compile(r"(deb|security|ftp[.\w]*)\.debian\.org")
    assert [p for p in paths if mirror.search(p.read_text())] == []


def test_what_postfix_reads_at_a_start_alone_makes_it_start_anew():
    """postconf(5): "stop and start Postfix when this parameter changes"."""
    alone = {"inet_interfaces", "inet_protocols"}
    running = defaultdict(lambda: {"active": "active"}, {facts.listening(): TAKES})
    verbs = {
        action.verb
        for step in MADE
        for things in [list(step.things(S))]
        if alone & {n for t in things if isinstance(t, Postconf) for n, _ in t.values}
        for service in things
        if isinstance(service, Service)
        for action in service.fix(running)
    }
    assert verbs == {"restart"}


def test_packages_are_named_once():
    assert len(set(PACKAGES)) == len(PACKAGES)
    assert "dovecot-pop3d" in PACKAGES
