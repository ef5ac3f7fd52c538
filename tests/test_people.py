"""People as data: what is refused, and what reaches the server."""

import pytest

from ispguide import people
from ispguide.errors import GuideError
from ispguide.settings import Secret


@pytest.mark.parametrize("text", ["Anna@Example.Test", " anna@example.test "])
def test_addresses_are_kept_in_small_letters(text):
    assert people.valid_address(text) == "anna@example.test"


def test_a_catch_all_is_an_address_only_where_one_may_stand():
    assert people.valid_address("@example.test", catch_all=True) == "@example.test"
    with pytest.raises(GuideError):
        people.valid_address("@example.test")


@pytest.mark.parametrize("bad", ["x", "a b@c.de", "a@b'c.de", "a@" + "x" * 260 + ".de"])
def test_what_is_no_address_gets_a_sentence(bad):
    with pytest.raises(GuideError, match=r"\."):
        people.valid_address(bad)


@pytest.mark.parametrize("bad", ["", "a\nb", "\x00", "x" * 73, "ü" * 37])
def test_a_password_that_cannot_work_is_refused(bad):
    with pytest.raises(GuideError):
        people.valid_password(Secret(bad))


def test_a_password_as_an_ordinary_word_is_refused():
    with pytest.raises(GuideError, match="ordinary word") as error:
        people.valid_password("hunter2-hunter2")
    assert "hunter2" not in str(error.value)


def test_the_password_travels_apart_from_the_sql():
    run = people.add_mailbox("anna@example.test", Secret("hunter2-hunter2"))
    assert "hunter2" not in run.stdin
    assert people.marker(people.NEW) in run.stdin
    assert list(run.hashes) == [people.NEW]
    assert b"postmaster@example.test".hex() in run.stdin


def test_no_value_can_break_out_of_the_sql():
    evil = "x' OR 1=1; --@example.test"
    for run in (people.remove(evil), people.add_alias(evil, evil)):
        assert "OR 1=1" not in run.stdin
