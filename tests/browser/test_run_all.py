"""Run All with live cards, on every notebook: looking only, and making it so again.

On a built server neither may change anything: the first by its promise, the second
because there is nothing left to change.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ispguide.notebook import switch

from ..conftest import ROOT, shell
from ..practice.test_notebooks_run import FILES

#: The glossary has words only, and no cell to run.
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-8]*.ipynb"))
LEDGER = "cat /var/lib/ispguide/ledger.jsonl | sha256sum"


@pytest.fixture(autouse=True)
def _server(built):
    """The built practice server."""


def not_well(reader) -> list[str]:
    """Headings of cards that show a gap, a failure or a wait."""
    heads = reader.cards().locator(".head").all_inner_texts()
    return [h for h in heads if h.startswith(("✗", "‖", "○ not so", "↯"))]


@pytest.mark.thorough
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_run_all_changes_nothing(reader, path: Path):
    switch.turn(switch.LOOK)
    reader.open(path.stem)
    before, ledger = shell(FILES), shell(LEDGER)
    reader.run_all()
    assert shell(FILES) == before
    switch.turn(switch.DO)
    reader.run_all()
    assert shell(LEDGER) == ledger
    assert not not_well(reader)
