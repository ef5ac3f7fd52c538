"""Reading: words explained where they stand, links that lead exactly, questions judged."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ispguide.quiz.asked import ASKED
from ispguide.views import glossary


@pytest.fixture(autouse=True)
def _server(begun):
    """A server that has begun."""


def repair(reader, text):
    """The link with these words in the table "When it breaks"."""
    return reader.notebook.locator("table").get_by_role("link", name=text).last


def test_a_word_is_explained_on_hover_and_on_its_page(reader):
    reader.open("08-delivery")
    word = reader.notebook.get_by_role("link", name="LMTP", exact=True).first
    expect(word).to_have_attribute("title", glossary.terms()["LMTP"].tip)
    word.click()
    reader.ready("90-glossary")
    heading = reader.notebook.get_by_role("heading", name="LMTP")
    expect(heading.first).to_be_in_viewport()


def test_a_repair_leads_to_its_cell_in_the_same_notebook(reader):
    reader.open("06-postfix")
    for _ in range(2):  # the second time the address is the same already
        repair(reader, "Say who we are").first.click()
        expect(reader.cell('postfix.step("identity")')).to_be_in_viewport()
        reader.notebook.locator("table").last.scroll_into_view_if_needed()


def test_a_repair_leads_to_its_cell_in_another_notebook(reader):
    reader.open("06-postfix")
    repair(reader, "Start the database").click()
    reader.ready("05-database")
    expect(reader.cell('database.step("service")')).to_be_in_viewport()


def test_the_server_judges_an_answer_typed_and_the_card_leads_on(reader):
    question = ASKED[0].text
    reader.open("02-server")
    reader.run_cell("from ispguide.notebook import chapter")
    reader.run_cell(f'server.ask("{question}")')
    card = reader.card(question)
    field = card.box.get_by_label("Your answer")
    field.fill("mail")
    field.press("Enter")
    card.expect("not so")
    expect(card.box).to_contain_text("short name")
    field.fill("mail.example.test")
    field.press("Enter")
    card.expect("right")
    card.box.get_by_role("link", name="02 the name").click()
    expect(reader.page.get_by_role("dialog")).to_have_count(0)
    expect(reader.cell('server.step("the_name")')).to_be_in_viewport()
