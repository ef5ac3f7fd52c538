"""Three mail domains on one server: each found, signed and judged by itself."""

from __future__ import annotations

import time
import uuid

import pytest

from ispguide import lab

from .conftest import bad, rspamd_answers, shell, some
from .test_dns import ask
from .test_internet import instead

DOMAINS = ("example.test", "second.test", "third.test")
PASSWORD = "a long one for everybody"


@pytest.fixture(scope="module", autouse=True)
def three(built, cli, applied):
    """People in three domains, and everything the guide does for that."""
    for domain in DOMAINS:
        assert cli("people", "add", domain).returncode == 0 or domain == DOMAINS[0]
        done = cli(
            "people", "add", f"anna@{domain}", "--password-stdin", stdin=PASSWORD
        )
        assert done.returncode == 0, done.stderr
    seen = cli.json("check", "dns.other_domains", "dkim")
    missing = [f for f in seen["findings"] if f["kind"] == "missing"]
    for domain in DOMAINS[1:]:
        steps = {f["step"] for f in missing if domain in f["gap"]}
        assert {"other_domains", "keys"} <= steps, bad(seen)
    applied("dns", "dkim")
    rspamd_answers()


def written(domain: str, to: str = "ben@friend.test") -> str:
    """Anna of that domain writes; the word by which her letter is known again."""
    mark = uuid.uuid4().hex
    text = f"From: anna@{domain}\nTo: {to}\nSubject: {mark}\n\nTea on Sunday?\n"
    shell(f"printf '%s' '{text}' | sendmail -f anna@{domain} {to}")
    return mark


@pytest.mark.parametrize("domain", DOMAINS)
def test_each_passes_at_a_strict_provider(domain):
    message = lab.friend.message(written(domain))
    assert message.verdict == {"spf": "pass", "dkim": "pass", "dmarc": "pass"}
    assert f"d={domain};" in str(message).replace("\n", "").replace(" ", "")


def test_each_has_a_key_of_its_own():
    records = {d: shell(f"ls /var/lib/rspamd/dkim/{d}.*.key").split() for d in DOMAINS}
    assert all(len(keys) == 1 for keys in records.values())
    publics = {shell(f"openssl pkey -in {k[0]} -pubout") for k in records.values()}
    assert len(publics) == len(DOMAINS)


@pytest.mark.parametrize("domain", DOMAINS)
def test_mail_to_each_arrives(domain):
    mark = uuid.uuid4().hex
    lab.friend.send(f"anna@{domain}", mark)
    end = time.monotonic() + 30
    find = f"doveadm search -u anna@{domain} mailbox '*' subject {mark}"
    while not shell(find).strip():
        assert time.monotonic() < end, "the letter did not arrive"
        time.sleep(0.2)


def test_a_second_apply_has_nothing_to_do(applied):
    assert applied("dns", "dkim").actions == 0


def test_reports_about_each_come_to_one_mailbox():
    for domain in DOMAINS[1:]:
        said = shell(
            f"postmap -q dmarc@{domain} mysql:/etc/postfix/mysql-virtual-alias-maps.cf"
        )
        assert said.strip() == "dmarc@example.test"


BROKEN = {
    "no MX": ("second.test.", "MX", (), "missing", "second.test"),
    "MX elsewhere": (
        "second.test.", "MX", ("10 mail.friend.test.",), "elsewhere", "mail.friend.test",
    ),
    "two SPF": (
        "third.test.", "TXT", ('"v=spf1 mx -all"', '"v=spf1 a -all"'), "several", "third.test",
    ),
    "DMARC syntax": ("_dmarc.second.test.", "TXT", ('"v=DMARC1; p=refuse"',), "malformed", "refuse"),
}  # fmt: skip


@pytest.mark.parametrize("what", some(BROKEN, "MX elsewhere", "DMARC syntax"))
def test_a_broken_record_is_named_and_mended(cli, what):
    name, type_, values, kind, told = BROKEN[what]
    before = ask(name, type_)
    with instead(name, type_, *values):
        report = cli.json("check", "dns")
        (gap,) = [f for f in report["findings"] if f["state"] == "gap"]
        assert gap["step"] == "other_domains" and gap["kind"] == kind, gap
        assert told in gap["gap"], gap
        assert cli.json("apply", "dns.other_domains")["ok"]
        assert ask(name, type_)
    assert ask(name, type_) == before
