"""As in test_tamper.py, the chapters up to 7: while the rest is still built."""

from __future__ import annotations

import pytest

from ..building import EARLY
from .conftest import opened_at
from .test_tamper import at_once, healed, tamper_and_heal


@pytest.fixture(scope="module")
def guide(halfway):
    with opened_at("halfway") as early:
        yield early
        healed(early)


@pytest.mark.parametrize(("steps", "scripts"), list(at_once(EARLY)))
def test_a_chapter_tampered_with_is_named_and_healed(guide, made_well, steps, scripts):
    tamper_and_heal(guide, made_well, steps, scripts)
