"""As in test_tamper.py, the chapters 8 to 13: while the rest is still built."""

from __future__ import annotations

import pytest

from ..building import EARLY, done_at
from .conftest import opened_at
from .test_tamper import at_once, healed, tamper_and_heal

CHAPTERS = done_at("mostly")[len(EARLY) :]


@pytest.fixture(scope="module")
def guide(mostly):
    with opened_at("mostly") as early:
        yield early
        healed(early)


@pytest.mark.parametrize(("steps", "scripts"), list(at_once(CHAPTERS)))
def test_a_chapter_tampered_with_is_named_and_healed(guide, made_well, steps, scripts):
    tamper_and_heal(guide, made_well, steps, scripts)
