"""A learner's walk: from nothing to a delivered mail, by clicks and Shift+Enter.

Every screen on the way becomes a picture.  With ISPGUIDE_PICTURES=1 they go into
docs/pictures, where README.md and docs/walk.md show them; else into a folder beside
the tests, for whoever wants to look.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from ispguide import tasks
from ispguide.chapters import GUIDE
from ispguide.tasks.components import PARTS
from ispguide.views.diagram import PLACES

from ..conftest import ROOT
from .reader import Reader

#: In this order: a walk.
pytestmark = pytest.mark.story

DOCS = ROOT / "docs" / "pictures"
KEEP = (
    DOCS if os.environ.get("ISPGUIDE_PICTURES") else Path(__file__).parent / "pictures"
)


def picture(reader: Reader, name: str, of: Locator | None = None) -> None:
    """The screen as it is, with this part of it in sight."""
    KEEP.mkdir(parents=True, exist_ok=True)
    if of is not None:
        of.evaluate("e => e.scrollIntoView({block: 'start'})")
        expect(of).to_be_in_viewport()
    reader.page.screenshot(path=KEEP / f"{name}.png")


def title(name: str) -> str:
    chapter = next(c for c in GUIDE if c.name == name)
    return f"{chapter.number:02d} {chapter.title}"


def cells(reader: Reader) -> int:
    return reader.notebook.locator(".jp-Cell").count()


def walk_through(reader: Reader) -> None:
    """Shift+Enter from the first cell to the last, as a reader does."""
    reader.notebook.locator(".jp-Cell").first.click()
    reader.page.keyboard.press("Escape")
    for _ in range(cells(reader)):
        reader.page.keyboard.press("Shift+Enter")
    reader.at_rest(240)


def made_so(reader: Reader, name: str) -> None:
    """A chapter by one click."""
    chapter = next(c for c in GUIDE if c.name == name)
    reader.open(chapter.notebook.removesuffix(".ipynb"))
    reader.run_cell(f'chapter("{name}")')
    card = reader.card(title(name))
    card.expect("open")
    card.button("make it so").click()
    card.expect("proved", 240)
    picture(reader, f"{chapter.number:02d}-proved", reader.cell(f'chapter("{name}")'))


@pytest.mark.usefixtures("halfway")
class TestFromHalfway:
    """From a server on which the chapters up to 7 are done."""

    def test_08_is_open_and_made_so_by_one_click(self, reader):
        made_so(reader, "delivery")

    def test_the_server_is_as_the_card_said(self):
        as_the_cards_said(until=8)


def as_the_cards_said(until: int) -> None:
    names = [c.name for c in GUIDE if c.number <= until]
    report = tasks.look(tasks.HERE, names)
    assert report.ok, report.text()


@pytest.mark.thorough
@pytest.mark.usefixtures("bare")
class TestWalk:
    """In this order: each goes on where the one before it stopped."""

    def test_00_begins_by_reading_and_pressing_shift_enter(self, reader):
        reader.open("00-start")
        walk_through(reader)
        expect(
            reader.notebook.get_by_text("practice server mail.example.test").first
        ).to_be_visible()
        picture(reader, "00-start", reader.notebook.locator(".ispg-card").first)
        picture(reader, "00-switch", reader.cell("start.switch()"))

    def test_01_shows_the_whole_picture(self, reader):
        reader.open("01-big-picture")
        walk_through(reader)
        card = reader.card("The big picture")
        card.expect(f"0 of {len(PARTS)} components are well")
        drawn = card.box.locator("svg a")
        expect(drawn).to_have_count(len(PLACES))
        expect(drawn.filter(has_text="○ open")).to_have_count(len(PLACES))
        picture(reader, "01-big-picture", card.box)

    def test_02_is_proved_by_shift_enter_alone(self, reader):
        reader.open("02-server")
        walk_through(reader)
        reader.card(title("server")).expect("proved", 60)
        picture(reader, "02-chapter", reader.cell('chapter("server")'))
        picture(reader, "02-step", reader.cell('server.step("the_name")'))

    def test_03_next_is_too_early_and_says_why(self, reader):
        reader.open("03-packages")
        reader.run_cell('chapter("packages")')
        card = reader.card(title("packages"))
        card.expect("open")
        card.button("next chapter").click()
        expect(card.live).to_contain_text("Too early")
        expect(card.live.get_by_role("link").first).to_be_visible()
        picture(reader, "03-too-early", reader.cell('chapter("packages")'))

    def test_03_made_so_by_one_click_leads_on_to_04(self, reader):
        reader.open("03-packages")
        reader.run_cell('chapter("packages")')
        card = reader.card(title("packages"))
        card.expect("open")
        card.button("make it so").click()
        expect(card.live).to_contain_text("package", timeout=30_000)
        picture(reader, "03-progress", reader.cell('chapter("packages")'))
        card.expect("proved", 240)
        card.button("next chapter").click()
        card.live.get_by_role("link", name=title("tls")).click()
        reader.ready("04-tls")

    @pytest.mark.parametrize(
        "name", ["tls", "database", "postfix", "dovecot", "delivery"]
    )
    def test_the_next_ones_each_by_one_click(self, reader, name):
        made_so(reader, name)

    def test_09_a_person_moves_in_and_a_mail_is_watched(self, reader):
        reader.open("09-first-mail")
        walk_through(reader)
        reader.card(title("first_mail")).expect("proved", 60)
        card = reader.card("The journey of a mail")
        card.button("send an ordinary letter").click()
        card.expect("arrived", 60)
        picture(reader, "09-journey", reader.cell("pictures.journey()"))
        picture(reader, "09-people", reader.cell("people.form()"))
        picture(reader, "09-proof", reader.cell("first_mail.prove()"))

    def test_the_map_in_the_dark(self, reader):
        reader.theme(dark=True)
        try:
            reader.open("06-postfix")
            reader.run_all()
            reader.card(title("postfix")).expect("proved")
            picture(reader, "06-dark", reader.cell('chapter("postfix")'))
            picture(reader, "06-dark-step", reader.cell('postfix.step("mailboxes")'))
        finally:
            reader.theme(dark=False)

    def test_the_server_is_as_the_cards_said(self):
        as_the_cards_said(until=9)
