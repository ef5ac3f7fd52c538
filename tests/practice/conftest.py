"""What the tests on a practice server share; the server is tests/conftest.py's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from _pytest.mark import ParameterSet

from ispguide import cli as command_line
from ispguide import tasks
from ispguide.errors import GuideError
from ispguide.guide import Guide
from ispguide.planning import finding
from ispguide.proving import tried
from ispguide.report import Finding, Report
from ispguide.server import ignore

from ..building import done_at
from ..conftest import (
    ROOT,
    Cli,
    back_to_built,
    bad,
    rspamd_answers,
    settled,
    shell,
    until,
)

__all__ = [
    "LEFT",
    "ROOT",
    "Cli",
    "back_to_built",
    "bad",
    "opened_at",
    "proved",
    "rspamd_answers",
    "settled",
    "shell",
    "some",
    "until",
]


#: Lists what is left of the mailboxes of the proofs.
LEFT = (
    'mariadb -N -e "SELECT email FROM mailserver.virtual_users WHERE email LIKE '
    "'ispguide-proof-%'\"; find /var/vmail -path '*/ispguide-proof-*'"
)


@contextmanager
def opened_at(checkpoint: str) -> Iterator[Guide]:
    """The guide as if it ended with the chapters that are done there."""
    with (whole := tasks.open_guide()).server:
        yield replace(whole, chapters=done_at(checkpoint))


def proved(*words: str, guide: Guide | None = None) -> list[Finding]:
    """How the proofs with one of these words in their names stand.

    As *prove* would have it, but tried once, and without the others of their chapters:
    those take a second each, and are proved elsewhere."""
    if guide is None:
        with (guide := tasks.open_guide()).server:
            return proved(*words, guide=guide)
    asked = [
        (step, thing)
        for step in guide.select()
        for thing in guide.things(step)
        if step.proves and any(word in str(thing) for word in words)
    ]
    tried(guide, [fact for _, thing in asked for fact in thing.facts()], ignore)
    found = [finding(step, thing, guide.have) for step, thing in asked]
    return [f.now(state="failed") if f.state == "gap" else f for f in found]


def some(cases: Iterable[str], *always: str) -> list[ParameterSet]:
    """Cases of one kind: these in every suite, the others in the thorough one alone."""
    rest = pytest.mark.thorough
    return [pytest.param(c, marks=() if c in always else rest) for c in cases]


@pytest.fixture(scope="session")
def thorough(pytestconfig: pytest.Config) -> bool:
    """Whether the suite may take its time: all proofs, twenty people."""
    return bool(pytestconfig.getoption("thorough"))


@pytest.fixture(scope="session")
def made_well(thorough: bool) -> Callable[..., Report]:
    """Makes chapters true, or all of the guide; the thorough suite also proves them."""

    def _made_well(guide: Guide, *what: str) -> Report:
        steps = [step for step in guide.select(*what) if thorough or not step.proves]
        report = guide.apply(*steps)
        assert report.ok, bad(report.as_dict())
        return report

    return _made_well


@pytest.fixture(scope="session")
def applied(made_well: Callable[..., Report]) -> Callable[..., Report]:
    """The same for these chapters, by a guide opened anew."""

    def _applied(*what: str) -> Report:
        with (guide := tasks.open_guide()).server:
            return made_well(guide, *what)

    return _applied


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of the errors that the command line tells, in their order."""
    tell, found = command_line.told, list[str]()

    def _told(error: GuideError) -> None:
        found.append(error.kind)
        tell(error)

    monkeypatch.setattr(command_line, "told", _told)
    return found
