"""The DNS coach at work: read, copied, published, followed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ispguide import tasks

from ..practice.test_dns import DOMAIN, change, forget
from .reader import THEMES


@pytest.fixture(autouse=True)
def _server(built):
    """The built practice server."""


@pytest.mark.thorough
def test_copy_publish_and_follow(reader):
    change("_dmarc." + DOMAIN, "TXT")
    reader.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    reader.open("14-dns")
    reader.run_cell("from ispguide.notebook import dns as coach")
    card = reader.card("The records")
    card.expect("to be put right")
    missing = card.box.locator('[data-kind="missing"]')
    expect(missing.filter(has_text="_dmarc.example.test").first).to_be_visible()

    copy = card.box.get_by_label("copy the value of TXT of _dmarc.example.test")
    copy.click()
    expect(card.box.get_by_text("✓ copied")).to_be_visible()
    copied = reader.page.evaluate("navigator.clipboard.readText()")
    assert copied == "v=DMARC1; p=none; rua=mailto:dmarc@example.test"

    card.box.get_by_role("button", name="publish what is missing").click()
    card.expect("records are right")
    rows = {row.record.key: row.state for row in tasks.dns_records(tasks.HERE)}
    assert rows["dmarc"] == "ok"
    reader.picture("coach-records")

    forget()  # whatever the tests before this one made it ask
    reader.run_cell("coach.propagation()")
    propagation = reader.card("Who knows it already")
    propagation.expect("everybody who was asked knows it")
    left = propagation.box.locator("[data-until]").first
    before = left.text_content()
    expect(left).not_to_have_text(before)  # the seconds run
    expect(
        propagation.box.get_by_role("img", name="Who knows it already")
    ).to_be_visible()
    propagation.into_view()
    reader.picture("coach-propagation")


@pytest.mark.thorough
@pytest.mark.parametrize("dark", THEMES)
def test_as_it_looks(reader, dark):
    change(DOMAIN, "TXT", '"v=spf1 mx -all"', '"v=spf1 a -all"')
    reader.theme(dark)
    try:
        reader.open("14-dns")
        reader.run_cell("from ispguide.notebook import dns as coach")
        card = reader.card("The records")
        card.expect("to be put right")
        expect(card.box.locator('[data-kind="several"]').first).to_be_visible()
        card.box.get_by_text("for the form").first.click()
        card.into_view()
        reader.picture(f"coach-{'dark' if dark else 'light'}")
        assert card.box.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    finally:
        reader.theme(False)
        change(DOMAIN, "TXT", '"v=spf1 mx -all"')
