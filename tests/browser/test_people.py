"""Chapter 18 as a reader clicks it: somebody moves in, is locked out, and moves out."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ispguide import tasks

WHO = "dora@example.test"


@pytest.fixture
def desk_of_people(built, reader):
    """Chapter 18, its form in sight, the switch on *make it so*."""
    reader.open("18-people")
    reader.run_cell('people = chapter("people")')
    reader.at_rest()
    reader.switch("make it so")
    reader.run_cell("desk.form()")
    card = reader.card("People")
    card.expect("mailbox|mailboxes")
    return card


def says(card, words: str) -> None:
    """Wait until the card tells what was done."""
    done = card.box.get_by_role("status").filter(has_text=f"✓ {words}")
    expect(done).to_be_visible(timeout=60_000)


def test_somebody_moves_in_is_locked_out_and_moves_out(reader, desk_of_people, login):
    card = desk_of_people
    card.box.get_by_label("mail address").fill("dora@elsewhere")
    expect(card.box.get_by_role("alert")).to_be_visible()
    expect(card.button("add the mailbox")).to_be_disabled()
    card.box.get_by_label("mail address").fill(WHO)
    card.button("add the mailbox").click()
    says(card, f"{WHO} has a mailbox.")
    password = card.box.locator("pre.once").inner_text().strip()
    assert len(password) >= 16 and login(WHO, password)
    card.into_view()
    reader.picture("people-once")

    text = reader.save("18-people")
    assert WHO in text and password not in text, "a saved notebook can be shown around"
    card.button("hide it").click()
    expect(card.box.locator("pre.once")).to_have_count(0)

    card.box.get_by_role("tab", name="lock", exact=True).click()
    panel = card.box.locator(".widget-tab-contents > *").filter(visible=True)
    panel.get_by_label("mailbox").select_option(WHO)
    card.button("do it").click()
    says(card, f"{WHO} is locked")
    assert not login(WHO, password)

    card.box.get_by_role("tab", name="remove", exact=True).click()
    panel.get_by_label("what to remove").select_option(f"mailbox {WHO}")
    panel.get_by_label("its letters too, for good").check()
    card.button("remove …").click()
    expect(panel.get_by_role("alert")).to_contain_text(f"the login of {WHO}")
    reader.picture("people-remove")
    card.button(f"yes, remove {WHO}").click()
    says(card, f"{WHO} is gone. Its letters are gone too.")
    expect(card.box.get_by_role("table").first).not_to_contain_text(WHO)


@pytest.mark.thorough
def test_looking_only_the_form_changes_nothing(built, reader):
    reader.open("18-people")
    reader.run_cell('people = chapter("people")')
    reader.at_rest()
    reader.switch("look only")
    reader.run_cell("desk.form()")
    card = reader.card("People")
    card.expect("mailbox|mailboxes")
    card.box.get_by_label("mail address").fill(WHO)
    card.button("add the mailbox").click()
    expect(
        card.box.get_by_role("alert").filter(has_text="Looking only")
    ).to_be_visible()
    assert WHO not in [row[0] for row in tasks.people_list(tasks.HERE)["mailboxes"]]
