"""Chapter 16 as a reader sees it: who guesses, drawn; the firewall's step; the form."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from ispguide.lab import spammer

from .reader import THEMES


@pytest.fixture(scope="module", autouse=True)
def _guessed(built):
    """Somebody has guessed at two doors."""
    spammer.brute_force("imaps", 10, "nameless")
    spammer.brute_force("submissions", 4, "listed")


@pytest.mark.thorough
@pytest.mark.parametrize("dark", THEMES)
def test_as_it_looks(reader, dark):
    word = "dark" if dark else "light"
    reader.theme(dark)
    try:
        reader.open("16-brute-force")
        reader.picture(f"brute-force-top-{word}")
        reader.run_cell("from ispguide.notebook import pictures")
        card = reader.card("Who guesses, and who is shut out")
        card.expect("looked")
        expect(card.box).to_contain_text(re.compile(r"\d+ wrong guesses from \d"))
        expect(
            card.box.get_by_role("img", name="Wrong guesses by door")
        ).to_be_visible()
        card.box.get_by_text("the numbers as a table").click()
        card.into_view()
        reader.picture(f"brute-force-guesses-{word}")
        assert card.box.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
        reader.run_cell('chapter("brute_force")')
        reader.run_cell("brute_force.settings()")
        expect(reader.cards().filter(has_text="minutes shut out")).to_be_visible()
        reader.picture(f"brute-force-settings-{word}")
        reader.run_cell('brute_force.step("firewall")')
        step = reader.card("firewall")
        step.expect("true|already true|done")
        step.into_view()
        reader.picture(f"brute-force-firewall-{word}")
    finally:
        reader.theme(False)
