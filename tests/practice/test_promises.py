"""What is promised to other servers, on the practice server: the key outlives renewals,
the policy is fetched as strangers fetch it, further names show certificates of their own.

Each record, broken one at a time, is in test_dns.py.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from ispguide import tasks
from ispguide.engine.profile import Profile
from ispguide.engine.report import Finding
from ispguide.mail.certificates import same_key
from ispguide.mail.dns import wanted

from .conftest import bad, proved, shell, some
from .test_dns import DOMAIN, MAIL, ask, change
from .test_internet import instead

TLSA = f"_25._tcp.{MAIL}"
RENEWAL = "/etc/letsencrypt/renewal"
SITE = "/etc/apache2/ispguide-sites.d/mta-sts.conf"
PAGE = f"/var/www/ispguide-mta-sts{wanted.PATH}"


@pytest.fixture(scope="module", autouse=True)
def on_built(built):
    """The built server."""


@pytest.fixture
def settings():
    """Changes settings, and puts them back."""
    before = Profile.load("practice").settings

    def save(**changes: object) -> None:
        tasks.save_settings(tasks.HERE, replace(before, **changes))

    yield save
    tasks.save_settings(tasks.HERE, before)


def held(words: str) -> Finding:
    """How the proof with these words stands."""
    (row,) = proved(words)
    return row


def test_the_key_outlives_a_renewal(built, cli):
    """The rehearsal replaces the certificate, and the promise stays as it was."""
    before, file = ask(TLSA, "TLSA"), shell("cat /etc/letsencrypt/live/*/cert.pem")
    assert len(before) == 1
    assert cli.json("renew")["code"] == 0
    assert shell("cat /etc/letsencrypt/live/*/cert.pem") != file
    report = cli.json("apply", "dns.tlsa_record")
    assert report["ok"] and report["actions"] == 0, bad(report)
    assert ask(TLSA, "TLSA") == before
    assert held("the key of the TLSA record").state == "ok"


def test_an_older_renewal_file_is_seen_to(cli):
    shell(f"sed -i '/^reuse_key/d' {RENEWAL}/mail.example.test.conf")
    (gap,) = [f for f in cli.json("check", "tls")["findings"] if f["state"] == "gap"]
    (thing,) = same_key(Profile.load("practice").settings)
    assert (gap["thing"], gap["kind"]) == (str(thing), "not-done")
    certificate = shell("cat /etc/letsencrypt/live/mail.example.test/cert.pem")
    assert cli.json("apply", "tls.certificate")["ok"]
    assert shell("cat /etc/letsencrypt/live/mail.example.test/cert.pem") == certificate


def test_a_promise_of_another_key_is_seen_by_the_proof(cli):
    """Two promises: one for a key to come is no harm, one for it alone is."""
    (own,) = ask(TLSA, "TLSA")
    coming = "3 1 1 " + "ab" * 32
    with instead(TLSA, "TLSA", own, coming):
        assert cli.json("check", "dns.tlsa_record")["ok"]
        assert held("the key of the TLSA record").state == "ok"
    shell("systemctl restart unbound")  # it remembers, as others do
    with instead(TLSA, "TLSA", coming):
        row = held("the key of the TLSA record")
        assert (row.state, row.kind) == ("failed", "not-seen"), row
        assert "3 1 1" in row.gap, row
    assert ask(TLSA, "TLSA") == {own}
    shell("systemctl restart unbound")


BROKEN = {
    "another server in it": (f"sed -i 's/^mx:.*/mx: mail.friend.test/' {PAGE}", "mail.example.test"),
    "no policy at all": (f"echo '<html>' > {PAGE}", "STSv1"),
    "the page is gone": (f"rm {PAGE}", "404"),
    "another name's certificate": (
        f"sed -i 's#live/mta-sts.example.test/#live/mail.example.test/#' {SITE}; systemctl restart apache2",
        "certificate",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "what", some(BROKEN, "the page is gone", "another server in it")
)
def test_a_policy_that_nobody_could_follow(cli, what):
    script, told = BROKEN[what]
    shell(script)
    row = held("our MTA-STS policy")
    assert (row.state, row.kind) == ("failed", "not-seen"), row
    assert told in row.gap, row
    assert cli.json("apply", "dns.mta_sts_policy")["ok"]


def test_enforcing_is_one_decision_and_tells_everybody(cli, settings):
    before = ask(f"_mta-sts.{DOMAIN}", "TXT")
    settings(mta_sts="enforce")
    assert cli.json("apply", "server.remember_settings", "dns.mta_sts_policy")["ok"]
    assert "mode: enforce" in shell(f"cat {PAGE}")
    assert ask(f"_mta-sts.{DOMAIN}", "TXT") != before
    assert held("our MTA-STS policy").state == "ok"
    settings(mta_sts="testing")
    assert cli.json("apply", "server.remember_settings", "dns.mta_sts_policy")["ok"]
    assert ask(f"_mta-sts.{DOMAIN}", "TXT") == before


@pytest.mark.thorough
def test_a_name_that_is_not_there_yet_stops_nobody(cli, monkeypatch):
    """A real domain before anybody typed anything: said in words, and all else goes on."""
    shell(
        f"rm -r /etc/letsencrypt/*/mta-sts.example.test* {SITE}; systemctl reload apache2"
    )
    change(f"mta-sts.{DOMAIN}", "CNAME")
    change(f"_mta-sts.{DOMAIN}", "TXT")
    with (guide := tasks.open_guide()).server:
        foreign = replace(guide.server.profile, zone_key="")
        with monkeypatch.context() as patch:
            patch.setattr(guide.server, "profile", foreign)
            report = guide.apply(
                *(s for s in guide.select("dns", "dkim") if not s.proves)
            )
        assert report.ok, bad(report.as_dict())
        (told,) = [f for f in report if "mta-sts.DOMAIN" in f.thing]
        assert (told.state, told.kind) == ("unknown", "unsure")
        assert "mta-sts.example.test" in told.gap and "CNAME" in told.gap
        report = guide.apply("dns.mta_sts_policy")
        assert report.ok, bad(report.as_dict())
    assert held("our MTA-STS policy").state == "ok"


@pytest.mark.thorough
def test_names_of_their_own(cli, settings):
    """A second domain, its name in the phone: at every door its own certificate, also
    after the timer renewed it; and switched off again."""
    assert cli("people", "add", "second.test").returncode == 0
    settings(sni=True)
    report = cli.json("apply", "server.remember_settings", "dns")
    assert report["code"] == 0, bad(report)
    row = held("its own certificate")
    assert row.state == "ok", row
    again = cli.json("apply", "dns.sni_names", "dns.mta_sts_policy")
    assert again["ok"] and again["actions"] == 0, bad(again)
    _timer_renews("mail.second.test")
    assert _shown("mail.second.test") == {_filed("mail.second.test")}
    assert _shown("mail.example.test") == {_filed("mail.example.test")}
    settings(sni=False)
    report = cli.json("apply", "server.remember_settings", "dns.sni_names")
    assert report["ok"], bad(report)
    assert _shown("mail.second.test") == {_filed("mail.example.test")}


PRINT = "openssl x509 -noout -fingerprint -sha256"


def _filed(name: str) -> str:
    return shell(f"{PRINT} -in /etc/letsencrypt/live/{name}/fullchain.pem").strip()


def _shown(name: str) -> set[str]:
    """What the three programs show to somebody who asks for that name."""
    doors = ("443", "25 -starttls smtp", "465", "993")
    ask_ = (
        "openssl s_client -servername {0} -connect 127.0.0.1:{1} </dev/null 2>/dev/null"
    )
    return {shell(f"{ask_.format(name, door)} | {PRINT}").strip() for door in doors}


def _timer_renews(name: str) -> None:
    """For certbot a certificate is short-lived when its renewal is due at once."""
    before = _filed(name)
    shell(f"sed -i '1i renew_before_expiry = 9000 days' {RENEWAL}/{name}.conf")
    shell("systemctl start certbot.service")
    shell(f"sed -i 1d {RENEWAL}/{name}.conf")
    assert (after := _filed(name)) != before
    end = time.monotonic() + 10
    while _shown(name) != {after}:
        assert time.monotonic() < end, (_shown(name), after)
        time.sleep(0.2)
