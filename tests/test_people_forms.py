"""The forms of chapters 10 and 18 without a server: limits, locks, forwardings, a file."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import pytest

from ispguide import tasks
from ispguide.engine.errors import GuideError
from ispguide.mail.people.plan import plan
from ispguide.mail.people.user_database import Sender
from ispguide.notebook import people, switch
from ispguide.notebook.forms.people import FileCard, text_of
from ispguide.notebook.forms.people_changes import (
    AddAlias,
    ForgetAlias,
    Lock,
    Remove,
    SetLimit,
)
from ispguide.views.people import MANY, lists_html, senders_rows

from .test_forms import LISTS, PLANTED, at_rest, home, nobody, people_card, said, states

__all__ = ["home"]


def act(kind: type) -> Any:
    return next(a for a in people_card().acts if isinstance(a, kind))


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the tasks are asked to do."""
    told: list[Any] = []
    for name in ("people_quota", "people_enable", "people_forget", "people_remove"):
        monkeypatch.setattr(
            tasks, name, lambda _, *words, **more: told.append((*words, *more.values()))
        )
    return told


def test_a_limit_is_judged_while_it_is_typed(given):
    limit = act(SetLimit)
    limit.address.input.value = "anna@example.test"
    limit.limit.input.value = "5"
    assert limit.button.disabled and "'5'" in html.unescape(said(limit.limit))
    limit.limit.input.value = "5 GB"
    limit.button.click()
    at_rest()
    assert given == [("anna@example.test", "5 GB", "practice", None)]


def test_somebody_is_locked_and_let_in_again(given):
    lock = act(Lock)
    assert lock.button.disabled, "nobody chooses for the reader"
    lock.address.input.value = "anna@example.test"
    lock.button.click()
    at_rest()
    lock.how.input.value = "unlock"
    lock.button.click()
    at_rest()
    assert [words[:2] for words in given] == [
        ("anna@example.test", False),
        ("anna@example.test", True),
    ]


def test_one_forwarding_ends(given):
    forget = act(ForgetAlias)
    forget.row.input.value = "@other.test bob@other.test"
    forget.button.click()
    at_rest()
    assert given == [("@other.test", "bob@other.test", "practice", None)]


def test_a_mailbox_may_be_forwarded_to_itself_to_keep_a_copy():
    alias = act(AddAlias)
    alias.source.input.value = alias.destination.input.value = "anna@example.test"
    assert not alias.button.disabled


def test_letters_go_only_when_asked_and_only_once(given):
    remove = act(Remove)
    remove.what.input.value = "anna@example.test"
    remove.mail.input.value = True
    remove.button.click()
    assert "for good" in remove._asked.value
    remove._yes.click()
    at_rest()
    assert given == [("anna@example.test", "practice", None, True)]
    assert remove.mail.value is False, "not for the next one"


def test_names_of_other_scripts_are_shown_as_people_write_them():
    lists = {
        "domains": [["xn--bcher-kva.test"]],
        "mailboxes": [["kim@xn--bcher-kva.test", "0", "0"]],
        "aliases": [["@xn--bcher-kva.test", "kim@xn--bcher-kva.test"]],
    }
    html = lists_html(lists)
    assert "xn--" not in html and "kim@bücher.test" in html and "no: locked" in html
    rows = senders_rows([Sender("kim@xn--bcher-kva.test", ("@xn--bcher-kva.test",))])
    assert rows == [("kim@bücher.test", "kim@bücher.test", "anything @bücher.test")]


def test_many_people_are_folded_by_their_domains():
    boxes = [[f"u{n}@d{n % 3}.test", "0", "1"] for n in range(MANY + 2)]
    html = lists_html(LISTS | {"mailboxes": boxes})
    assert html.count("<details>") == 3 and "mailbox: d0.test (14)" in html


# --- a file ------------------------------------------------------------------


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The tasks plan as they do, and only say what they would do."""
    done: list[Any] = []
    monkeypatch.setattr(tasks, "people_plan", lambda _, text, **__: plan(text, LISTS))

    def do(_: Any, text: str, **more: Any) -> Any:
        done.append(text)
        return plan(text, LISTS), {"eve@example.test": PLANTED}

    monkeypatch.setattr(tasks, "people_import", do)
    return done


def card_of(path: Path | str = "") -> FileCard:
    card = people.file(str(path))
    at_rest()
    return card


def test_an_example_is_planned_and_cannot_be_done(planned):
    card = card_of()
    assert "the mailbox dora@example.test" in card.body.value and card.go.disabled


def test_a_file_is_planned_then_done_and_passwords_are_shown_once(planned, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("address\neve@example.test\n")
    card = card_of(file)
    assert not card.go.disabled and "1 to do" in card.body.value
    card.go.click()
    at_rest()
    assert planned == [file.read_text()]
    assert PLANTED in card.once._shown.value and PLANTED not in card.static()
    assert card.go.disabled, "done is done"
    card.look()
    at_rest()
    assert PLANTED not in states()


def test_with_a_wrong_line_there_is_nothing_to_press(planned, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("address\neve@example.test\n<b>\n")
    card = card_of(file)
    assert card.go.disabled and "Line 3" in card.body.value
    assert "<b>" not in card.body.value


def test_looking_only_nobody_is_taken_in(planned, tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "people_import", nobody)
    switch.turn(switch.LOOK)
    file = tmp_path / "people.csv"
    file.write_text("address\neve@example.test\n")
    card = card_of(file)
    card.go.click()
    at_rest()
    assert "Looking only" in card.body.value


def test_a_file_that_is_not_there():
    with pytest.raises(GuideError) as stop:
        text_of("no-such-file.csv")
    assert stop.value.kind == "file-not-read"
