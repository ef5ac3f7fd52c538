"""As in test_tamper.py, the chapters up to 7: while the rest is still built."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ispguide import tasks

from ..building import EARLY
from .conftest import bad
from .test_tamper import at_once, tamper_and_heal


@pytest.fixture(scope="module")
def guide(halfway):
    """The guide, as if it ended with chapter 7."""
    with (whole := tasks.open_guide()).server:
        yield (early := replace(whole, chapters=EARLY))
        left = early.check()
        assert left.ok, bad(left.as_dict())


@pytest.mark.parametrize(("steps", "scripts"), list(at_once(EARLY)))
def test_a_chapter_tampered_with_is_named_and_healed(guide, made_well, steps, scripts):
    tamper_and_heal(guide, made_well, steps, scripts)
