"""Forms without a server: what they say while typing, what they refuse, what they forget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest

from ispguide import lab, tasks
from ispguide.chapters import GUIDE
from ispguide.engine.errors import ChangedServer, NoRoot, UnknownServer
from ispguide.engine.profile import Profile
from ispguide.engine.settings import Secret
from ispguide.notebook import inputs, people, start, switch
from ispguide.notebook.card import CARDS
from ispguide.notebook.forms import connection, settings
from ispguide.notebook.forms.connection import ConnectionCard
from ispguide.notebook.forms.connection import problem as connection_problem
from ispguide.notebook.forms.people import PeopleCard, lists_html
from ispguide.notebook.forms.people_changes import goes
from ispguide.notebook.work import worker

from .fake import SETTINGS

PLANTED = "planted-gooseberry-4711"
SHOWN = "SHA256:" + "Qx3" * 14 + "a"
LISTS = {
    "domains": [["example.test"], ["other.test"]],
    "mailboxes": [["anna@example.test", "0", "1"], ["bob@other.test", "0", "1"]],
    "aliases": [
        ["info@example.test", "anna@example.test"],
        ["anna@example.test", "archive@other.test"],
        ["@other.test", "bob@other.test"],
    ],
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A practice server and a real one are known; nobody answers at either."""
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    monkeypatch.delenv("ISPGUIDE_CELLS", raising=False)
    monkeypatch.setattr(settings, "read", lambda server: Profile.load(server).settings)
    monkeypatch.setattr(tasks, "people_list", lambda *_, **__: LISTS)
    monkeypatch.setattr(tasks, "overview", nobody)
    for name, practice in (("practice", True), ("real", False)):
        Profile(name, "192.0.2.1", "", practice=practice, settings=SETTINGS).save()
    yield tmp_path
    for card in list(CARDS.values()):
        card.close()
    CARDS.clear()


class Runs:
    """How the practice server is."""

    def __init__(self, running: bool):
        self.running = running


def nobody(*_: Any, **__: Any) -> Any:
    raise AssertionError("nobody should have been asked")


def at_rest(name: str = "") -> None:
    """Wait until the worker has nothing to do."""
    worker(name or switch.current()).join()


def said(field: inputs.Field) -> str:
    return str(field._said.value)


def states() -> str:
    """Everything the widgets of this kernel hold."""
    return str(widgets.Widget.get_manager_state(drop_defaults=False))


# settings


def test_every_setting_is_explained() -> None:
    for name, value in asdict(SETTINGS).items():
        made = settings.field_for(name, value)
        assert made.input.description and made.input.value == value
        assert made.input.style.description_width == "initial"
        assert len(said(made)) > 80
    assert (
        "reject" in dict(settings.field_for("dmarc_policy", "").input.options).values()
    )


def test_a_problem_stands_beside_its_field_and_nothing_can_be_saved() -> None:
    card = settings.SettingsCard((), "All")
    card.fields["junk_days"].input.value = 0
    assert 'role="alert"' in said(card.fields["junk_days"])
    assert "“days in Junk and Trash” is 0" in said(card.fields["junk_days"])
    assert "alert" not in said(card.fields["hostname"])
    assert card.save_button.disabled and "cannot be" in card.head.value
    card.fields["junk_days"].input.value = 31
    assert "alert" not in said(card.fields["junk_days"])
    assert not card.save_button.disabled and "not kept yet" in card.head.value


def test_a_problem_of_two_fields_stands_below() -> None:
    card = settings.SettingsCard((), "All")
    card.fields["junk_score"].input.value = 14
    card.fields["reject_score"].input.value = 12
    assert "“into Junk from this score on” is 14" in card.problems.value
    assert card.save_button.disabled


def test_a_zone_with_a_typing_error_is_no_zone() -> None:
    card = settings.SettingsCard(["timezone"], "Server")
    card.fields["timezone"].input.value = "Europe/Berln"
    assert "no time zone" in said(card.fields["timezone"]) and card.save_button.disabled


def test_a_chapter_has_its_own_decisions_only() -> None:
    card = settings.SettingsCard(["message_size_mb"], "Postfix")
    assert list(card.fields) == ["message_size_mb"]


def test_looking_only_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "save_settings", nobody)
    switch.turn(switch.LOOK)
    card = start.decisions()
    at_rest()
    card.fields["junk_days"].input.value = 31
    card.save_button.click()
    at_rest()
    assert "Looking only. Nothing was kept." in card.body.value


def test_saved_on_the_server_and_the_steps_to_run_again_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[Any] = []
    monkeypatch.setattr(tasks, "save_settings", lambda _, s, *more: kept.append(s))
    card = start.decisions()
    at_rest()
    card.fields["junk_days"].input.value = 31
    card.save_button.click()
    at_rest()
    assert kept == [replace(SETTINGS, junk_days=31)]
    assert "13-spam.ipynb#cell-id=autoexpunge" in card.body.value
    assert "as on the server" in card.head.value


def test_what_the_server_has_wins_but_not_over_what_is_being_typed() -> None:
    card = settings.SettingsCard((), "All")
    card.fields["junk_days"].input.value = 99
    card.take(replace(SETTINGS, junk_days=7, message_size_mb=50))
    assert card.fields["message_size_mb"].value == 50
    assert card.fields["junk_days"].value == 99
    assert card.wanted() == {"junk_days": 99}


def test_another_server_meanwhile_is_not_written_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "save_settings", nobody)
    card = start.decisions()
    at_rest()
    card.fields["junk_days"].input.value = 31
    switch.use("real")
    card.save_button.click()
    at_rest()
    assert "Another server is in use now" in card.body.value


@pytest.mark.parametrize(
    ("name", "value", "steps"),
    [
        (
            "message_size_mb",
            41,
            {"postfix.identity", "webmail.php_fpm_pool", "webmail.roundcube"},
        ),
        ("junk_days", 31, {"spam.autoexpunge"}),
        ("junk_score", 7, {"spam.verdicts"}),
        ("timezone", "Europe/Berlin", {"server.the_clock"}),
        ("other_server", "mx.example.org", set()),
        (
            "pop3",
            False,
            {
                "packages.install",
                "dovecot.logins",
                "dns.srv_records",
                "brute_force.firewall",
                "autoconfig.autoconfig_endpoint",
            },
        ),
    ],
)
def test_readers_of_a_setting(name: str, value: Any, steps: set[str]) -> None:
    found = settings.readers(SETTINGS, replace(SETTINGS, **{name: value}))
    assert {str(step) for _, step in found} == steps


def test_every_chapter_names_settings_there_are() -> None:
    assert {n for c in GUIDE for n in c.settings} <= set(asdict(SETTINGS))


# the first lesson


def an_unknown_server(*_: Any, **__: Any) -> Any:
    error = UnknownServer("a key", "compare", "accept")
    error.fingerprint, error.command = SHOWN, "ssh-keygen -lf /etc/ssh/key.pub"
    raise error


def connecting(monkeypatch: pytest.MonkeyPatch, answer: Any) -> ConnectionCard:
    """The form, filled in, and `connect` pressed."""
    monkeypatch.setattr(tasks, "connect", answer)
    card = start.connection()
    card.fields["host"].input.value = "mail.example.org"
    card.fields["domain"].input.value = "example.org"
    card.go.click()
    at_rest("connecting")
    return card


def test_the_fingerprint_is_compared_before_anything_is_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card = connecting(monkeypatch, an_unknown_server)
    it = card.lesson
    assert it.box in card.inside.children and SHOWN in it._told.value
    assert it.trust.disabled
    it.pasted.input.value = f"256 SHA256:{'A' * 43} root@mail (ED25519)"
    assert it.trust.disabled and "They are not equal" in said(it.pasted)
    it.by_eye.input.value = True
    assert it.trust.disabled, "a tick cannot outvote what was pasted"
    it.pasted.input.value = f"256 {SHOWN} root@mail (ED25519)"
    assert not it.trust.disabled and "They are equal" in said(it.pasted)


def test_by_eye_is_a_deliberate_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    it = connecting(monkeypatch, an_unknown_server).lesson
    it.by_eye.input.value = True
    assert not it.trust.disabled


def test_trusted_means_known_in_use_and_look_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card = connecting(monkeypatch, an_unknown_server)
    asked: list[Any] = []

    def known(_: Any, where: str, domain: str, **more: Any) -> Profile:
        asked.append((where, domain, more["accept"]))
        return Profile.load("real")

    monkeypatch.setattr(tasks, "connect", known)
    card.lesson.by_eye.input.value = True
    card.lesson.trust.click()
    at_rest("connecting")
    assert asked == [("root@mail.example.org:22", "example.org", SHOWN)]
    assert (switch.current(), switch.position()) == ("real", switch.LOOK)
    assert card.lesson.box not in card.inside.children
    assert "REAL server" in card.body.value


def test_a_changed_key_is_a_hard_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(*_: Any, **__: Any) -> Any:
        raise ChangedServer("It is another.", "It should be the same.", "Compare.")

    card = connecting(monkeypatch, changed)
    assert "stop: this is another key" in card.head.value
    assert 'data-kind="changed-server"' in card.body.value
    assert card.lesson.box not in card.inside.children
    assert card.lesson.trust.disabled


@pytest.mark.parametrize(
    ("name", "value"),
    [("host", "root@mail.example.org"), ("host", "a b"), ("user", ""), ("port", 0),
     ("port", 65536), ("domain", "example"), ("key", "/nowhere/id_ed25519")],
)  # fmt: skip
def test_problems_of_the_connection_are_sentences(name: str, value: Any) -> None:
    assert connection_problem(name, value).endswith(".")


@pytest.mark.parametrize("host", ["mail.example.org", "192.0.2.1", "2001:db8::1"])
def test_addresses_that_can_be(host: str) -> None:
    assert connection_problem("host", host) == ""


def test_the_public_half_of_a_key_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "id.pub").touch()
    assert "public half" in connection_problem("key", str(tmp_path / "id.pub"))


def test_fingerprints_are_found_whole() -> None:
    assert connection.fingerprint_in(f"256 {SHOWN} root (ED25519)") == SHOWN
    assert (
        connection.fingerprint_in(SHOWN + "x")
        == connection.fingerprint_in("SHA256:x")
        == ""
    )


# sudo


def test_a_password_for_sudo_leaves_its_field_and_stays_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[Any] = []

    def known(*_: Any, **more: Any) -> Profile:
        given.append(more["sudo"])
        return Profile.load("real")

    monkeypatch.setattr(tasks, "connect", known)
    card = start.connection()
    card.fields["host"].input.value = "mail.example.org"
    card.password.input.value = PLANTED
    card.go.click()
    assert PLANTED not in states()
    at_rest("connecting")
    assert given == [Secret(PLANTED)] and switch.sudo() == Secret(PLANTED)
    monkeypatch.setattr(switch, "_SUDO", {})


def test_a_card_that_is_refused_root_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise NoRoot("Only root may.")

    monkeypatch.setattr(switch, "_SUDO", {})
    monkeypatch.setattr(tasks, "people_list", refused)
    card = people.form()
    at_rest()
    card.look()
    at_rest()
    (box,) = [c for c in card.inside.children if "ispg-sudo" in c._dom_classes]
    field, use, _ = box.children
    field.value = PLANTED
    use.click()
    assert switch.sudo() == Secret(PLANTED) and PLANTED not in states()
    assert box not in card.inside.children


def test_what_is_typed_into_a_password_field_is_not_sent_back() -> None:
    assert inputs.Hidden().trait_metadata("value", "echo_update") is False


def test_people_of_one_server_are_never_removed_on_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not even when the other one did not answer meanwhile."""

    def refused(*_: Any, **__: Any) -> Any:
        raise NoRoot("Only root may.")

    monkeypatch.setattr(tasks, "people_remove", nobody)
    card = people_card()
    card.acts[3].what.input.value = "anna@example.test"
    card.acts[3].button.click()
    switch.use("real")
    switch.turn(switch.DO, "mail.example.test")
    monkeypatch.setattr(tasks, "people_list", refused)
    card.look()
    at_rest()
    card.acts[3]._yes.click()
    at_rest()
    assert 'data-kind="no-root"' in card.body.value


# the switch


def test_a_real_server_is_armed_by_its_exact_name() -> None:
    switch.use("real")
    card = start.switch()
    assert card.arm_button.disabled
    card.name.input.value = "mail.example"
    assert card.arm_button.disabled and "alert" not in said(card.name)
    card.name.input.value = "mail.example.org"
    assert card.arm_button.disabled and "not the name" in said(card.name)
    card.name.input.value = "mail.example.test"
    card.arm_button.click()
    assert switch.position() == switch.DO and "ARMED" in card.head.value
    assert "armed" in card.switch.badge.value
    assert card.inside.children == (card._armed,) and card.name.value == ""
    card.disarm_button.click()
    assert switch.position() == switch.LOOK and "ARMED" not in card.head.value


def test_a_practice_server_is_turned_by_a_click() -> None:
    card = start.switch()
    assert card.inside.children == ()
    card.switch.radio.value = switch.LOOK
    assert switch.position() == switch.LOOK and "→ look only" in card.body.value


# servers


def test_servers_and_which_one_is_in_use() -> None:
    card = start.servers()
    assert card.use_button.disabled and "REAL" in card.body.value
    card.choice.input.value = "real"
    card.use_button.click()
    assert switch.current() == "real"
    assert "→ yes" in card.body.value.partition("<td>real</td>")[2]


def test_the_practice_server_starts_beside_the_cells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    up: list[str] = []

    def begun(watch: Any) -> Runs:
        watch("Starting")
        up.append("up")
        return Runs(True)

    monkeypatch.setattr(lab, "status", lambda: Runs(False))
    monkeypatch.setattr(lab, "up", begun)
    card = start.practice()
    at_rest("practice")
    assert up == [] and "does not run" in card.head.value
    card.bar.children[0].click()
    at_rest("practice")
    assert up == ["up"] and "it runs" in card.head.value


def test_a_replay_asks_for_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "status", nobody)
    monkeypatch.setenv("ISPGUIDE_SERVER", "replay")
    assert "needs no practice server" in start.practice().body.value


def test_a_replay_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "save_settings", nobody)
    monkeypatch.setattr(tasks, "people_add", nobody)
    monkeypatch.setenv("ISPGUIDE_SERVER", "replay")
    card = start.decisions()
    at_rest()
    card.fields["junk_days"].input.value = 31
    card.save_button.click()
    at_rest()
    assert "This is a replay. Nothing was kept." in card.body.value
    assert "replay" in str(people.add("carla@example.test"))
    assert "nothing is changed" in start.switch().body.value


# people


def people_card() -> PeopleCard:
    card = people.form()
    at_rest()
    return card


def test_lists_are_escaped() -> None:
    lists = LISTS | {"domains": [["<b>"]]}
    assert "<b>" not in lists_html(lists) and "&lt;b&gt;" in lists_html(lists)


def test_a_typed_password_is_taken_once(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    given: list[Any] = []
    monkeypatch.setattr(
        tasks,
        "people_add",
        lambda _, *words, **more: given.append((*words, *more.values())),
    )
    card = people_card()
    add = card.acts[0]
    add.address.input.value = "carla@example.test"
    assert not add.button.disabled, "one can be made"
    add.password.make.input.value = False
    assert add.button.disabled
    add.password.first.input.value = PLANTED
    add.password.again.input.value = PLANTED + "x"
    assert add.button.disabled and "not the same" in said(add.password.again)
    add.password.again.input.value = PLANTED
    add.button.click()
    assert PLANTED not in states()
    at_rest()
    assert given == [("carla@example.test", Secret(PLANTED), "practice", None)]
    assert "carla@example.test has a mailbox" in card.body.value
    assert add.address.value == ""
    assert card.once.box.children == ()


def test_a_made_password_is_shown_once_and_never_in_the_report(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setattr(tasks, "people_add", lambda *_, **__: PLANTED)
    card = people_card()
    card.acts[0].address.input.value = "carla@example.test"
    card.acts[0].button.click()
    at_rest()
    assert PLANTED in card.once._shown.value
    assert PLANTED not in card.static()
    assert PLANTED not in str(card._repr_mimebundle_())
    kept = [p.read_text() for p in home.rglob("*") if p.is_file()]
    assert kept and not any(PLANTED in text for text in kept)
    card.once._hide.click()
    assert PLANTED not in states()


@pytest.mark.parametrize("then", ["look again", "run the cell again"])
def test_what_was_shown_once_goes_with_the_next_thing(then: str) -> None:
    card = people_card()
    card.once.show("anna@example.test", PLANTED)
    timer = card.once._timer
    assert timer and timer.is_alive()
    if then == "look again":
        card.look()
    else:
        people_card()
    at_rest()
    assert PLANTED not in states()
    timer.join(5)
    assert not timer.is_alive()


def test_changing_ones_mind_empties_the_fields() -> None:
    add = people_card().acts[0]
    add.password.make.input.value = False
    add.password.first.input.value = PLANTED
    add.password.make.input.value = True
    assert PLANTED not in states()


def test_looking_only_nobody_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "people_add", nobody)
    switch.turn(switch.LOOK)
    card = people_card()
    card.acts[0].address.input.value = "carla@example.test"
    card.acts[0].button.click()
    at_rest()
    assert "Nobody was added" in card.body.value
    assert card.acts[0].address.value == "carla@example.test"


def test_removing_names_what_goes_and_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[str] = []
    monkeypatch.setattr(tasks, "people_remove", lambda _, what, **__: gone.append(what))
    card = people_card()
    remove = card.acts[3]
    assert remove.button.disabled, "nobody chooses for the reader"
    remove.what.input.value = "anna@example.test"
    remove.button.click()
    assert gone == [] and "stays" in remove._asked.value
    for words in ("the login of anna", "info@example.test →", "→ archive@other.test"):
        assert words in remove._asked.value
    remove._no.click()
    assert remove.box.children == remove._form
    remove.button.click()
    remove._yes.click()
    at_rest()
    assert gone == ["anna@example.test"]


def test_what_goes_with_a_domain_and_an_alias() -> None:
    assert goes(LISTS, "other.test") == [
        "the domain other.test",
        "the login of bob@other.test",
        "the forwarding @other.test → bob@other.test",
    ]
    assert goes(LISTS, "info@example.test") == [
        "the forwarding info@example.test → anna@example.test"
    ]


def test_forwardings_to_themselves_are_refused() -> None:
    alias = people_card().acts[2]
    alias.source.input.value = alias.destination.input.value = "a@example.test"
    assert alias.button.disabled and "circle" in said(alias.destination)
    alias.source.input.value = "@example.test"
    assert not alias.button.disabled


@pytest.mark.parametrize(
    "cell",
    [start.servers, start.practice, start.connection, start.decisions, start.switch,
     people.form],
)  # fmt: skip
def test_running_a_cell_again_leaves_nothing_behind(
    cell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "status", lambda: Runs(True))

    def count() -> int:
        cell()
        at_rest()
        return len(widgets.Widget.get_manager_state(drop_defaults=False)["state"])

    first = count()
    assert [count() for _ in range(3)] == [first] * 3


def test_what_was_chosen_stays_while_the_lists_change() -> None:
    card = people_card()
    chosen = card.acts[1].address
    chosen.input.value = "bob@other.test"
    card.take(
        LISTS
        | {"mailboxes": [["aaron@other.test", "0", "1"], ["bob@other.test", "0", "1"]]}
    )
    assert chosen.value == "bob@other.test"
    card.take(LISTS | {"mailboxes": []})
    assert chosen.value == "" and card.acts[1].button.disabled
