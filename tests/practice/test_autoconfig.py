"""Mail programs that set themselves up: a second domain, wrong answers, hostile questions.

That the right answer opens every door is a proof of the chapter, and run here too.
"""

from __future__ import annotations

import plistlib
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest
from defusedxml.ElementTree import fromstring

from ispguide import tasks
from ispguide.mail.certificates import HOOK
from ispguide.proofs.autoconfig import ASKED, OUTLOOK, SCHEMA, THUNDERBIRD
from ispguide.proofs.context import opened
from ispguide.proofs.web import Browser

from .conftest import bad, proved, shell, some
from .test_dns import change

SECOND = "second.test"
SCRIPT = "/var/www/ispguide-autoconfig/index.php"
HOSTILE = ("<b>@x.test", "a@b.test&x=<y>", "'--@x.test", "a@b.test\n<c/>", "x" * 9000)


@pytest.fixture(scope="module")
def guide(built):
    with (found := tasks.open_guide()).server:
        yield found


@pytest.fixture
def browser(guide) -> Iterator[Browser]:
    with opened(guide) as ctx:
        yield Browser(ctx.where, ctx.lines)


@pytest.fixture
def second(guide, cli) -> Iterator[str]:
    """Another mail domain, and what the guide does for its people's programs."""
    assert cli("people", "add", SECOND).returncode == 0
    try:
        gaps = " ".join(f.gap for f in guide.check("autoconfig"))
        assert f"autoconfig.{SECOND}" in gaps, gaps
        report = guide.apply("autoconfig.autoconfig_names")
        assert report.ok, bad(report.as_dict())
        yield SECOND
    finally:
        assert cli("people", "remove", SECOND).returncode == 0
        for word in ("autoconfig", "autodiscover"):
            change(f"{word}.{SECOND}.", "CNAME")
            shell(f"certbot delete -q -n --cert-name {word}.{SECOND} || true")
        shell(HOOK)  # as after each change of certificates
    assert guide.apply("autoconfig.autoconfig_names").ok


def proofs(guide) -> dict[str, str]:
    return {f.thing: f.state for f in guide.prove("autoconfig")}


def test_all_who_ask_get_in(guide):
    assert set(proofs(guide).values()) == {"ok"}


@pytest.mark.thorough
def test_a_second_domain_is_answered_at_its_own_names(guide, second, browser):
    """With a certificate for that name, which Browser checks."""

    def at(word: str) -> Browser:
        where = replace(browser.where, name=f"{word}.{second}")
        return Browser(where, browser.lines)

    there = at("autoconfig")
    for path in (THUNDERBIRD, f"{THUNDERBIRD}?emailaddress=ben@{second}"):
        provider = fromstring(there.ask(path).text).find("emailProvider")
        assert provider.get("id") == provider.findtext("domain") == second
        hosts = {h.text for h in provider.iter("hostname")}
        assert hosts == {guide.settings.hostname}
    asked = ASKED.format(address=f"ben@{second}", schema=SCHEMA)
    outlook = at("autodiscover").ask(OUTLOOK, text=asked)
    logins = {e.text for e in fromstring(outlook.text).iter(f"{{{SCHEMA}}}LoginName")}
    assert logins == {f"ben@{second}"}
    assert guide.apply("autoconfig").ok
    assert not [f for f in guide.check("autoconfig") if f.gap]


@pytest.mark.parametrize("said", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_hostile_comes_back(browser, said):
    for path in (f"{THUNDERBIRD}?emailaddress=", f"{THUNDERBIRD}?domain="):
        page = browser.ask(path + quote(said[:2000]))
        assert said not in page.text and fromstring(page.text) is not None
    page = browser.ask(OUTLOOK, text=ASKED.format(address=said, schema=SCHEMA))
    assert said not in page.text and fromstring(page.text) is not None
    page = browser.ask(f"/apple.mobileconfig?email={quote(said[:2000])}")
    assert said not in page.text


def test_capitals_and_the_profile(browser):
    """Outlook writes the path its own way; a profile replaces an older one of its own."""
    upper = "/AutoDiscover/AutoDiscover.xml"
    asked = ASKED.format(address="Anna@Example.test", schema=SCHEMA)
    assert "anna@example.test" in browser.ask(upper, text=asked).text
    profile = "/apple.mobileconfig?email="
    anna, again, ben = (
        plistlib.loads(browser.ask(f"{profile}{who}@example.test").text.encode())
        for who in ("anna", "Anna", "ben")
    )
    assert anna == again != ben and anna["PayloadUUID"] != ben["PayloadUUID"]
    assert "profile" in browser.ask("/apple.mobileconfig").text


WRONG = {
    "a port that is shut": ("s/993/994/", "Thunderbird finds every port (autoconfig), and gets in"),
    "the wrong encryption": (
        "s/465, 'SSL'/465, 'STARTTLS'/", "Outlook finds every port (autodiscover), and gets in"),
    "another server": (
        "s/HOST = 'mail/HOST = 'imap/", "an iPhone's profile (mobileconfig) names the right ports"),
}  # fmt: skip


@pytest.mark.parametrize("what", some(WRONG, "the wrong encryption"))
def test_a_wrong_answer_is_found_out(guide, what):
    change, proof = WRONG[what]
    shell(f'sed -i "{change}" {SCRIPT}; systemctl restart php8.2-fpm')
    (found,) = proved(proof, guide=guide)
    assert found.state == "failed"
    assert guide.apply("autoconfig.autoconfig_endpoint").ok


def test_the_script_sees_nothing_but_itself(guide):
    """As nobody, in one folder: the settings of webmail are not for it."""
    shell(
        f"cat > $(dirname {SCRIPT})/index.php <<'END'\n"
        "<?php var_dump(@file_get_contents('/etc/passwd'), posix_getuid(), "
        "function_exists('exec'));\nEND\nsystemctl restart php8.2-fpm"
    )
    with opened(guide) as ctx:
        told = Browser(ctx.where, ctx.lines).ask(THUNDERBIRD).text.split()
    assert told == ["bool(false)", "int(65534)", "bool(false)"]
    assert guide.apply("autoconfig.autoconfig_endpoint").ok
