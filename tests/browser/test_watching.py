"""A letter is traced, a symptom looked up, the report kept: with the hands of a reader."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ispguide import lab
from ispguide.notebook import switch


@pytest.fixture(autouse=True)
def _server(built):
    """The built practice server."""


@pytest.mark.thorough
def test_a_letter_is_traced(reader):
    lab.friend.send("nobody@example.test", "For nobody")
    switch.turn(switch.LOOK)
    reader.open("19-watching")
    reader.run_cell("from ispguide.notebook import pictures")
    reader.run_cell("pictures.trace()")
    card = reader.card("Where is the letter?")
    card.box.get_by_label("trace").fill("nobody@example.test")
    card.button("trace it").click()
    card.expect("refused")
    expect(card.box).to_contain_text("Nobody of this name lives here")
    card.box.get_by_label("trace").fill("never@example.test")
    card.button("trace it").click()
    card.expect("not found")
    health = reader.card("How the server is")
    health.expect("worth a look|all is well")
    expect(health.box).to_contain_text("All services run")
    assert card.box.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    reader.picture("watching-trace")


@pytest.mark.thorough
def test_a_symptom_leads_to_its_cell_and_the_report_is_kept(reader):
    switch.turn(switch.LOOK)
    reader.open("22-graduation")
    reader.run_cell("from ispguide.notebook import pictures, report")
    reader.run_cell("report.report()")
    report = reader.card("The report to keep")
    report.button("make the report").click()
    report.expect("written")
    (html,) = reader.desk.folder.glob("report-*.html")
    assert "Run the report with the proofs" in html.read_text(), "looking only"

    reader.run_cell("report.symptoms()")
    card = reader.card("From what you see to what repairs it")
    card.box.get_by_label("you see").fill("gtube inbox")
    expect(card.box.locator("tbody tr")).to_have_count(1)
    reader.picture("graduation-symptom")
    card.box.get_by_role("link", name="Let Postfix ask").click()
    reader.ready("13-spam")
