"""What the tests on a practice server share; the server is tests/conftest.py's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ispguide import cli as command_line
from ispguide.errors import GuideError
from ispguide.guide import Guide

from ..conftest import ROOT, Cli, back_to_built, bad, settled, shell

__all__ = ["ROOT", "Cli", "back_to_built", "bad", "settled", "shell"]


@pytest.fixture
def made_well(pytestconfig: pytest.Config) -> Callable[[Guide], None]:
    """Makes all of the guide true; the thorough suite also has it proved."""

    def _made_well(guide: Guide) -> None:
        proofs = pytestconfig.getoption("thorough")
        steps = (step for step in guide.select() if proofs or not step.proves)
        report = guide.apply(*steps)
        assert report.ok, bad(report.as_dict())

    return _made_well


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of the errors that the command line tells, in their order."""
    tell, found = command_line.told, list[str]()

    def _told(error: GuideError) -> None:
        found.append(error.kind)
        tell(error)

    monkeypatch.setattr(command_line, "told", _told)
    return found
