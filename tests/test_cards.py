"""Cards without a browser: nothing is left behind, nothing is older than the look.

The replay answers, so no server is needed; what is tested here is the kernel's side.
"""

from __future__ import annotations

import threading

import pytest
from ipywidgets.widgets.widget import _instances

from ispguide import replay
from ispguide.jupyter import folder
from ispguide.notebook.card import CARDS
from ispguide.notebook.pages import Page
from ispguide.notebook.work import worker

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(autouse=True)
def replayed(tmp_path, monkeypatch):
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    monkeypatch.setenv("ISPGUIDE_SERVER", "replay")
    monkeypatch.setenv("ISPGUIDE_REPLAY_SECONDS", "0")
    monkeypatch.delenv("ISPGUIDE_CELLS", raising=False)
    replay.start()
    yield
    for card in list(CARDS.values()):
        card.close()
    CARDS.clear()


def settled():
    worker("replay").join()


def run(name: str, step: str):
    card = Page(name).step(step)
    settled()
    return card


def test_a_step_is_made_so_and_its_card_says_so():
    for step, word in (
        ("the_machine", "✓ true"),
        ("remember_settings", "✚ made true"),
        ("the_name", "✓ true"),
    ):
        card = run("server", step)
        assert f'<span role="status">{word}</span>' in card.head.value
    assert "hostname -f answers" in card.body.value


def test_fifty_times_the_same_cell_leaves_one_card_and_no_thread():
    run("server", "the_machine")
    before = len(_instances)
    threads = set(threading.enumerate())
    for _ in range(50):
        run("server", "the_machine")
    assert list(CARDS) == ["server.the_machine"]
    assert len(_instances) == before
    assert set(threading.enumerate()) <= threads


def test_what_a_saved_notebook_shows_is_what_was_shown_last():
    """A cell and its card's work show something at the same moment."""
    card = run("server", "the_machine")
    together, went_wrong = threading.Barrier(8), list[Exception]()

    def show(number: int) -> None:
        try:
            for turn in range(100):
                together.wait()
                card.show(f"report {number} of turn {turn}")
        except Exception as error:
            went_wrong.append(error)
            together.abort()

    hands = [threading.Thread(target=show, args=(n,)) for n in range(8)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert not went_wrong
    (kept,) = folder().iterdir()
    assert kept.read_text() == card.static()
    card.close()
    card.show("too late")
    assert not list(folder().iterdir())


def test_a_step_that_waits_says_for_what():
    card = run("postfix", "virtual_domains")
    assert "waits" in card.head.value
    assert "What it waits for comes first" in card.body.value


def test_what_one_card_learns_all_others_show():
    page = Page("server")
    look = page.look()
    settled()
    assert "not so yet" in look.body.value
    for step in page.chapter.steps:
        run("server", step.name)
    look_again = CARDS["server.look"]
    assert look_again is look and "○ not so yet" not in look.body.value


def test_where_no_widget_can_be_shown_there_is_the_report():
    card = run("server", "the_machine")
    bundle = card._repr_mimebundle_()
    assert bundle[VIEW]["model_id"] == card.box.model_id
    assert "what should be true" in bundle["text/html"]
    assert "<button" not in bundle["text/html"]


def test_looking_only_the_proofs_wait(monkeypatch):
    from ispguide.notebook import switch

    switch.turn(switch.LOOK)
    card = Page("server").prove()
    settled()
    assert "wait for a click" in card.live.value


def test_no_view_takes_the_place_of_a_step():
    """A card whose key is made again is closed; views of the seal have keys of their own."""
    from ispguide.chapters import GUIDE
    from ispguide.notebook import authentication

    for view in (authentication.SPF, authentication.POLICY, authentication.REPORTS):
        authentication.ViewCard(view)
    authentication.RotationCard()
    steps = {f"{c.name}.{s.name}" for c in GUIDE for s in c.steps}
    assert len(CARDS) == 4 and not steps & set(CARDS)
