"""Settings, secrets and profiles: bad input gets a sentence, secrets stay hidden."""

import pickle
from dataclasses import replace

import pytest

from ispguide.engine import problems
from ispguide.engine.errors import GuideError, SettingsProblem
from ispguide.engine.names import address_problems
from ispguide.engine.profile import Profile, names
from ispguide.engine.settings import PATH, Secret, Settings

from .fake import SETTINGS

THROUGH = {"smarthost": "mail.friend.test", "smarthost_user": "relay@friend.test"}


@pytest.mark.parametrize(
    "change",
    [
        {"domain": "exa mple.org"},
        {"domain": "example.org'"},
        {"domain": 'a".org'},
        {"domain": "example"},
        {"domain": "-x.org"},
        {"domain": "$(reboot).org"},
        {"domain": "{{7*7}}.org"},
        {"hostname": "example.org"},
        {"hostname": "a" * 64 + ".example.org"},
        {"hostname": "mail.example.org\n"},
        {"postmaster": "nobody"},
        {"postmaster": "a b@example.org"},
        {"tls": "none"},
        {"acme_ca": "etc/x"},
        {"timezone": "Berlin; rm"},
        {"message_size_mb": 0},
        {"smarthost_user": "relay@friend.test"},
        {"smarthost_spf": "a:mail.friend.test"},
        THROUGH | {"smarthost": "mail.friend.test:"},
        THROUGH | {"smarthost": "mail.friend.test:0"},
        THROUGH | {"smarthost": "mail.friend.test:65536"},
        THROUGH | {"smarthost": "mail.friend.test:25; rm"},
        THROUGH | {"smarthost_user": ""},
        THROUGH | {"smarthost_user": "a b"},
        THROUGH | {"smarthost_user": "a:b"},
        THROUGH | {"smarthost_user": "a\nb"},
        THROUGH | {"smarthost_user": "⟦mailserver⟧"},
        THROUGH | {"smarthost_spf": "all"},
        THROUGH | {"smarthost_spf": "+all"},
        THROUGH | {"smarthost_spf": "a"},
        THROUGH | {"smarthost_spf": "a:x.test mx:x.test"},
        THROUGH | {"smarthost_spf": "-a:x.test"},
        THROUGH | {"smarthost_spf": "redirect=x.test"},
        THROUGH | {"smarthost_spf": 'a:x."test'},
        THROUGH | {"smarthost_spf": "exists:%{i}.x.test"},
        THROUGH | {"smarthost_spf": "friend.test"},
        THROUGH | {"smarthost_spf": "ip4:1.2.3.400"},
    ],
)
def test_a_problem_is_a_sentence_about_the_value(change):
    (problem,) = problems.of(replace(SETTINGS, **change))
    new = [v for v in change.values() if v not in THROUGH.values()]
    (wrong,) = new or change.values()
    assert repr(wrong) in problem and problem.endswith(".")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"tls": "acme-url"}, "acme-url"),
        ({"junk_score": 15}, "junk_score is 15 and reject_score 15"),
        (THROUGH | {"smarthost": "friend"}, "'friend'"),
        (THROUGH | {"smarthost": "[mail.friend.test]"}, "'[mail.friend.test]'"),
        (THROUGH | {"smarthost": "mail.example.test:587"}, "mail.example.test"),
    ],
)
def test_a_problem_of_two_values_is_one_sentence(change, told):
    (problem,) = problems.of(replace(SETTINGS, **change))
    assert told in problem and problem.endswith(".")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"smarthost": "mail.friend.test:465"},
        {"smarthost_spf": "include:spf.friend.test"},
        {"smarthost_spf": "a:mail.friend.test"},
        {"smarthost_spf": "ip4:192.0.2.0/24"},
        {"smarthost_spf": "ip6:2001:db8::/32"},
        {"smarthost_user": "WORK\\relay"},
    ],
)
def test_a_smarthost_without_a_problem_survives_the_file(change):
    s = replace(SETTINGS, **(THROUGH | change))
    assert problems.of(s) == []
    assert Settings.from_toml(s.to_toml()) == s


def test_good_settings_have_no_problem_and_survive_the_file():
    assert problems.of(SETTINGS) == []
    assert Settings.from_toml(SETTINGS.to_toml()) == SETTINGS
    assert len(SETTINGS.hash) == 16


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hostname = ", PATH),
        ('hostname = "mail.example.test"\n', "domain, postmaster"),
        (SETTINGS.to_toml() + 'colour = "red"\n', "colour"),
        (SETTINGS.to_toml().replace("pop3 = true", 'pop3 = "yes"'), "pop3 is 'yes'"),
    ],
)
def test_a_bad_file_is_named(text, told):
    with pytest.raises(SettingsProblem) as stop:
        Settings.from_toml(text)
    assert told in stop.value.is_ and stop.value.should and stop.value.do


@pytest.mark.parametrize("address", ["anna@example.org", "a.b+c@x.example.org"])
def test_addresses(address):
    assert address_problems(address) == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "@",
        "a@",
        "@b.org",
        "a..b@c.org",
        "a@b",
        "ä@b.org",
        "a'b@c.org",
        "x" * 65 + "@b.org",
    ],
)
def test_no_addresses(address):
    assert address_problems(address)


def test_a_secret_shows_dots_however_it_is_shown():
    secret = Secret("correct horse")
    for shown in (str(secret), repr(secret), f"{secret}", f"{[secret]}", str([secret])):
        assert "horse" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret.reveal() == "correct horse"


@pytest.mark.parametrize("key", ["", "/home/anna/Schlüssel 🔑/id", 'C:\\a "b"'])
def test_profile_survives_its_file(key, tmp_path, monkeypatch):
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    profile = Profile("one", "192.0.2.1", "/k", port=2222, key=key, settings=SETTINGS)
    profile.save()
    assert Profile.load("one") == profile
    assert names() == ["one"]
    assert (tmp_path / "profiles" / "one.toml").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["../x", "", "a b", "$(x)"])
def test_a_profile_name_cannot_leave_its_folder(name, tmp_path, monkeypatch):
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    with pytest.raises(GuideError) as stop:
        Profile.load(name)
    assert stop.value.kind == "bad-name"
