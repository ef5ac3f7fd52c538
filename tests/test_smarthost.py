"""The smarthost without a server: what is kept, what the step wants, both ways, what
its proof makes of the queue's words, and that its password is told to nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ispguide import tasks
from ispguide.chapters import sending
from ispguide.chapters.server import port_25
from ispguide.cli import cli
from ispguide.engine import facts
from ispguide.engine.actions import (
    ForgetSecret,
    KeepSecret,
    Remove,
    Run,
    Start,
    Write,
    as_message,
    typed_in,
)
from ispguide.engine.chapter import Chapter
from ispguide.engine.errors import GuideError, SettingsProblem
from ispguide.engine.gaps import Gap, Unsure
from ispguide.engine.guide import Guide
from ispguide.engine.profile import Profile
from ispguide.engine.settings import Secret
from ispguide.engine.things import Proof
from ispguide.mail.smarthost import LOGIN, PASSWORD, THE_PASSWORD
from ispguide.notebook import switch
from ispguide.notebook.card import CARDS
from ispguide.notebook.forms import settings as form
from ispguide.notebook.forms.settings import NAMES, SmarthostCard
from ispguide.notebook.work import worker
from ispguide.proofs.submission import Line, judged, line_of
from ispguide.remote import doing, vault
from ispguide.tasks import base, smarthost

from .fake import SETTINGS, FakeServer, guide_of
from .test_guide import file
from .test_settings import THROUGH

S = replace(SETTINGS, **THROUGH, smarthost_spf="a:mail.friend.test")
PLANTED = "Planted-gooseberry-4711"
#: Postfix as it is with neither.
UNIT = {"load": "loaded", "active": "active", "enabled": "enabled", "since": 10,
        "sub": "running", "result": "", "restarts": 0, "read": True}  # fmt: skip
DOORS = [["0.0.0.0", port, "master"] for port in (25, 465, 587)]


def world(**more: Any) -> dict[facts.Fact, Any]:
    """A server that was built before there were smarthosts."""
    return {
        facts.package("libsasl2-modules"): "",
        facts.secret(PASSWORD): {"made": False, "source_same": True},
        facts.file(LOGIN): {"kind": "none"},
        facts.postconf(): {"myhostname": "mail.example.test"},
        facts.unit("postfix"): UNIT,
        facts.unit("postfix@-"): UNIT,
        facts.newest(LOGIN): {"path": "", "time": 0},
        facts.listening(): DOORS,
    }


def effect(action: Any, there: dict[facts.Fact, Any]) -> None:
    """What a real server does, in one line each."""
    match action:
        case Write(path=path, text=text, mode=mode):
            there[facts.file(path)] = file(text) | {"mode": f"{mode:04o}"}
            there[facts.newest(LOGIN)] = {"path": path, "time": 20}
        case Remove(path=path):
            there[facts.file(path)] = {"kind": "none"}
        case KeepSecret(name=name):
            there[facts.secret(name)] = {"made": True, "source_same": True}
        case ForgetSecret(name=name):
            there[facts.secret(name)] = {"made": False, "source_same": True}
        case Run(command=command) if command.startswith("postconf -e "):
            there[facts.postconf()] = there[facts.postconf()] | _set(command)
        case Run(command=command) if "apt-get" in command:
            there[facts.package("libsasl2-modules")] = "2.1"
        case Start():
            there[facts.unit("postfix@-")] = UNIT | {"since": 30}


def _set(command: str) -> dict[str, str]:
    import shlex

    words = shlex.split(command.partition(" && ")[0])[2:]
    return {k: v for k, _, v in (word.partition(" = ") for word in words)}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A practice server is known, and patience is for real ones."""
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    monkeypatch.delenv("ISPGUIDE_CELLS", raising=False)
    monkeypatch.setattr("ispguide.engine.guide.WAITS", (0, 0))
    Profile("practice", "192.0.2.1", "", practice=True, settings=SETTINGS).save()
    yield tmp_path
    for card in list(CARDS.values()):
        card.close()
    CARDS.clear()


def guide(settings: Any, there: dict[facts.Fact, Any]) -> Guide:
    """The step alone, on a server that is a dict."""
    only = Chapter("sending", "Sending", 12)
    only.step(sending.chapter["smarthost"].build)
    server = FakeServer(there, effect)
    server.profile = Profile.load("practice")
    return guide_of(server, settings, [only])


# the step, both ways


def test_with_a_smarthost_all_mail_goes_there_and_it_must_prove_its_name() -> None:
    there = world()
    there[facts.secret(PASSWORD)]["made"] = True
    work = guide(S, there)
    assert work.apply().ok
    now = there[facts.postconf()]
    assert now["relayhost"] == "[mail.friend.test]:587"
    assert now["smtp_sasl_auth_enable"] == "yes"
    assert now["smtp_sasl_tls_security_options"] == "noanonymous"
    assert (
        now["smtp_tls_policy_maps"] == "inline:{ { [mail.friend.test]:587 = secure } }"
    )
    assert now["smtp_tls_wrappermode"] == "no"
    login = there[facts.file(LOGIN)]
    assert login["mode"] == "0600" and login["owner"] == "root"
    last = login["text"].splitlines()[-1]
    assert last == f"[mail.friend.test]:587 relay@friend.test:⟦{PASSWORD}⟧"
    assert work.apply().actions == 0


def test_port_465_is_encrypted_from_the_first_byte() -> None:
    there = world()
    there[facts.secret(PASSWORD)]["made"] = True
    assert guide(replace(S, smarthost="mail.friend.test:465"), there).apply().ok
    now = there[facts.postconf()]
    assert now["relayhost"] == "[mail.friend.test]:465"
    assert now["smtp_tls_wrappermode"] == "yes"
    assert "[mail.friend.test]:465 = secure" in now["smtp_tls_policy_maps"]


def test_switched_off_everything_is_as_if_it_had_never_been() -> None:
    never, there = world(), world()
    assert guide(SETTINGS, never).apply().ok
    there[facts.secret(PASSWORD)]["made"] = True
    assert guide(S, there).apply().ok
    work = guide(SETTINGS, there)
    assert work.apply().ok
    for fact in (facts.postconf(), facts.file(LOGIN), facts.secret(PASSWORD)):
        assert there[fact] == never[fact], fact
    order = [type(a) for a in work.server.done]  # type: ignore[attr-defined]
    assert order.index(Remove) < order.index(ForgetSecret), "hidden while it is known"
    assert work.apply().actions == 0


def test_without_its_password_the_step_says_where_to_type_it() -> None:
    def refuse(action: Any) -> bool:
        return isinstance(action, Write)  # as the server does: it has no such secret

    work = guide(S, world())
    work.server.refuse = refuse  # type: ignore[attr-defined]
    report = work.apply()
    (found,) = [f for f in report if f.thing == THE_PASSWORD]
    assert not report.ok and found.kind == "missing" and "chapter 12" in found.gap


# what is kept


def use(
    monkeypatch: pytest.MonkeyPatch, there: dict[facts.Fact, Any], **how: Any
) -> Guide:
    work = guide(SETTINGS, there)
    monkeypatch.setattr(base, "open_guide", lambda *_: work)
    given = {"smarthost": S.smarthost, "user": S.smarthost_user, "spf": S.smarthost_spf}
    tasks.smarthost_use(tasks.HERE, **(given | how))
    return work


def test_settings_and_password_are_kept_in_one_run(
    monkeypatch: Any, home: Path
) -> None:
    work = use(monkeypatch, world(), password=Secret(PLANTED))
    done = work.server.done  # type: ignore[attr-defined]
    assert [a.value for a in done if isinstance(a, KeepSecret)] == [PLANTED]
    assert Profile.load("practice").settings == S
    assert PLANTED not in str([(a.by_hand(), repr(a)) for a in done])
    for path in home.rglob("*"):
        assert not path.is_file() or PLANTED not in path.read_text(), path


def test_a_file_with_the_older_password_goes_before_the_new_one_is_known(
    monkeypatch: Any,
) -> None:
    there = world() | {facts.file(LOGIN): file("with the older one")}
    work = use(monkeypatch, there, password=Secret(PLANTED))
    kinds = [type(a) for a in work.server.done]  # type: ignore[attr-defined]
    assert kinds.index(Remove) < kinds.index(KeepSecret)


def test_without_a_password_the_known_one_stays(monkeypatch: Any) -> None:
    with pytest.raises(GuideError) as stop:
        use(monkeypatch, world())
    assert stop.value.kind == "no-password"
    there = world()
    there[facts.secret(PASSWORD)]["made"] = True
    work = use(monkeypatch, there)
    assert not [a for a in work.server.done if isinstance(a, KeepSecret)]  # type: ignore[attr-defined]


def test_what_cannot_be_is_not_kept(monkeypatch: Any) -> None:
    with pytest.raises(SettingsProblem, match="'friend'"):
        use(monkeypatch, world(), smarthost="friend", password=Secret(PLANTED))
    assert Profile.load("practice").settings == SETTINGS


@pytest.mark.parametrize(
    "text",
    ["", "short", "password", "mailserver", "tab\tin it 1", " blank before 1", "new\nline 12",
     "⟦mailserver⟧ 1", "relay@friend.test", "mail.friend.test", "X" * 501],
)  # fmt: skip
def test_a_password_that_could_not_be_hidden_is_refused(text: str) -> None:
    with pytest.raises(GuideError) as stop:
        smarthost.valid_login(Secret(text), S)
    assert len(text) < 9 or text not in str(stop.value)
    assert stop.value.kind in ("bad-password", "weak-password")
    assert stop.value.is_ and stop.value.should and stop.value.do


@pytest.mark.parametrize(
    "text", [PLANTED, "pä\"s'w$(id)`x`\\&;|{{7}}%s#ß", "SG." + "x9" * 33]
)
def test_a_good_password_stays_as_it_is(text: str) -> None:
    assert smarthost.valid_login(Secret(text), S).reveal() == text


def test_a_word_on_the_command_line_is_no_password() -> None:
    with pytest.raises(GuideError) as stop:
        smarthost.valid_login(PLANTED, S)
    assert stop.value.kind == "password-in-the-open"


# the password


def test_a_kept_password_is_never_shown() -> None:
    action = KeepSecret(PASSWORD, PLANTED)
    message = as_message(action)
    assert message["with"] == {"name": PASSWORD, "value": PLANTED}
    assert PLANTED not in message["say"] + repr(action) + str(action)
    assert typed_in(action) == [PLANTED]
    assert typed_in(Run("true", hashes={"x": "y"})) == ["y"]
    assert typed_in(Start("postfix")) == []


def test_the_server_keeps_hides_and_forgets_it(
    tmp_path: Path, monkeypatch: Any
) -> None:
    path = tmp_path / "secrets.json"
    monkeypatch.setattr(vault, "SECRETS", path)
    monkeypatch.setattr(vault, "write_bytes", lambda p, data, *_: p.write_bytes(data))
    kept = vault.VAULT
    kept.load([PLANTED])
    work = doing.Transaction({"run": {"id": "x", "who": "", "step": ""}}, print)
    work.do_keep(PASSWORD, PLANTED)
    assert json.loads(path.read_text())[PASSWORD]["value"] == PLANTED
    told = kept.hide(f"relay:{PLANTED}")
    assert told == f"relay:⟦{PASSWORD}⟧" and kept.reveal(told).endswith(PLANTED)
    assert kept.known(PASSWORD) == {"made": True, "source_same": True}
    work.do_forget(PASSWORD)
    assert PLANTED not in path.read_text() and not kept.known(PASSWORD)["made"]


# proofs


HOP = "mail.friend.test[2001:db8:1::20]:587"
LOG = (
    f"A1B2C3D4E5: to=<relay@friend.test>, relay={HOP}, delay=0.3, "
    "delays=0.01/0/0.2/0.09, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 7F)"
)


def test_the_queue_is_read() -> None:
    assert line_of(LOG) == Line(HOP, "sent", "250 2.0.0 Ok: queued as 7F")
    assert line_of("A1B2C3D4E5: removed") is None
    assert line_of(f"{LOG}\n{LOG.replace('sent', 'deferred')}").status == "deferred"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (Line(HOP, "deferred", "SASL authentication failed; server said: 535 no"), "wrong-password"),
        (Line(HOP, "deferred", "SASL authentication failed: no mechanism available"), "wrong-password"),
        (Line(HOP, "deferred", "no worthy mechs found"), "differs"),
        (Line(HOP, "deferred", "Server certificate not verified"), "untrusted"),
        (Line("none", "deferred", "connect to mail.friend.test[192.0.2.1]:587: Connection timed out"), "not-reached"),
        (Line("none", "bounced", "Host or domain name not found."), "not-reached"),
        (Line("none", "deferred", "unable to look up host mail.friend.test: Try again"), "not-reached"),
        (Line(HOP, "bounced", "host said: 553 5.7.1 not your address"), "not-taken"),
        (Line("mx.other.test[192.0.2.9]:25", "sent", "250 ok"), "elsewhere"),
        (Line("mail.friend.test.evil.test[192.0.2.9]:587", "sent", "250 ok"), "elsewhere"),
        (None, "not-taken"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(line: Line | None, kind: str) -> None:
    ok, seen = judged(line, S.smarthost, S.smarthost_user)
    assert ok is False and isinstance(seen, Gap) and seen.kind == kind
    assert "mail.friend.test" in seen
    if line is None:
        assert "20 s" in seen
    else:
        assert (line.relay if line.status == "sent" else line.said) in seen
    if line is None or line.status != "sent":
        assert "should" in seen and seen.count(". ") >= 2, "is, should, do"


def test_the_kind_of_what_a_proof_saw_is_in_the_report() -> None:
    fact = facts.proof("leaves_through_smarthost")
    told = {"ok": False, "seen": "535", "kind": "wrong-password"}
    assert Proof("mail leaves", fact).gap({fact: told}).kind == "wrong-password"


def test_a_letter_that_went_there_is_the_proof() -> None:
    ok, seen = judged(line_of(LOG), S.smarthost, S.smarthost_user)
    assert ok and f"relay={HOP}, status=sent" in seen
    assert judged(line_of(LOG), "mail.friend.test:465", "")[0] is False


def test_with_a_smarthost_a_closed_port_25_is_no_failure() -> None:
    closed = {"rc": 75, "out": "timed out\nAll mail leaves", "err": ""}
    check = port_25(S)
    gap = check.gap(dict.fromkeys(check.facts(), closed))
    assert isinstance(gap, Unsure)
    assert "All mail leaves through mail.friend.test" in " ".join(check.words)
    assert "leaves" not in " ".join(port_25(SETTINGS).words)
    assert str(check) == str(port_25(SETTINGS))


def test_without_a_smarthost_there_is_nothing_to_prove() -> None:
    (step,) = sending.chapter.proofs
    asked = [f for t in step.things(SETTINGS) for f in t.facts()]
    assert "leaves_through_smarthost" not in {f[1] for f in asked}
    assert "no smarthost is used, mail leaves by itself" in map(
        str, step.things(SETTINGS)
    )
    asked = [f for t in step.things(S) for f in t.facts()]
    assert "leaves_through_smarthost" in {f[1] for f in asked}


# the command and the form


def run(monkeypatch: Any, *words: str, stdin: str = "") -> tuple[Any, list[Any]]:
    kept: list[Any] = []

    def use(*a: Any, **more: Any) -> Any:
        kept.append((*a[1:], *more.values()))
        return SETTINGS, S

    def off(*a: Any, **more: Any) -> Any:
        kept.append("off")
        return S, SETTINGS

    monkeypatch.setattr(tasks, "smarthost_use", use)
    monkeypatch.setattr(tasks, "smarthost_off", off)
    return CliRunner().invoke(cli, ["smarthost", *words], input=stdin), kept


def test_the_command_reads_the_password_from_standard_input(monkeypatch: Any) -> None:
    words = ["mail.friend.test:465", "--user", "relay@friend.test", "--password-stdin"]
    done, kept = run(monkeypatch, *words, stdin=PLANTED + "\n")
    assert done.exit_code == 0 and PLANTED not in done.output
    assert kept[0][:3] == ("mail.friend.test:465", "relay@friend.test", Secret(PLANTED))
    assert "./guide apply sending" in done.output


@pytest.mark.parametrize(("typed", "secret"), [(PLANTED, Secret(PLANTED)), ("", None)])
def test_the_command_asks_unseen(monkeypatch: Any, typed: str, secret: Any) -> None:
    done, kept = run(monkeypatch, "mail.friend.test", "--user", "x", stdin=typed + "\n")
    assert done.exit_code == 0, done.output
    assert kept[0][2] == secret and PLANTED not in done.output


def test_the_command_switches_off(monkeypatch: Any) -> None:
    done, kept = run(monkeypatch, "--off")
    assert (done.exit_code, kept) == (0, ["off"])
    assert "may still hold a:mail.friend.test" in done.output


@pytest.mark.parametrize("words", [[], ["mail.friend.test", "--off"]])
def test_the_command_wants_one_thing(monkeypatch: Any, words: list[str]) -> None:
    done, kept = run(monkeypatch, *words)
    assert done.exit_code == 1 and not kept
    assert isinstance(done.exception, SystemExit) and "--off" in done.stderr


def opened(monkeypatch: Any, kept: list[Any]) -> SmarthostCard:
    def use(*a: Any, **more: Any) -> Any:
        kept.append((*a[1:], *more.values()))
        return SETTINGS, S

    def off(*a: Any, **more: Any) -> Any:
        kept.append("off")
        return S, SETTINGS

    monkeypatch.setattr(form, "read", lambda server: Profile.load(server).settings)
    monkeypatch.setattr(tasks, "smarthost_use", use)
    monkeypatch.setattr(tasks, "smarthost_off", off)
    card = form.form(sending.chapter.settings, "Sending mail")
    worker(switch.current()).join()
    assert isinstance(card, SmarthostCard) and tuple(card.fields) == NAMES
    return card


def test_the_form_hands_the_password_over_and_forgets_it(monkeypatch: Any) -> None:
    import ipywidgets as widgets

    kept: list[Any] = []
    card = opened(monkeypatch, kept)
    assert card.save_button.disabled and card.off.disabled
    for name in NAMES:
        card.fields[name].input.value = getattr(S, name)
    card.password.input.value = PLANTED
    assert not card.save_button.disabled
    card.save_button.click()
    worker(switch.current()).join()
    assert kept[0][:4] == (
        S.smarthost,
        S.smarthost_user,
        Secret(PLANTED),
        S.smarthost_spf,
    )
    assert PLANTED not in str(widgets.Widget.get_manager_state(drop_defaults=False))
    assert "12-sending.ipynb#cell-id=smarthost" in card.body.value
    assert "14-dns.ipynb#cell-id=spf_record" in card.body.value
    card.off.click()
    worker(switch.current()).join()
    assert kept[1] == "off" and not card.fields["smarthost"].value
    assert "may still hold a:mail.friend.test" in card.body.value


def test_the_form_refuses_a_password_that_could_not_be_hidden(monkeypatch: Any) -> None:
    card = opened(monkeypatch, [])
    for name in NAMES:
        card.fields[name].input.value = getattr(S, name)
    card.password.input.value = "short"
    assert "shorter than 8" in card.password._said.value and card.save_button.disabled
    card.password.input.value = PLANTED
    card.fields["smarthost_user"].input.value = ""
    assert card.save_button.disabled


def test_looking_only_the_form_keeps_nothing(monkeypatch: Any) -> None:
    kept: list[Any] = []
    card = opened(monkeypatch, kept)
    switch.turn(switch.LOOK)
    card.fields["smarthost"].input.value = S.smarthost
    card.fields["smarthost_user"].input.value = S.smarthost_user
    card.password.input.value = PLANTED
    card.save_button.click()
    worker(switch.current()).join()
    assert not kept and "Looking only" in card.body.value
