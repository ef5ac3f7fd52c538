"""Settings, secrets and profiles: bad input gets a sentence, secrets stay hidden."""

import pickle
from dataclasses import replace

import pytest

from ispguide.errors import GuideError, SettingsProblem
from ispguide.names import address_problems
from ispguide.profile import Profile, names
from ispguide.settings import Secret, Settings

from .fake import SETTINGS

THROUGH = {"smarthost": "mail.friend.test", "smarthost_user": "relay@friend.test"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"domain": "exa mple.org"}, "no domain name"),
        ({"domain": "example.org'"}, "no domain name"),
        ({"domain": 'a".org'}, "no domain name"),
        ({"domain": "example"}, "too short"),
        ({"domain": "-x.org"}, "no domain name"),
        ({"domain": "$(reboot).org"}, "no domain name"),
        ({"domain": "{{7*7}}.org"}, "no domain name"),
        ({"hostname": "example.org"}, "too short"),
        ({"hostname": "a" * 64 + ".example.org"}, "no domain name"),
        ({"hostname": "mail.example.org\n"}, "no domain name"),
        ({"postmaster": "nobody"}, "no mail address"),
        ({"postmaster": "a b@example.org"}, "no mail address"),
        ({"tls": "none"}, "should be one of"),
        ({"tls": "acme-url"}, "directory"),
        ({"acme_ca": "etc/x"}, "full path"),
        ({"timezone": "Berlin; rm"}, "no time zone"),
        ({"message_size_mb": 0}, "from 1 to 500"),
        ({"junk_score": 15}, "should begin before"),
        ({"smarthost": "mail.friend.test"}, "smarthost_user is ''"),
        ({"smarthost_user": "relay@friend.test"}, "there is no smarthost"),
        ({"smarthost_spf": "a:mail.friend.test"}, "there is no smarthost"),
        (THROUGH | {"smarthost": "friend"}, "too short"),
        (THROUGH | {"smarthost": "mail.friend.test:"}, "from 1 to 65535"),
        (THROUGH | {"smarthost": "mail.friend.test:0"}, "from 1 to 65535"),
        (THROUGH | {"smarthost": "mail.friend.test:65536"}, "from 1 to 65535"),
        (THROUGH | {"smarthost": "mail.friend.test:25; rm"}, "from 1 to 65535"),
        (THROUGH | {"smarthost": "[mail.friend.test]"}, "no domain name"),
        (THROUGH | {"smarthost": "mail.example.test:587"}, "this server itself"),
        (THROUGH | {"smarthost_user": "a b"}, "without blanks and colons"),
        (THROUGH | {"smarthost_user": "a:b"}, "without blanks and colons"),
        (THROUGH | {"smarthost_user": "a\nb"}, "without blanks and colons"),
        (THROUGH | {"smarthost_user": "⟦mailserver⟧"}, "without blanks and colons"),
        (THROUGH | {"smarthost_spf": "all"}, "one word"),
        (THROUGH | {"smarthost_spf": "+all"}, "one word"),
        (THROUGH | {"smarthost_spf": "a"}, "one word"),
        (THROUGH | {"smarthost_spf": "a:x.test mx:x.test"}, "one word"),
        (THROUGH | {"smarthost_spf": "-a:x.test"}, "one word"),
        (THROUGH | {"smarthost_spf": "redirect=x.test"}, "one word"),
        (THROUGH | {"smarthost_spf": 'a:x."test'}, "one word"),
        (THROUGH | {"smarthost_spf": "exists:%{i}.x.test"}, "one word"),
        (THROUGH | {"smarthost_spf": "friend.test"}, "no word of SPF"),
        (THROUGH | {"smarthost_spf": "ip4:1.2.3.400"}, "no address"),
    ],
)
def test_a_problem_is_a_sentence(change, said):
    found = replace(SETTINGS, **change).problems()
    assert said in "\n".join(found)
    assert all(p.rstrip().endswith(".") for p in found)


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
    assert s.problems() == []
    assert Settings.from_toml(s.to_toml()) == s


def test_good_settings_have_no_problem_and_survive_the_file():
    assert SETTINGS.problems() == []
    assert Settings.from_toml(SETTINGS.to_toml()) == SETTINGS
    assert len(SETTINGS.hash) == 16


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hostname = ", "cannot be read"),
        ('hostname = "mail.example.test"\n', "lack domain"),
        (SETTINGS.to_toml() + 'colour = "red"\n', "names colour"),
        (SETTINGS.to_toml().replace("pop3 = true", 'pop3 = "yes"'), "should be a bool"),
    ],
)
def test_a_bad_file_is_named(text, said):
    with pytest.raises(SettingsProblem, match=said):
        Settings.from_toml(text)


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


def test_profile_survives_its_file(tmp_path, monkeypatch):
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    profile = Profile("one", "192.0.2.1", "/k", port=2222, settings=SETTINGS)
    profile.save()
    assert Profile.load("one") == profile
    assert names() == ["one"]
    assert (tmp_path / "profiles" / "one.toml").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["../x", "", "a b", "$(x)"])
def test_a_profile_name_cannot_leave_its_folder(name, tmp_path, monkeypatch):
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    with pytest.raises(GuideError):
        Profile.load(name)
