"""Aggregate reports, honest and hostile; the policy and the mailbox as things."""

from __future__ import annotations

import gzip
import io
import zipfile
from dataclasses import replace
from email.message import EmailMessage

import pytest

from ispguide.engine import problems
from ispguide.engine.export import EmptyServer
from ispguide.engine.gaps import Unsure
from ispguide.engine.settings import Settings
from ispguide.mail.dmarc.reports import (
    MOST,
    ROWS,
    NoReport,
    advice,
    newest_first,
    of_mail,
    of_xml,
    sources,
    unpacked,
)
from ispguide.mail.dmarc.things import DmarcPolicy, ReportsMailbox, policy
from ispguide.mail.dns.thing import OWN, REACHED, UPDATES, DnsRecord

S = Settings("mail.example.test", "example.test", "postmaster@example.test")
OURS, SHOP, FORGER = "198.18.3.10", "203.0.113.5", "192.0.2.66"


def row(address=OURS, count="2", dkim="pass", spf="pass", more="") -> str:
    return f"""<record><row><source_ip>{address}</source_ip><count>{count}</count>
      <policy_evaluated><disposition>none</disposition><dkim>{dkim}</dkim><spf>{spf}</spf>
      {more}</policy_evaluated></row>
      <identifiers><header_from>example.test</header_from></identifiers>
      <auth_results><dkim><domain>example.test</domain><selector>s1</selector>
      <result>{dkim}</result></dkim><spf><domain>example.test</domain>
      <result>{spf}</result></spf></auth_results></record>"""


def xml(*rows: str, head: str = "", space: str = "", org: str = "friend.test", end: int = 1800086399) -> bytes:  # fmt: skip
    return f"""<?xml version="1.0" encoding="UTF-8"?>{head}<feedback{space}>
      <report_metadata><org_name>{org}</org_name><email>r@{org}</email>
      <report_id>42</report_id><date_range><begin>1800000000</begin>
      <end>{end}</end></date_range></report_metadata>
      <policy_published><domain>Example.Test</domain><p>none</p></policy_published>
      {"".join(rows) or row()}</feedback>""".encode()


def zipped(data: bytes, name: str = "r.xml") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def mail(data: bytes, name: str = "friend.test!example.test!1!2!.xml.gz", kind: str = "gzip") -> bytes:  # fmt: skip
    message = EmailMessage()
    message["Subject"] = "Report Domain: example.test Submitter: friend.test"
    message.set_content("This is an aggregate report.")
    message.add_attachment(data, maintype="application", subtype=kind, filename=name)
    return message.as_bytes()


def test_a_report_is_read():
    more = "<reason><type>forwarded</type></reason>"
    report = of_xml(xml(row(), row(FORGER, "7", "fail", "fail", more)))
    assert (report.org, report.domain, report.policy) == ("friend.test", "example.test", "none")  # fmt: skip
    assert (report.begin, report.end) == (1800000000, 1800086399)
    assert (report.count, report.passed) == (9, 2)
    assert report.rows[0].signed == (("example.test", "s1", "pass"),)
    assert report.rows[1].reasons == ("forwarded",) and not report.rows[1].passed


PACKED = [
    (gzip.compress(xml()), "r.xml.gz", "gzip"),
    (zipped(xml()), "r.zip", "zip"),
    (zipped(xml()), "r.zip", "x-zip-compressed"),
    (xml(), "r.xml", "xml"),
    (gzip.compress(xml()), "named-wrongly.zip", "octet-stream"),
]


@pytest.mark.parametrize(("data", "name", "kind"), PACKED)
def test_however_it_is_packed(data, name, kind):
    (report,) = of_mail(mail(data, name, kind))
    assert report.count == 2


def test_with_the_schema_before_each_word():
    assert of_xml(xml(space=' xmlns="urn:ietf:params:xml:ns:dmarc-2.0"')).count == 2


LAUGHS = """<!DOCTYPE feedback [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
  <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>"""
FILE = '<!DOCTYPE feedback [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
HOSTILE = [
    (xml(head=LAUGHS, org="&c;"), "dtd"),
    (xml(head=FILE, org="&x;"), "dtd"),
    (xml(head='<!DOCTYPE feedback SYSTEM "http://192.0.2.1/x.dtd">'), "dtd"),
    (b"<feedback>", "not-xml"),
    (b"", "not-xml"),
    (b"\x00\xff" * 50, "not-xml"),
    (b"<html/>", "not-a-report"),
    (b"<feedback/>", "not-a-report"),
    (xml(row(count="many")), "not-a-number"),
    (xml(row(count="9" * 40)), "not-a-number"),
    (xml(row(address="&lt;script&gt;")), "not-an-address"),
    (xml(row(address="here")), "not-an-address"),
    (xml(*[row()] * (ROWS + 1)), "too-big"),
    (gzip.compress(xml())[:60], "not-xml"),
    (zipped(xml())[:-30], "not-unpacked"),
    (zipped(xml(), "r.exe"), "no-xml-inside"),
    (gzip.compress(b" " * (MOST + 1)), "too-big"),
    (zipped(b" " * (MOST + 1)), "too-big"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "kind"), HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_report_is_refused_and_named(data, kind):
    with pytest.raises(NoReport) as stop:
        of_mail(mail(data, "r.xml"))
    assert stop.value.kind == kind and str(stop.value).startswith("r.xml: ")


def test_a_bomb_is_not_unpacked():
    """200 MB in 200 kB: unpacking stops at the limit."""
    import tracemalloc

    data = gzip.compress(bytes(40 * MOST), 9)
    tracemalloc.start()
    with pytest.raises(NoReport):
        unpacked(data)
    assert tracemalloc.get_traced_memory()[1] < 6 * MOST
    tracemalloc.stop()


def test_a_letter_without_a_report():
    message = EmailMessage()
    message.set_content("Report domain: hello")
    with pytest.raises(NoReport) as stop:
        of_mail(message.as_bytes())
    assert stop.value.kind == "nothing-attached"


def test_texts_are_cut_and_plain():
    org = "x" * 500 + "\u202e"
    report = of_xml(xml(org=org))
    assert len(report.org) == 200 and report.org.isprintable()


def test_each_report_counts_once_and_the_newest_is_first():
    one, two = of_xml(xml()), of_xml(xml(org="a.test", end=1800086400))
    for came in ([one, two, one], [two, one, one], [one, one, two]):
        assert newest_first(came) == [two, one]


def test_who_sent_is_added_up():
    a = of_xml(xml(row(count="5"), row(FORGER, "7", "fail", "fail")))
    b = of_xml(xml(row(count="3"), row(SHOP, "1", "pass", "fail"), org="other.test"))
    ours, forger, shop = sorted(sources([a, b], [OURS]), key=lambda s: -s.count)
    assert (ours.address, ours.ours, ours.count, ours.failed) == (OURS, True, 8, 0)
    assert (forger.passed, forger.failed, forger.ours) == (0, 7, False)
    assert shop.names == ("example.test",)


ADVICE = [
    ([], "none", "No report has come yet"),
    ([row()], "", "raise the policy to quarantine"),
    ([row(), row(FORGER, "7", "fail", "fail")], "none", "7 letters of others"),
    ([row()], "quarantine", "raise the policy to reject"),
    ([row()], "reject", "forgeries are refused"),
    ([row(dkim="fail", spf="fail")], "none", "from your own server failed"),
    ([row(), row(SHOP), row(SHOP, dkim="fail", spf="fail")], "none", "a service that sends"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "now", "words"), ADVICE)
def test_when_to_raise(rows, now, words):
    reports = [of_xml(xml(*rows))] if rows else []
    assert words in advice(reports, [OURS], now)


# things


def world(*values: str, updates: bool = True) -> EmptyServer:
    have = EmptyServer()
    have[OWN] = {"rc": 0, "out": f'[{{"prefsrc":"{OURS}"}}]\n', "err": ""}
    have[REACHED], have[UPDATES] = {"address": OURS}, {"accepted": updates}
    one = {"values": list(values), "ttl": 60, "alias": ""}
    question = DnsRecord("dmarc", S).question
    have[question] = {"zone": "example.test", "ttl": 60, "servers": {"ns1": one}}
    return have


def asks(word: str) -> DmarcPolicy:
    return DmarcPolicy(replace(S, dmarc_policy=word))


@pytest.mark.parametrize("there", ["none", "quarantine", "reject"])
def test_who_has_not_decided_keeps_what_is_there(there):
    have = world(f"v=DMARC1; p={there}; rua=mailto:x@example.test")
    assert asks("").gap(have) == ""


RAISES = [
    ("v=DMARC1; p=none; rua=mailto:x@y.test; pct=100", "quarantine",
     "v=DMARC1; p=quarantine; rua=mailto:x@y.test; pct=100"),
    ("v=DMARC1;p=quarantine;sp=none", "reject", "v=DMARC1;p=reject;sp=none"),
    ("v=DMARC1; p = Reject", "none", "v=DMARC1; p=none"),
]  # fmt: skip


@pytest.mark.parametrize(("there", "word", "after"), RAISES)
def test_only_the_word_is_changed(there, word, after):
    have = world("other text", there)
    gap = asks(word).gap(have)
    assert gap.kind == "differs" and repr(there) in gap and repr(after) in gap
    (fix,) = asks(word).fix(have)
    assert fix.remove == (there,) and fix.values == (after,)
    assert asks(word).gap(world(after)) == ""


def test_without_a_key_the_form_is_named():
    have = world("v=DMARC1; p=none", updates=False)
    gap = asks("reject").gap(have)
    assert gap.kind == "differs" and "_dmarc" in gap and "'v=DMARC1; p=reject'" in gap
    assert not asks("reject").fix(have)


def test_missing_and_broken_are_mended_too():
    for there in ([], ["v=DMARC1; p=refuse"]):
        (fix,) = asks("reject").fix(world(*there))
        assert (
            policy(fix.values[0]) == "reject" and "rua=mailto:dmarc@" in fix.values[0]
        )


def test_before_anything_is_known():
    assert isinstance(asks("reject").gap(EmptyServer()), Unsure)
    assert not asks("reject").fix(EmptyServer())


def test_the_mailbox_for_reports():
    box, have = ReportsMailbox("example.test"), EmptyServer()
    assert box.gap(have).kind == "no-answer"
    have[box.others] = {"rows": []}
    have[box.question] = {"rows": []}
    assert box.gap(have).kind == "missing" and "dmarc@example.test" in box.gap(have)
    (fix,) = box.fix(have)
    assert "{CRYPT}!" in fix.stdin and not fix.hashes
    have[box.question] = {"rows": [["anna@example.test"]]}
    assert box.gap(have) == "" and box.evidence(have) == "anna@example.test"


def test_reports_about_other_domains_come_to_the_same_mailbox():
    box, have = ReportsMailbox("example.test"), EmptyServer()
    have[box.question] = {"rows": [["dmarc@example.test"]]}
    have[box.others] = {"rows": [["second.test"]]}
    told = box.gap(have)
    assert told.kind == "missing"
    assert "dmarc@second.test" in told and "dmarc@example.test" in told
    (fix,) = box.fix(have)
    assert "INSERT IGNORE INTO mailserver.virtual_aliases" in fix.stdin


@pytest.mark.parametrize("word", ["refuse", "None", "p=none"])
def test_a_policy_that_is_none(word):
    assert any("dmarc_policy" in p for p in problems.of(replace(S, dmarc_policy=word)))
