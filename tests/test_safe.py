"""The cards of the safe and of the move, without a browser and without a server."""

from __future__ import annotations

import pytest

from ispguide import replay, tasks
from ispguide.engine.profile import Profile
from ispguide.mail.backup import things
from ispguide.mail.backup.restore import Repository, Snapshot
from ispguide.notebook import backup, migration, switch
from ispguide.notebook.backup import MailboxCard
from ispguide.notebook.card import CARDS
from ispguide.notebook.work import worker
from ispguide.tasks.backup import Target
from ispguide.views import backup as shown

GOOD = {"ok": True, "failed": "", "time": 1e9, "files": 3, "bytes": 5 << 20, "added": 9,
        "history": [{"ok": True, "added": 9, "time": 1e9, "bytes": 1},
                    {"ok": False, "added": 0, "time": 1e9, "bytes": 0}]}  # fmt: skip
HELD = Repository((Snapshot("a1b2", 1e9),), GOOD, 1e9 + 60, things.FOLDER)


@pytest.fixture(autouse=True)
def replayed(tmp_path, monkeypatch):
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    monkeypatch.setenv("ISPGUIDE_SERVER", "replay")
    monkeypatch.delenv("ISPGUIDE_CELLS", raising=False)
    replay.start()
    yield
    worker("replay").join()
    for card in list(CARDS.values()):
        card.close()
    CARDS.clear()


def test_the_password_is_beside_the_report_and_never_in_it():
    card = backup.KeyCard()
    card.take(["  password   swordfish-swordfish", "  place  here"])
    shown = [w.value for w in card.once.box.children if hasattr(w, "value")]
    assert "swordfish" in shown[0]
    assert "swordfish" not in card.static() + card.body.value + card.head.value
    card.once.hide()
    assert card.once.box.children == ()
    assert "swordfish" not in "".join(str(w.value) for w in card.once.spare() if hasattr(w, "value"))  # fmt: skip


def test_headless_no_password_is_asked_for(monkeypatch):
    monkeypatch.setenv("ISPGUIDE_CELLS", "do")
    monkeypatch.setattr(tasks, "backup_key", None)
    assert "./guide backup key" in repr(backup.key())
    assert "./guide restore mailbox" in repr(backup.mailbox())


def test_the_list_in_words_and_as_a_picture():
    html = shown.backups_html(HELD)
    assert "<svg" in html and "a1b2" in html and "went well" in html
    assert shown.state_of(HELD) == ("ok", "1 kept")
    bad = Repository(
        (), GOOD | {"ok": False, "failed": "<no space>"}, 1e9, things.FOLDER
    )
    assert "&lt;no space&gt;" in shown.backups_html(bad)
    assert shown.state_of(bad)[0] == "failed"
    assert shown.state_of(Repository((), {}, 1e9, ""))[0] == "gap"
    assert "no backup yet" in shown.backups_text(Repository((), {}, 1e9, ""))
    old = Repository((), GOOD, 1e9 + 5 * 86400, "")
    assert shown.state_of(old)[0] == "gap"


def test_a_mailbox_is_brought_back_only_when_both_are_chosen():
    card = MailboxCard()
    people = {"mailboxes": [["anna@example.test", "0"]], "domains": [], "aliases": []}
    card.take(people, HELD)
    card.check()
    assert card.button.disabled
    card.who.input.value = "anna@example.test"
    assert card.button.disabled
    card.which.input.value = "a1b2"
    assert not card.button.disabled


@pytest.mark.parametrize("server", ["replay", "practice"])
def test_looking_only_nothing_is_brought_back(server, monkeypatch):
    Profile("practice", "192.0.2.1", "", practice=True).save()
    monkeypatch.setenv("ISPGUIDE_SERVER", server)
    monkeypatch.setattr(tasks, "restore_mailbox", None)
    switch.turn(switch.LOOK)
    card = MailboxCard()
    people = {"mailboxes": [["anna@example.test", "0"]], "domains": [], "aliases": []}
    card.take(people, HELD)
    card.who.input.value, card.which.input.value = "anna@example.test", "a1b2"
    card.button.click()
    worker(server).join()
    assert "Nothing was brought back." in card.body.value


def test_what_another_machine_shows_is_escaped_and_compared():
    found = Target("vault.test", "ssh-ed25519 AAAA <x>", ("SHA256:a",), "SHA256:a")
    html = backup.TargetCard().draw(found)
    assert "&lt;x&gt;" in html and "you compared" in html
    other = Target("vault.test", "", ("SHA256:b",), "SHA256:a")
    assert "Nobody has compared it yet" in backup.target_text(other)
    assert "nothing to fetch" in migration.told(None)
    assert "folder of this server" in backup.target_text(None)
