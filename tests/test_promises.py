"""What is promised to other servers, as tables of plain values: the key (TLSA), the
policy (MTA-STS), and the further names with their certificates."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from dataclasses import replace
from types import SimpleNamespace

import pytest

from ispguide.chapters import GUIDE
from ispguide.engine import facts, problems
from ispguide.engine.actions import Run, Write
from ispguide.engine.chapter import rests_on
from ispguide.engine.export import EmptyServer
from ispguide.engine.gaps import Unsure
from ispguide.engine.settings import Settings
from ispguide.mail.certificates import ask, ask_for, same_key
from ispguide.mail.dns import wanted
from ispguide.mail.dns.compare import MISSING, RIGHT, UNKNOWN, WRONG
from ispguide.mail.dns.thing import OWN, REACHED, UPDATES, DnsRecord
from ispguide.mail.sni import MAP, NameCertificates, NamesFile, SniMap, SniNames
from ispguide.mail.tlsa import key_fact, tlsa
from ispguide.outside.lookups import leading, signed
from ispguide.outside.names import NoAnswer

ACME = "https://acme.example.test/dir"
S = Settings(
    "mail.example.test",
    "example.test",
    "postmaster@example.test",
    tls="acme-url",
    acme_url=ACME,
    sni=True,
)
ADDRESS = "198.18.3.10"
KEY = b"as DER, a public key"
DIGEST = hashlib.sha256(KEY).hexdigest()
RECORD = tlsa(S)


def said(*values: str, zone: str = "example.test") -> dict:
    one = {"values": list(values), "ttl": 60, "alias": ""}
    return {"zone": zone, "ttl": 60, "servers": {"ns1": one}}


def ran(out: str, rc: int = 0) -> dict:
    return {"rc": rc, "out": out, "err": ""}


def world(*values: str, signed: object = True, key: bytes = KEY) -> EmptyServer:
    """A server with a key, and what the DNS says of it."""
    have = EmptyServer()
    have[OWN] = ran(f'[{{"prefsrc": "{ADDRESS}"}}]\n[]')
    have[REACHED] = {"address": ADDRESS}
    have[UPDATES] = {"accepted": True}
    have[RECORD.signed] = (
        {"zone": "example.test", "signed": signed}
        if isinstance(signed, bool)
        else {"error": signed}
    )
    have[key_fact(S)] = ran(base64.b64encode(key).decode()) if key else ran("", 1)
    have[RECORD.question] = said(*values)
    return have


# the key


@pytest.mark.parametrize(
    "values",
    [
        [f"3 1 1 {DIGEST}"],
        [f"3 1 1 {DIGEST.upper()}"],
        [f"3 1 1 {DIGEST[:32]} {DIGEST[32:]}"],
        [f"3 1 2 {hashlib.sha512(KEY).hexdigest()}"],
        [f"3 1 0 {KEY.hex()}"],
        [f"3 1 1 {'ab' * 32}", f"3 1 1 {DIGEST}"],  # one key follows another
    ],
)
def test_a_promise_that_is_kept(values):
    have = world(*values)
    assert RECORD.verdict(have).state == RIGHT and RECORD.gap(have) == ""


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (f"3 1 1 {'ab' * 32}", "differs"),
        (f"3 1 1 {DIGEST[:-2]}", "differs"),
        (f"3 0 1 {DIGEST}", "short-lived"),
        (f"1 1 1 {DIGEST}", "wrong-type"),
        (f"0 0 1 {DIGEST}", "wrong-type"),
    ],
)
def test_a_broken_promise_is_named_and_mended(value, kind):
    have = world(value)
    assert RECORD.verdict(have).state == WRONG
    told = RECORD.gap(have)
    assert told.kind == kind and value in told and f"3 1 1 {DIGEST}" in told
    (change,) = RECORD.fix(have)
    assert (change.name, change.type) == ("_25._tcp.mail.example.test", "TLSA")
    assert change.values == (f"3 1 1 {DIGEST}",) and change.remove is None


def test_somebody_who_promises_an_authority_is_left_alone():
    have = world(f"2 1 1 {'ab' * 32}")
    assert isinstance(RECORD.gap(have), Unsure)


def test_without_a_promise():
    assert RECORD.verdict(world()).state == MISSING
    assert RECORD.gap(world()).kind == "missing"


def test_an_unsigned_zone_promises_nothing():
    have = world(signed=False)
    assert RECORD.record(have) is None and RECORD.gap(have) == ""
    assert not RECORD.fix(have)
    assert "is not signed" in RECORD.evidence(have)


def test_what_could_not_be_told_is_no_gap():
    for have in (world(signed="no answer"), world(key=b"")):
        assert RECORD.verdict(have).state == UNKNOWN
        assert isinstance(RECORD.gap(have), Unsure) and not RECORD.fix(have)
    assert isinstance(RECORD.gap(EmptyServer()), Unsure)


def test_the_key_is_read_from_the_certificate(tmp_path):
    """The command itself, on a certificate made for the purpose."""
    there = tmp_path / "live"
    there.mkdir()
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc "
        f"-subj /CN=x -keyout {there}/privkey.pem -out {there}/fullchain.pem",
        shell=True,
        check=True,
        capture_output=True,
    )
    command = key_fact(S)[1].replace(S.cert_dir, str(there))
    told = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    public = subprocess.run(
        ["openssl", "pkey", "-in", there / "privkey.pem", "-pubout", "-outform", "DER"],
        capture_output=True,
        check=True,
    )
    assert told.returncode == 0 and base64.b64decode(told.stdout) == public.stdout


def test_whether_a_zone_is_signed():
    names = SimpleNamespace(
        zone=lambda host: SimpleNamespace(name="example.test"),
        values=lambda name, kind: ["1 13 2 AB"] if kind == "DS" else [],
    )
    assert signed(names, S.hostname) == {"zone": "example.test", "signed": True}
    names.values = lambda name, kind: []
    assert signed(names, S.hostname)["signed"] is False


def test_a_renewal_keeps_the_key_whoever_signs():
    (thing,) = same_key(S)
    assert "reuse_key = True" in thing.unless and S.hostname in thing.unless
    assert not list(same_key(replace(S, tls="self-signed", sni=False)))
    assert "--reuse-key" in ask(S)
    assert "--reuse-key" not in ask_for(S, "mail.second.test")


def test_an_older_renewal_file_is_changed_and_once_only(tmp_path):
    conf = tmp_path / "mail.example.test.conf"
    conf.write_text(
        "version = 2.1.0\n[renewalparams]\nkey_type = ecdsa\n[[webroot_map]]\n"
    )
    (thing,) = same_key(S)
    kept = f"/etc/letsencrypt/renewal/{S.hostname}.conf"
    for _ in range(2):
        subprocess.run(thing.command.replace(kept, str(conf)), shell=True, check=True)
    assert conf.read_text().splitlines() == [
        "version = 2.1.0", "[renewalparams]", "reuse_key = True", "key_type = ecdsa", "[[webroot_map]]",
    ]  # fmt: skip
    done = subprocess.run(thing.unless.replace(kept, str(conf)), shell=True)
    assert done.returncode == 0


# the policy


@pytest.mark.parametrize("mode", ["none", "testing", "enforce"])
def test_the_policy_is_read_as_it_was_meant(mode):
    found = wanted.read(wanted.policy(replace(S, mta_sts=mode)))
    assert found.why == "" and found.mode == mode
    assert found.mx == ("mail.example.test",)
    assert found.lets("MAIL.example.test.") and not found.lets("mx.example.test")


def test_the_edition_follows_the_content():
    texts = {wanted.text(replace(S, mta_sts=m)) for m in ("none", "testing", "enforce")}
    texts.add(wanted.text(replace(S, hostname="mx.example.test")))
    assert len(texts) == 4 and wanted.text(S) == wanted.text(
        replace(S, domain="b.test")
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "version"),
        ("version: STSv2\nmode: testing\nmx: a.test\nmax_age: 1\n", "version"),
        ("version: STSv1\nmode: strict\nmx: a.test\nmax_age: 1\n", "strict"),
        ("version: STSv1\nmode: testing\nmx: a.test\n", "max_age"),
        ("version: STSv1\nmode: testing\nmx: a.test\nmax_age: soon\n", "soon"),
        ("version: STSv1\nmode: enforce\nmax_age: 86400\n", "no server"),
        ("<html>404</html>", "version"),
    ],
)
def test_a_broken_policy(body, words):
    assert words in wanted.read(body).why


def test_a_star_stands_for_one_label():
    found = wanted.read(
        "version: STSv1\r\nmode: testing\r\nmx: *.a.test\r\nmax_age: 1\r\n"
    )
    assert found.lets("mx.a.test") and not found.lets("a.test")
    assert not found.lets("x.mx.a.test")


def test_without_an_authority_there_is_no_policy():
    """Nobody believes a certificate that we signed ourselves."""
    lean = replace(S, tls="self-signed", sni=False)
    assert lean.sts == "" and problems.of(lean) == []
    assert "sni" in " ".join(problems.of(replace(lean, sni=True)))
    assert "mta_sts" in " ".join(problems.of(replace(S, mta_sts="always")))


EDITION = DnsRecord("sts", S)


@pytest.mark.parametrize(
    ("values", "state", "kind"),
    [
        ([wanted.text(S)], RIGHT, ""),
        (["other=1", wanted.text(S).replace("; ", ";")], RIGHT, ""),
        ([], MISSING, "missing"),
        (["v=STSv1; id=1;"], WRONG, "stale"),
        (["v=STSv1;"], WRONG, "malformed"),
        (["v=STSv1; id=a-b;"], WRONG, "malformed"),
        ([wanted.text(S), "v=STSv1; id=2;"], WRONG, "several"),
    ],
)
def test_the_announcement(values, state, kind):
    have = world()
    have[EDITION.question] = said(*values)
    found = EDITION.verdict(have)
    assert found.state == state and found.is_.kind == kind
    if state != RIGHT:
        assert [f.values for f in EDITION.fix(have)] == [(wanted.text(S),)]


# the further names

FURTHER = SniNames("mail", S, ACME)
CERTIFICATES = NameCertificates(FURTHER, ask_for)
FILE = NamesFile("/etc/dovecot/conf.d/99-ispguide-names.conf", FURTHER)
POSTFIX = SniMap(FURTHER)


def seen(states: dict[str, str], leads: dict[str, object] | None = None) -> EmptyServer:
    """The server tells these names; the world, where they lead."""
    have = world()
    lines = "".join(f"{name} {state}\n" for name, state in states.items())
    have[FURTHER.look] = ran(f"{lines}end\n")
    have[FURTHER.leading] = {n: [ADDRESS] for n in states} if leads is None else leads
    return have


def test_a_name_that_leads_here_gets_a_certificate_before_it_is_used():
    have = seen({"mail.second.test": "none", "mail.third.test": "good"})
    gap = CERTIFICATES.gap(have)
    assert gap.kind == "missing" and "mail.second.test" in gap
    assert "mail.third.test" not in gap
    (action,) = CERTIFICATES.fix(have)
    assert isinstance(action, Run) and "-d mail.second.test" in action.command
    # The files wait for it: they are written once, when it is there.
    assert FILE.fix(have) == () and POSTFIX.fix(have) == ()


def test_names_with_certificates_are_shown_by_every_program():
    have = seen({"mail.second.test": "good", "mail.third.test": "good"})
    assert CERTIFICATES.gap(have) == "" and "mail.third.test" in CERTIFICATES.evidence(
        have
    )
    assert FILE.gap(have).kind == "missing"
    (write,) = FILE.fix(have)
    assert isinstance(write, Write)
    assert write.text.count("local_name mail.second.test {") == 1
    assert "</etc/letsencrypt/live/mail.third.test/privkey.pem" in write.text
    gap = POSTFIX.gap(have)
    assert gap.kind == "differs" and "mail.second.test = /etc/letsencrypt" in gap
    have[facts.postconf()] = {MAP: POSTFIX.wanted(have)}
    have[facts.file(FILE.path)] = {
        "kind": "file", "text": write.text, "mode": "0644", "owner": "root", "group": "root",
    }  # fmt: skip
    assert FILE.gap(have) == POSTFIX.gap(have) == ""


def test_a_domain_that_went_takes_its_name_along():
    have = seen({"mail.second.test": "good"})
    have[facts.postconf()] = {MAP: POSTFIX.wanted(have)}
    gone = seen({})
    gone[facts.postconf()] = have[facts.postconf()]
    assert POSTFIX.wanted(gone) == "" and POSTFIX.gap(gone).kind == "differs"
    assert FILE.gap(gone) == ""  # there is none, and none is needed


@pytest.mark.parametrize(
    ("leads", "told"),
    [
        ([], "nowhere"),
        (["203.0.113.9"], "203.0.113.9"),
        ([ADDRESS, "203.0.113.9"], "203.0.113.9"),
        ({"error": "too late"}, "too late"),
    ],
)
def test_a_name_that_leads_elsewhere_is_told_and_stops_nobody(leads, told):
    have = seen({"mail.second.test": "none"}, {"mail.second.test": leads})
    gap = CERTIFICATES.gap(have)
    assert isinstance(gap, Unsure) and "mail.second.test" in gap and told in gap
    assert not CERTIFICATES.fix(have)
    assert FILE.gap(have) == POSTFIX.gap(have) == ""


def test_before_the_server_can_tell():
    for thing in (CERTIFICATES, FILE, POSTFIX):
        assert isinstance(thing.gap(EmptyServer()), Unsure)
    # … and somebody who only reads the guide sees what would be typed.
    (shown,) = CERTIFICATES.fix(EmptyServer())
    assert "--cert-name mail.example.test" in shown.command


def test_one_name_for_all():
    off = SniMap(None)
    have = EmptyServer()
    assert off.gap(have) == "", "what was never set stays unset"
    have[facts.postconf()] = {MAP: "inline:{ { mail.second.test = /x } }"}
    assert off.gap(have) and off.fix(have)


def test_where_the_names_lead_is_asked_of_the_names_told():
    def addresses(name: str) -> list[str]:
        if name != "mail.second.test":
            raise NoAnswer("silence")
        return [ADDRESS]

    names = SimpleNamespace(addresses=addresses, absent="fourth.test".__eq__)
    lines = "mail.second.test good\nmail.third.test none\nmail.fourth.test none\nend\n"
    assert leading(names, ran(lines)) == {
        "mail.second.test": [ADDRESS],
        "mail.third.test": {"error": "silence"},
        "mail.fourth.test": [],
    }
    assert leading(names, ran("", 75)) == {}


def test_the_look_itself(tmp_path):
    """The command, in a folder like certbot's, with a database that is a script."""
    live, renewal = tmp_path / "live", tmp_path / "renewal"
    renewal.mkdir(parents=True)
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -subj /CN=x "
    for name, days, host, server in (
        ("mail.second.test", 30, "mail.second.test", ACME),
        ("mail.third.test", 30, "mail.other.test", ACME),
        ("mail.fourth.test", 3, "mail.fourth.test", ACME),
        ("mail.fifth.test", 30, "mail.fifth.test", "https://elsewhere.test/dir"),
    ):
        (live / name).mkdir(parents=True)
        subprocess.run(
            f"{make} -days {days} -addext subjectAltName=DNS:{host} "
            f"-keyout /dev/null -out {live / name}/fullchain.pem",
            shell=True,
            check=True,
            capture_output=True,
        )
        (renewal / f"{name}.conf").write_text(f"server = {server}\n")
    words = "example second third fourth fifth sixth"
    mariadb = tmp_path / "mariadb"
    mariadb.write_text(f"#!/bin/sh\nprintf '%s.test\\n' {words}\n")
    mariadb.chmod(0o755)
    command = FURTHER.look[1].replace("/etc/letsencrypt", str(tmp_path))
    done = subprocess.run(
        ["sh", "-c", f"PATH={tmp_path}:$PATH\n{command}"],
        capture_output=True,
        text=True,
    )
    said = {"rc": done.returncode, "out": done.stdout, "err": done.stderr}
    assert FURTHER.states(said) == {
        "mail.second.test": "good",
        "mail.third.test": "bad",
        "mail.fourth.test": "bad",
        "mail.fifth.test": "bad",
        "mail.sixth.test": "none",
    }, done.stderr
    assert "autoconfig.second.test none\n" in done.stdout, "all in one look"


def test_nothing_waits_for_a_promise():
    """A name that is not in the DNS yet must not keep the seals of chapter 15 waiting."""
    dkim = next(c for c in GUIDE if c.name == "dkim")
    ground = {str(step) for step in rests_on(GUIDE, dkim["keys"])}
    assert "dns.mail_exchanger" in ground
    assert not ground & {"dns.tlsa_record", "dns.mta_sts_policy", "dns.sni_names"}
