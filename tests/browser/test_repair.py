"""Somebody edited a file by hand: the card sees it, shows it and mends it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ..conftest import shell

FILE = "/etc/apache2/conf-available/zz-ispguide.conf"


@pytest.fixture
def card(halfway, reader):
    """The step that wrote the file, in its notebook, at rest."""
    reader.open("04-tls")
    reader.run_cell("from ispguide.notebook import chapter")
    reader.run_cell('tls.step("web_server")')
    card = reader.card("web server")
    card.expect("true")
    reader.at_rest()
    return card


def test_a_change_by_hand_is_seen_shown_on_the_map_and_mended(card, reader):
    was = shell(f"cat {FILE}")
    shell(f"sed -i 's/ServerTokens Prod/ServerTokens Full/' {FILE}")
    assert shell(f"cat {FILE}") != was
    card.button("look again").click()
    card.expect("drifted: it was true once")
    changed = card.box.locator("mark")
    expect(changed.filter(has_text="Full")).to_be_visible()
    expect(changed.filter(has_text="Prod")).to_be_visible()
    reader.picture("repair-drifted")
    chapter = reader.card("04 A name that can be trusted")
    chapter.button("look").click()
    chapter.expect("drifted")
    mine = chapter.box.get_by_role("listitem").filter(has_text="you are here")
    expect(mine).to_contain_text("↯")
    card.button("make it so").click()
    card.expect("made true")
    chapter.expect("proved")
    assert shell(f"cat {FILE}") == was
    card.button("look again").click()
    card.expect("true")
    expect(card.box).not_to_contain_text("drifted")


def test_undo_asks_first_and_says_why_it_cannot(card):
    card.button("undo").click()
    expect(card.button("undo")).to_have_count(0)
    card.button("no, leave it").click()
    expect(card.button("undo")).to_be_enabled()
    before = shell(f"stat -c %Z {FILE}; tail -1 /var/lib/ispguide/ledger.jsonl")
    card.button("undo").click()
    card.button("yes, undo on mail.example.test").click()
    why = card.box.get_by_role("alert")
    expect(why.locator('[data-kind="still-needed"]')).to_be_visible()
    expect(why).to_contain_text("tls.web_server")
    for part in ("is", "should be", "do now"):
        expect(why.get_by_role("term").filter(has_text=part).first).to_be_visible()
    assert before == shell(f"stat -c %Z {FILE}; tail -1 /var/lib/ispguide/ledger.jsonl")
    card.button("look again").click()
    card.expect("true")


def test_undo_puts_back_what_was_there(halfway, reader):
    path = "/etc/dovecot/conf.d/99-ispguide-tls.conf"
    reader.open("07-dovecot")
    reader.run_cell("from ispguide.notebook import chapter")
    reader.run_cell('dovecot.step("encryption")')
    card = reader.card("encryption")
    card.expect("true")
    reader.at_rest()
    assert shell(f"cat {path}")
    card.button("undo").click()
    card.button("yes, undo on mail.example.test").click()
    card.expect("drifted|not so yet")
    assert shell(f"ls {path} 2>&1 || true").startswith("ls:")
    card.button("make it so").click()
    card.expect("made true")
    assert shell(f"cat {path}")
