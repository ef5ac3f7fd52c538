"""Moving house, as far as no server is needed: stages from what was counted, and the program."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from ispguide.chapters import moving
from ispguide.engine import problems
from ispguide.mail import certificates, migration
from ispguide.remote import move
from ispguide.views import migration as shown
from tests.fake import SETTINGS as S

NONE: dict[str, list[Any]] = {"domains": [], "users": [], "aliases": []}
#: Everything is here, the names too, and nothing is put off any more.
DONE: dict[str, Any] = {
    "missing": NONE, "keys": [], "learned": 1.0, "round": 300.0, "closed": 200.0,
    "soft": False, "letters": {"anna@example.test": [7, 9]},
    "old": {"open": False, "queue": 0},
}  # fmt: skip
OPEN = {"open": True, "queue": 2}


@pytest.mark.parametrize(
    ("seen", "named", "next_"),
    [
        (DONE, True, "done"),
        (DONE | {"soft": True}, True, "finish"),
        (DONE | {"soft": True}, False, "names"),
        (DONE | {"round": 100.0}, True, "last"),
        (DONE | {"letters": {"anna@example.test": [7, 6]}}, True, "last"),
        (DONE | {"old": OPEN, "closed": 0}, True, "close"),
        (DONE | {"old": OPEN, "closed": 0, "round": 0}, True, "mail"),
        (DONE | {"learned": 0}, True, "keys"),
        (DONE | {"keys": ["example.test"]}, True, "keys"),
        (DONE | {"certificates": ["mail.example.test"]}, True, "keys"),
        (DONE | {"missing": NONE | {"users": ["ben@example.test"]}}, True, "people"),
    ],
)
def test_what_comes_next_follows_from_what_is_there(seen, named, next_):
    found = migration.move(seen, named)
    assert found.next == next_
    assert found.why.endswith(".")
    assert found.doable is (next_ in migration.VERBS)
    assert next_ in ("names", "done") or migration.act(next_).command.startswith(migration.PROGRAM)  # fmt: skip


def test_more_letters_here_than_there_is_no_fault():
    """What was deleted there between two rounds is still here."""
    found = migration.move(DONE, named=True)
    assert found.messages == (7, 9) and all(row.whole for row in found.rows)


def test_each_stage_is_seen_in_words_and_as_a_list():
    names = list(migration.STAGES)
    found = migration.move(DONE | {"round": 100.0, "letters": {"<b>@x": [3, 1]}}, True)
    html = shown.move_html(found)
    assert html.count("✓ done") == names.index("last") and html.count("▲ next") == 1
    assert "&lt;b&gt;@x" in html and "2 missing" in html and "<b>@x" not in html
    assert "3 there, 1 here" in shown.move_text(found)
    over = migration.move(DONE, True)
    assert shown.state_of(over)[0] == "ok"
    assert shown.move_html(over).count("✓ done") == len(names)


@pytest.mark.parametrize(
    ("server", "fine"),
    [
        ("", True),
        ("old.example.test", True),
        ("192.0.2.7", True),
        ("-oProxy", False),
        ("mail.example.test", False),
    ],  # fmt: skip
)
def test_which_server_may_be_the_old_one(server, fine):
    assert (not problems.of(replace(S, old_server=server))) is fine


def test_without_an_older_server_nothing_is_wanted_but_order():
    *_, alone = moving.chapter["ssh_to_old_server"].things(S)
    assert alone.path == migration.PROGRAM
    wanted = list(
        moving.chapter["ssh_to_old_server"].things(replace(S, old_server="192.0.2.7"))
    )
    assert "the key of 192.0.2.7" in map(str, wanted)
    (once,) = moving.chapter["nothing_left_over"].things(S)
    assert "soft_bounce" in once.unless


# the program on the server, as far as it runs anywhere


@pytest.fixture
def program(tmp_path, monkeypatch) -> ModuleType:
    made = move
    for name in ("STATE", "DKIM", "SIGNERS", "REDIS", "CERTBOT"):
        monkeypatch.setattr(made, name, tmp_path / name.lower())
    return made


def test_what_is_missing_here(program):
    old = {"domains": [["a.test"], ["b.test"]], "users": [["x@a.test", "hash", "0"]],
           "aliases": [["y@a.test", "x@a.test"]]}  # fmt: skip
    new = {"domains": [["a.test"]], "users": [["x@a.test", "another hash", "5"]], "aliases": []}  # fmt: skip
    assert program.missing(old, new) == {
        "domains": [["b.test"]], "users": [], "aliases": [["y@a.test", "x@a.test"]],
    }  # fmt: skip


def test_people_come_with_their_hashes_and_nothing_breaks_out_of_sql(
    program, monkeypatch
):
    nasty = "o'brien@a.test"
    old = {"domains": [["a.test"]], "users": [[nasty, "{BLF-CRYPT}$2y$'; DROP", "5"]],
           "aliases": [["@a.test", nasty]]}  # fmt: skip
    new: dict[str, list[Any]] = {"domains": [], "users": [], "aliases": []}
    monkeypatch.setattr(program, "user_database", lambda side: old if side is program.there else new)  # fmt: skip
    said: list[str] = []
    monkeypatch.setattr(program, "call", lambda *argv, stdin="": said.append(stdin))
    monkeypatch.setattr(program, "webmail_missing", list)
    program.people()
    assert "DROP" not in said[0] and "brien" not in said[0]
    assert nasty.encode().hex() in said[0] and "DELETE" not in said[0]
    assert said[0].startswith("START TRANSACTION;") and "COMMIT;" in said[0]


def test_whatever_somebody_calls_a_contact_it_stays_a_text(program):
    nasty = ["@user", "'; DROP TABLE users; --", "Söhne\n", None]
    said = program.insert("contacts", ["user_id", "a", "b", "c", "d"], [program.Variable("@user"), *nasty])  # fmt: skip
    values = said.partition(" VALUES (")[2]
    assert values.startswith("@user, CONVERT(0x") and values.endswith(", NULL);")
    assert "DROP" not in values and values.count("@user") == 1


def test_a_key_that_came_damaged_is_not_put_down(program, tmp_path):
    with pytest.raises(program.Failed):
        program.put_key(tmp_path / "dkim" / "a.test.s.key", "half a key", "0" * 64)
    assert not (tmp_path / "dkim").exists()


@pytest.fixture
def signed(program, tmp_path, monkeypatch):
    """An old server with two certificates of an authority; ours is called mail.a.test."""
    there = tmp_path / "there"
    make = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 60 "
        "-subj /CN={0} -keyout live/{0}/privkey.pem -out live/{0}/cert.pem 2> /dev/null && "
        "cp live/{0}/cert.pem live/{0}/chain.pem && cp live/{0}/cert.pem live/{0}/fullchain.pem"
    )
    account = there / "accounts/ca.test/dir/0a1b"
    for folder in (account, there / "renewal"):
        folder.mkdir(parents=True)
    for name in ("meta.json", "private_key.json", "regr.json"):
        (account / name).write_text(name)
    for name in ("mail.a.test", "shop.a.test"):
        (there / "live" / name).mkdir(parents=True)
        subprocess.run(make.format(name), shell=True, check=True, cwd=there)
        kept = "# account = x\naccount = 0a1b\nserver = https://ca.test/dir\n"
        (there / "renewal" / f"{name}.conf").write_text(kept)

    def here(script, stdin="", good=(0,)):
        return "mail.a.test\n" if script.startswith("postconf") else program.call("sh", "-c", script, stdin=stdin)  # fmt: skip

    def over(script, stdin="", good=(0,)):
        return program.call("sh", "-c", script.replace(str(program.CERTBOT), str(there)))  # fmt: skip

    monkeypatch.setattr(program, "CERTIFICATES", program.CERTIFICATES.replace("/etc/letsencrypt", str(program.CERTBOT)))  # fmt: skip
    monkeypatch.setattr(program, "here", here)
    monkeypatch.setattr(program, "there", over)
    return there


def test_the_certificate_of_our_name_comes_and_ours_is_put_aside(program, signed):
    mine = program.CERTBOT / "live/mail.a.test"
    mine.mkdir(parents=True)
    (mine / "cert.pem").write_text("signed by ourselves")
    found = program.certificates(["a.test"])
    assert found == {"mail.a.test": {"account": "0a1b", "server": "https://ca.test/dir"}}  # fmt: skip
    program.bring("mail.a.test", found["mail.a.test"])
    for piece in program.PIECES:
        same = (signed / f"live/mail.a.test/{piece}.pem").read_text()
        assert (mine / f"{piece}.pem").is_symlink() and (mine / f"{piece}.pem").read_text() == same  # fmt: skip
    (aside,) = (program.CERTBOT / "before-move").iterdir()
    assert (aside / "cert.pem").read_text() == "signed by ourselves"
    account = program.CERTBOT / "accounts/ca.test/dir/0a1b/private_key.json"
    assert account.read_text() == "private_key.json"
    renewal = (program.CERTBOT / "renewal/mail.a.test.conf").read_text()
    assert certificates.BROUGHT in renewal and "server = https://ca.test/dir" in renewal
    assert "key_type = ecdsa\nelliptic_curve = secp256r1" in renewal
    assert not program.certificates(["a.test"]), "it came, so it is not brought again"


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("RSA -pkeyopt rsa_keygen_bits:3072", "key_type = rsa\nrsa_key_size = 3072"),
        (
            "EC -pkeyopt ec_paramgen_curve:P-384",
            "key_type = ecdsa\nelliptic_curve = secp384r1",
        ),
    ],
)
def test_certbot_is_told_what_the_key_is_and_keeps_it(program, made, told):
    key = program.here(f"openssl genpkey -quiet -algorithm {made}")
    assert program.kind(key) == told


def test_a_certificate_without_its_key_is_not_put_down(program, signed):
    for name in ("mail.a.test", "shop.a.test"):
        key = signed / f"live/{name}/privkey.pem"
        key.rename(signed / name)
    (signed / "shop.a.test").rename(signed / "live/mail.a.test/privkey.pem")
    (found,) = program.certificates(["a.test"]).values()
    with pytest.raises(program.Failed, match="not for the key beside it"):
        program.bring("mail.a.test", found)
    assert not program.CERTBOT.exists()


def test_counting_leaves_nobody_out(program):
    def side(script: str, **more: object) -> str:
        return "username\tmessages\nanna@a.test\t7\n\n"

    found = program.messages(side, ["anna@a.test", "new@a.test"])
    assert found == {"anna@a.test": 7, "new@a.test": 0}


def test_the_state_is_roots_alone(program):
    program.keep({"round": 1})
    assert json.loads(program.STATE.read_text()) == {"round": 1}
    assert program.STATE.stat().st_mode & 0o777 == 0o600


def test_a_password_at_another_provider_is_never_part_of_a_command():
    run = migration.from_provider("a@a.test", "imap.b.test", 993, "o'brien; reboot")
    assert migration.THERE in run.stdin and "⟦" in run.stdin
    assert "'o'\"'\"'brien; reboot'" in run.command


def test_a_password_of_any_kind_stands_in_the_configuration(
    program, monkeypatch, tmp_path
):
    import io

    seen: list[str] = []
    monkeypatch.setattr(program, "Path", lambda path: tmp_path / "imap.conf")
    monkeypatch.setattr(program.sys, "stdin", io.StringIO('pa"ss\\wo#rd\n'))
    monkeypatch.setattr(program, "messages", lambda side, people: {people[0]: 3})
    monkeypatch.setattr(program, "call", lambda *argv: seen.append((tmp_path / "imap.conf").read_text()))  # fmt: skip
    program.imap("a@a.test", "imap.b.test", "993", "anna")
    assert 'imapc_password = "pa\\"ss\\\\wo#rd"' in seen[0]
    assert "imapc_ssl = imaps" in seen[0] and not (tmp_path / "imap.conf").exists()
