"""The mail server and the world, by clicks: a renewal rehearsed, a smarthost, a new key.

What the servers do is proved in tests/practice; here, that a reader gets there.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ispguide import lab, tasks
from ispguide.lab.world import wait_for
from ispguide.mail.smarthost import LOGIN

from ..conftest import shell
from .reader import THEMES

RELAY = "relay@friend.test"
KEY = "/etc/letsencrypt/live/mail.example.test/cert.pem"


@pytest.fixture(scope="module", autouse=True)
def _server(built):
    """The built server."""


@pytest.fixture(params=THEMES)
def theme(reader, request):
    reader.theme(request.param)
    yield "dark" if request.param else "light"
    reader.theme(False)


def fits(card) -> bool:
    return bool(card.box.evaluate("e => e.scrollWidth <= e.clientWidth + 1"))


@pytest.mark.thorough
def test_a_renewal_is_rehearsed_by_one_click(reader):
    serial = f"openssl x509 -noout -serial -in {KEY}"
    before = shell(serial)
    reader.open("04-tls")
    reader.run_cell("certificates.rehearse()")
    card = reader.card("A renewal, rehearsed")
    card.heading.wait_for()
    reader.at_rest()
    assert shell(serial) == before, "it began by itself"
    card.button("renew it now").click()
    card.expect("true")
    assert shell(serial) != before
    for door in (25, 465, 587, 143, 993, 110, 995, 4190, 443):
        expect(card.box).to_contain_text(f"port {door}")
    card.into_view()
    reader.picture("world-rehearsal")
    assert fits(card)


@pytest.mark.thorough
def test_a_smarthost_is_typed_in_and_left_again(reader):
    password = Path(lab.status().as_dict()["friend"]["relay_password_file"]).read_text()
    reader.open("12-sending")
    reader.run_cell("from ispguide.notebook import chapter")
    reader.run_cell("sending.settings()")
    form = reader.card("Sending mail")
    form.expect("as on the server")
    form.box.get_by_label("smarthost", exact=True).fill("mail.friend.test")
    form.box.get_by_label("your name there").fill(RELAY)
    form.expect("not kept yet")
    form.box.get_by_label("password there").fill(password)
    reader.picture("world-smarthost-typed")
    form.button("save").click()
    told = form.box.get_by_role("status").filter(has_text="run them again")
    expect(told).to_be_visible()
    expect(form.box.get_by_label("password there")).to_have_value("")
    reader.run_cell('sending.step("smarthost")')
    step = reader.card("smarthost")
    wait_for("The login", lambda: RELAY in login())
    step.expect("(made )?true")  # the form's own look may come after the deed
    step.into_view()
    reader.picture("world-smarthost")

    form.button("no smarthost").click()
    form.expect("as on the server")
    expect(form.box.get_by_label("smarthost", exact=True)).to_have_value("")
    step.button("look again").click()
    step.expect("not so yet|drifted")
    step.button("make it so").click()
    wait_for("The end of the login", lambda: login() == "")
    step.expect("(made )?true")
    reader.page.keyboard.press("Control+s")
    expect(reader.page.locator(".jp-mod-dirty")).to_have_count(0)
    saved = (reader.desk.folder / "12-sending.ipynb").read_text()
    assert password not in saved
    assert json.loads(saved)["metadata"].get("widgets") is None


def login() -> str:
    """What the server tells the smarthost."""
    return shell(f"cat {LOGIN} 2>/dev/null || true")


def test_a_new_key_by_clicks_and_a_new_kernel_between(reader):
    reader.open("15-dkim")
    rotation(reader).expect("no change of keys is under way")
    card = rotation(reader)
    first = selector()
    card.button("make a new key").click()
    reader.at_rest()
    card.expect("under way")
    card.button("put its public half into the DNS").click()
    expect(card.button("sign with the new key")).to_be_visible(timeout=90_000)
    reader.restart_kernel()  # nothing is remembered in it
    card = rotation(reader)
    card.button("sign with the new key").click()
    expect(card.box).to_contain_text("had its turn")
    assert selector() != first
    card.into_view()
    reader.picture("world-rotation")
    assert fits(card)


def rotation(reader):
    reader.run_cell("from ispguide.notebook import chapter")
    reader.run_cell("from ispguide.notebook import authentication")
    reader.run_cell("authentication.rotation()")
    card = reader.card("Another key")
    card.heading.wait_for()
    reader.at_rest()
    return card


def selector() -> str:
    (turn,) = tasks.dkim_turns(tasks.HERE)
    return str(turn.signing.selector)


@pytest.mark.thorough
def test_the_seal_as_it_looks(reader, theme):
    reader.open("15-dkim")
    reader.run_cell("from ispguide.notebook import authentication")
    for code, title in (
        ("authentication.spf()", "SPF, word by word"),
        ("authentication.policy()", "What others shall do with forgeries"),
        ("authentication.reports()", "What others saw in your name"),
        ("authentication.rotation()", "Another key"),
    ):
        reader.run_cell(code)
        card = reader.card(title)
        card.heading.wait_for()
        reader.at_rest()
        card.into_view()
        reader.picture(f"world-{code[5:-2]}-{theme}")
        assert fits(card), title
    reader.run_cell("authentication.sample()")
    shown = reader.cell("authentication.sample()").locator(".jp-OutputArea")
    expect(shown.locator("svg").first).to_be_visible()
    shown.evaluate("e => e.scrollIntoView()")
    reader.picture(f"world-sample-{theme}")
