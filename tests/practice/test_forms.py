"""Forms on the practice server: connecting it as a real one, arming, deciding, people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ispguide import lab, tasks
from ispguide.engine.profile import Profile
from ispguide.engine.settings import Secret
from ispguide.notebook import people, start, switch
from ispguide.notebook.card import CARDS

from ..building import Built
from . import driven
from .conftest import shell

ANNA = "anna@example.test"


def console(script: str) -> str:
    """The provider's console."""
    return shell(script).strip()


@pytest.fixture(autouse=True)
def desk(built: Built, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A reader who knows the practice server and no other."""
    monkeypatch.delenv("ISPGUIDE_CELLS", raising=False)
    known = set((home / "profiles").iterdir())
    (home / "notebooks.json").unlink(missing_ok=True)
    yield
    for card in list(CARDS.values()):
        card.close()
    CARDS.clear()
    for path in set((home / "profiles").iterdir()) - known:
        path.unlink()
    (home / "notebooks.json").unlink(missing_ok=True)


def connecting() -> object:
    """The form, filled in with the practice server's address, `connect` pressed."""
    practice = Profile.load("practice")
    card = start.connection()
    card.fields["host"].input.value = practice.host
    card.fields["key"].input.value = practice.key
    card.go.click()
    driven.at_rest("connecting")
    return card


def connected() -> Profile:
    card = connecting()
    line = console("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
    card.lesson.pasted.input.value = line
    card.lesson.trust.click()
    driven.at_rest("connecting")
    assert "connected" in driven.heading(card), driven.words(card)
    return Profile.load(switch.current())


def test_the_console_prints_what_the_first_lesson_shows() -> None:
    card = connecting()
    shown = driven.plain(card.lesson._told.value)
    command = shown.rpartition("type there:")[2].strip()
    assert command.startswith("ssh-keygen -lf /etc/ssh/")
    assert card.lesson.shown in console(command)
    assert switch.current() == "practice", "nothing is trusted yet"


def test_a_real_server_is_known_in_use_and_only_looked_at() -> None:
    profile = connected()
    assert not profile.practice and profile.settings
    assert profile.settings.hostname == "mail.example.test", "as the server has it"
    assert switch.position() == switch.LOOK


def test_another_key_than_the_known_one_is_a_hard_stop(home: Path) -> None:
    profile = connected()
    switch.use("practice")
    pinned = Path(profile.known_hosts)
    other = console(
        "rm -f /tmp/k /tmp/k.pub; ssh-keygen -q -t ed25519 -N '' -f /tmp/k; cat /tmp/k.pub; rm /tmp/k*"
    )
    pinned.write_text(f"{profile.host} {' '.join(other.split()[:2])}\n")
    before = pinned.read_text()
    card = connecting()
    assert "stop: this is another key" in driven.heading(card)
    assert 'data-kind="changed-server"' in card.body.value
    assert card.lesson.box not in card.inside.children
    assert pinned.read_text() == before and switch.current() == "practice"


def test_armed_by_its_name_it_takes_a_decision() -> None:
    connected()
    form = start.decisions()
    driven.at_rest()
    form.fields["junk_days"].input.value = 31
    form.save_button.click()
    driven.at_rest()
    assert "Nothing was kept" in driven.words(form)
    assert "junk_days = 30" in shell("cat /etc/ispguide/settings.toml")
    assert "ARMED" in driven.arm(start.switch())
    form.save_button.click()
    driven.at_rest()
    assert "13 autoexpunge" in driven.words(form)
    assert "junk_days = 31" in shell("cat /etc/ispguide/settings.toml")
    assert tasks.look(
        tasks.HERE, ["server.remember_settings"], server=switch.current()
    ).ok
    form.fields["junk_days"].input.value = 30
    form.save_button.click()
    driven.at_rest()
    assert "junk_days = 30" in shell("cat /etc/ispguide/settings.toml")


def test_the_form_shows_what_the_server_has() -> None:
    settings = Profile.load("practice").settings
    assert settings
    shell("sed -i 's/^junk_days = 30/junk_days = 44/' /etc/ispguide/settings.toml")
    form = start.decisions()
    driven.at_rest()
    assert form.fields["junk_days"].value == 44
    tasks.save_settings(tasks.HERE, settings)


def test_the_practice_server_runs() -> None:
    card = start.practice()
    driven.at_rest("practice")
    assert "it runs" in driven.heading(card)


def login(address: str, password: str) -> bool:
    """Whether the mail server lets her in; the password is typed, not an argument."""
    done = lab.mail_run(
        ["sh", "-c", f"doveadm auth test {address}"], f"{password}\n".encode()
    )
    return done.returncode == 0


@pytest.mark.thorough
def test_people_come_change_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"first": "first-Wort-1", "second": 'zwei"tes $(id) ü'}
    made: dict[str, str] = {}
    monkeypatch.setattr(driven, "typed", words.__getitem__)
    monkeypatch.setattr(driven, "noted", made.__setitem__)
    before = tasks.people_list(tasks.HERE)["mailboxes"]
    card = people.form()
    driven.at_rest()
    assert ANNA in driven.add(card, ANNA, "first")
    assert ANNA in driven.plain(card.lists.value)
    assert login(ANNA, words["first"]) and not login(ANNA, "wrong")
    assert "another password" in driven.renew(card, ANNA, "second")
    assert login(ANNA, words["second"]) and not login(ANNA, words["first"])
    assert "bea@example.test" in driven.add(card, "bea@example.test", "")
    assert login("bea@example.test", made["made"])
    people_by_the_other_forms(card)
    assert tasks.people_list(tasks.HERE)["mailboxes"] == before


def people_by_the_other_forms(card: object) -> None:
    _, _, alias, remove, domain, limit, lock, forget = card.acts
    limit.address.input.value, limit.limit.input.value = ANNA, "5 GB"
    limit.button.click()
    driven.at_rest()
    assert "5.0 GB" in driven.plain(card.lists.value)
    lock.address.input.value = ANNA
    lock.button.click()
    driven.at_rest()
    assert "no: locked" in driven.plain(card.lists.value)
    domain.domain.input.value = "other.test"
    domain.button.click()
    driven.at_rest()
    alias.source.input.value, alias.destination.input.value = "@other.test", ANNA
    alias.button.click()
    driven.at_rest()
    assert "Mail to @other.test goes to anna" in driven.words(card)
    forget.row.input.value = f"@other.test {ANNA}"
    forget.button.click()
    driven.at_rest()
    assert "does not go to anna" in driven.words(card)
    for what in ("other.test", ANNA, "bea@example.test"):
        remove.what.input.value = what
        remove.button.click()
        remove._yes.click()
        driven.at_rest()
        assert f"{what} is gone" in driven.words(card)


def test_what_the_server_refuses_is_told_and_the_lists_stay() -> None:
    tasks.people_add(tasks.HERE, ANNA, Secret("first-Wort-1"))
    card = people.form()
    driven.at_rest()
    card.acts[0].address.input.value = ANNA
    card.acts[0].button.click()
    driven.at_rest()
    assert 'data-kind="there-already"' in card.body.value
    assert ANNA in driven.plain(card.lists.value)
    tasks.people_remove(tasks.HERE, ANNA)
