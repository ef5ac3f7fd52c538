"""People as data: what is refused, and what reaches the server."""

import pytest

from ispguide.engine import names, problems
from ispguide.engine.actions import marker
from ispguide.engine.errors import GuideError
from ispguide.engine.gaps import Unsure
from ispguide.engine.settings import Secret, Settings
from ispguide.mail import people
from ispguide.mail.people.plan import plan
from ispguide.mail.people.things import DeadEnds, Duties
from ispguide.mail.people.user_database import senders


@pytest.mark.parametrize("text", ["Anna@Example.Test", " anna@example.test "])
def test_addresses_are_kept_in_small_letters(text):
    assert people.valid_address(text) == "anna@example.test"


def test_a_catch_all_is_an_address_only_where_one_may_stand():
    assert people.valid_address("@example.test", catch_all=True) == "@example.test"
    with pytest.raises(GuideError) as stop:
        people.valid_address("@example.test")
    assert stop.value.kind == "bad-address"


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ("x", "bad-address"),
        ("a b@c.de", "bad-address"),
        ("a@b'c.de", "bad-domain"),
        ("a@" + "x" * 260 + ".de", "bad-address"),
    ],
)
def test_what_is_no_address_is_refused(bad, kind):
    with pytest.raises(GuideError) as stop:
        people.valid_address(bad)
    assert stop.value.kind == kind


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ("", "bad-password"),
        ("a\nb", "bad-password"),
        ("\x00", "bad-password"),
        ("x" * 73, "password-too-long"),
        ("ü" * 37, "password-too-long"),
    ],
)
def test_a_password_that_cannot_work_is_refused(bad, kind):
    with pytest.raises(GuideError) as stop:
        people.valid_password(Secret(bad))
    assert stop.value.kind == kind


def test_a_password_as_an_ordinary_word_is_refused():
    with pytest.raises(GuideError) as stop:
        people.valid_password("hunter2-hunter2")
    assert stop.value.kind == "password-in-the-open"
    assert "hunter2" not in str(stop.value)


def test_the_password_travels_apart_from_the_sql():
    run = people.add_mailbox("anna@example.test", Secret("hunter2-hunter2"))
    assert "hunter2" not in run.stdin
    assert marker(people.NEW) in run.stdin
    assert list(run.hashes) == [people.NEW]
    assert b"postmaster@example.test".hex() in run.stdin


def test_no_value_can_break_out_of_the_sql():
    evil = "x' OR 1=1; --@example.test"
    for run in (people.remove(evil), people.add_alias(evil, evil)):
        assert "OR 1=1" not in run.stdin
        assert f"CONVERT(0x{evil.encode().hex()} " in run.stdin


# --- addresses ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("Anna@BÜCHER.example", "anna@xn--bcher-kva.example"),
        ("anna@straße.example", "anna@xn--strae-oqa.example"),
        ("o'brien+x/y@example.test", "o'brien+x/y@example.test"),
        ("anna@例え.テスト", "anna@xn--r8jz45g.xn--zckzah"),
    ],
)
def test_addresses_as_they_are_kept(said, kept):
    assert people.valid_address(said) == kept
    assert names.to_unicode(kept) == said.lower()


def test_domains_of_other_scripts_are_kept_as_the_dns_has_them():
    assert people.valid_domain("Bücher.example") == "xn--bcher-kva.example"
    s = Settings("mail.bücher.example", "bücher.example", "anna@bücher.example")
    assert (s.hostname, s.domain) == ("mail.xn--bcher-kva.example", "xn--bcher-kva.example")  # fmt: skip
    assert s.postmaster == "anna@xn--bcher-kva.example" and not problems.of(s)
    assert Settings.from_toml(s.to_toml()) == s


@pytest.mark.parametrize(
    "bad",
    [
        "ünal@example.test",
        "a..b@example.test",
        ".a@example.test",
        '"a b"@example.test',
        "a@xn--.example",
        "a@xn--zzzzzzzz-.example",
        "a@bü cher.example",
        "a@b_c.example",
        "x" * 65 + "@example.test",
        "a@b.test\nx",
        "a@b.test; DROP",
        "@",
        "",
    ],
)
def test_what_the_rfcs_do_not_allow(bad):
    with pytest.raises(GuideError) as stop:
        people.valid_address(bad)
    assert stop.value.kind in ("bad-address", "bad-domain")


@pytest.mark.parametrize("odd", ["a/b", "o'brien", "a+b", "a&b", "*", "a`id`", "%u"])
def test_an_address_that_cannot_be_a_mailbox(odd):
    assert people.valid_address(f"{odd}@example.test")
    with pytest.raises(GuideError) as stop:
        people.valid_mailbox(f"{odd}@example.test")
    assert stop.value.kind == "bad-mailbox-name"


def test_letters_are_removed_in_one_folder_only():
    def removed(what: str) -> str:
        (one,) = [r.command for r in people.remove_mail(what) if "rm -rf" in r.command]
        return one

    assert removed("anna@example.test").endswith("-- /var/vmail/example.test/anna")
    assert removed("example.test").endswith("-- /var/vmail/example.test")
    assert "'/var/vmail/x;y/a b'" in removed("a b@x;y")


def test_webmail_forgets_with_the_letters_and_no_others():
    one = people.remove_mail("anna@example.test")[-1]
    assert "anna" not in one.command and "username = CONVERT" in one.stdin
    many = people.remove_mail("example.test")[-1]
    assert b"%@example.test".hex() in many.stdin and " LIKE " in many.stdin


# --- who may send as whom ----------------------------------------------------

LISTS = {
    "domains": [["example.test"]],
    "mailboxes": [["anna@example.test", "0", "1"], ["ben@example.test", "5", "0"]],
    "aliases": [
        ["@example.test", "anna@example.test"],
        ["anna@example.test", "anna@example.test"],
        ["chain@example.test", "info@example.test"],
        ["info@example.test", "anna@example.test"],
        ["info@example.test", "ben@example.test"],
    ],
}


def test_who_may_send_as_whom():
    anna, ben = senders(LISTS)
    assert anna.names == ("@example.test", "info@example.test") and not anna.locked
    assert ben.names == ("info@example.test",) and ben.locked


# --- a file of people --------------------------------------------------------


def said(text):
    return plan(text, LISTS)


def test_a_plan_says_line_by_line():
    found = said(
        "address,limit,forward_to\nanna@example.test,,\nben@example.test,2 GB,\n"
        "new.test,,\neve@new.test,1 GB,\ninfo@new.test,,eve@new.test; anna@example.test\n"
    )
    assert not found.problems
    assert [c.says for c in found.changes] == [
        "another limit for ben@example.test, 2.0 GB",
        "the domain new.test",
        "the mailbox eve@new.test, 1.0 GB",
        "mail to info@new.test goes to eve@new.test",
        "mail to info@new.test goes to anna@example.test",
    ]
    assert found.there == ["the mailbox anna@example.test"]
    assert found.words().endswith("5 to do, 1 there already, 0 cannot be.")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("eve@elsewhere.test,,", "elsewhere.test"),
        ("eve+x@example.test,,", "'eve+x'"),
        ("eve@example.test,much,", "'much'"),
        ("eve@example.test,,nobody", "'nobody'"),
        ("nonsense,,", "'nonsense'"),
        ("eve@example.test,,,,x", "columns"),
    ],
)
def test_a_line_that_cannot_be_is_named(line, told):
    found = said(f"address,limit,forward_to\n{line}\n")
    assert len(found.problems) == 1 and not found.changes
    assert found.problems[0].startswith("Line 2: ") and told in found.problems[0]


@pytest.mark.parametrize("text", ["", "anna@example.test\n", "name,address\n", "\x00"])
def test_a_file_without_its_columns(text):
    assert said(text).problems and not said(text).changes


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_the_files_of_other_programs(sign):
    found = said(f"\ufeffAddress{sign}Limit\r\neve@example.test{sign}5 MB\r\n\r\n")
    assert [c.says for c in found.changes] == ["the mailbox eve@example.test, 5.0 MB"]


def test_no_password_of_a_file_is_ever_said():
    text = 'address,password\neve@example.test," hunter2-x "\n'
    found = said(text)
    (change,) = found.changes
    assert change.password and change.password.reveal() == " hunter2-x "
    assert "hunter2" not in found.words() + repr(found) + change.sql("p1")
    assert marker("p1") in change.sql("p1")
    wrong = said(f"address,password\neve@example.test,hunter2{'x' * 80}\n")
    assert wrong.problems and "hunter2" not in wrong.words()


def test_what_a_file_says_twice_is_done_once():
    found = said("address\neve@example.test\neve@example.test\n")
    assert (len(found.changes), len(found.there)) == (1, 1)


def test_no_value_of_a_file_can_break_out_of_the_sql():
    found = said("address,forward_to\nx'y@example.test,z'--@elsewhere.test\n")
    assert "'y" not in found.changes[0].sql("") and "z'" not in found.changes[0].sql("")


# --- what should be true -----------------------------------------------------


def test_duties_are_named_and_given_to_somebody():
    thing = Duties("postmaster@example.test")
    (fact,) = thing.facts()
    assert thing.gap({fact: {"rows": []}}) == ""
    gap = thing.gap({fact: {"rows": [["abuse@xn--bcher-kva.test", "anna@b.test"]]}})
    assert gap.kind == "missing" and "abuse@bücher.test" in gap and "anna@b.test" in gap
    assert thing.gap({fact: {"error": "down"}}).kind == "no-answer"
    assert "postmaster@example.test" not in thing.fix({})[0].stdin, "as hexadecimal"


def test_a_dead_end_is_named_with_the_way_out():
    thing = DeadEnds()
    (fact,) = thing.facts()
    gap = thing.gap({fact: {"rows": [["info@b.test", "gone@b.test"]]}})
    assert gap.kind == "dangling"
    assert "./guide people forget info@b.test gone@b.test" in gap
    assert thing.fix({}) == ()
    assert isinstance(thing.gap({fact: {"error": "down"}}), Unsure), (
        "neither good nor bad"
    )
