"""A renewal reaches every port, without a restart by hand; what fails is told."""

from __future__ import annotations

import hashlib
import ssl
import time

import pytest

from ispguide.engine.profile import Profile
from ispguide.engine.settings import Secret
from ispguide.lab import practice
from ispguide.outside.talk import unchecked
from ispguide.proofs.base import Context, Mailbox
from ispguide.proofs.tls import secured

from .conftest import bad, shell

#: In this order: the last one stops the authority.
pytestmark = pytest.mark.story

OUTSIDE = (443, 25, 465, 587, 143, 993, 110, 995)
FILE = "/etc/letsencrypt/live/mail.example.test/fullchain.pem"
RENEWAL = "/etc/letsencrypt/renewal/mail.example.test.conf"
SIEVE = (
    "openssl s_client -connect 127.0.0.1:4190 -starttls sieve </dev/null 2>/dev/null"
    " | openssl x509 -outform PEM"
)
#: When each service's process began: a restart would change it.
PROCESSES = "pidof apache2 | tr ' ' '\\n' | sort -n | head -1; pidof master dovecot"


@pytest.fixture(scope="module", autouse=True)
def on_built(built):
    """The built server."""


def filed() -> str:
    """The certificate on the disk, by its fingerprint."""
    pem = shell(f"openssl x509 -in {FILE}")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def shown() -> dict[int, str]:
    """What each door shows."""
    profile = Profile.load("practice")
    nobody = Mailbox("", Secret(""), "")
    ctx = Context(profile.host, profile.settings, nobody, dict, profile.ca_file)
    found = {4190: ssl.PEM_cert_to_DER_cert(shell(SIEVE))}
    for port in OUTSIDE:
        with secured(ctx, port, unchecked()) as talk:
            found[port] = talk.certificate
    return {port: hashlib.sha256(der).hexdigest() for port, der in found.items()}


def everywhere(certificate: str) -> bool:
    return set(shown().values()) == {certificate}


def test_the_timer_renews_what_is_due_and_every_door_shows_it(built):
    """For certbot a certificate is short-lived when its renewal is due at once."""
    before, running = filed(), shell(PROCESSES)
    assert everywhere(before)
    shell(f"sed -i '1i renew_before_expiry = 9000 days' {RENEWAL}")
    shell("systemctl start certbot.service")
    shell(f"sed -i 1d {RENEWAL}")
    assert (after := filed()) != before
    end = time.monotonic() + 10
    while not everywhere(after):
        assert time.monotonic() < end, shown()
        time.sleep(0.2)
    assert shell(PROCESSES) == running, "nothing was restarted"


@pytest.mark.thorough
def test_the_rehearsal_sees_all_nine_doors(cli):
    before = filed()
    report = cli.json("renew")
    assert report["code"] == 0 and report["actions"] == 1, bad(report)
    assert len(report["findings"]) == 1 + len(OUTSIDE) + 1
    assert filed() != before and everywhere(filed())
    assert cli.json("check")["ok"]
    assert "tls.rehearsal" in cli("history").stdout


def test_a_program_that_missed_the_bell_is_named(cli):
    """The hook forgets Dovecot: its doors keep the old certificate, and are named."""
    hook = "/etc/letsencrypt/renewal-hooks/deploy/ispguide.sh"
    shell(f"sed -i 's/systemctl reload dovecot/true/' {hook}")
    report = cli.json("renew")
    wrong = {f["thing"] for f in report["findings"] if f["state"] == "failed"}
    assert report["code"] == 1
    assert {"port 143 shows it", "port 993 shows it"} <= wrong
    assert not {"port 25 shows it", "port 443 shows it"} & wrong
    assert cli.json("apply", "tls.renewal", "dovecot.encryption")["ok"]
    assert everywhere(filed())


def test_an_authority_that_does_not_answer_changes_nothing(cli):
    before = filed()
    practice.current().internet.run(["systemctl", "stop", "pebble"], check=True)
    try:
        done = cli.json("renew")
        assert (done["code"], done["ok"]) == (1, False)
        assert done["error"]["kind"] == "server-refused" and "80" in done["error"]["do"]
        assert filed() == before and everywhere(before)
    finally:
        practice.current().internet.run(["systemctl", "start", "pebble"], check=True)
