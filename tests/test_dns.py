"""The DNS coach as tables of plain values: what is wanted, what is meant, what to say."""

from __future__ import annotations

from dataclasses import replace

import dns.zone
import pytest

from ispguide.engine import facts
from ispguide.engine.export import EmptyServer
from ispguide.engine.gaps import Gap, Unsure
from ispguide.engine.settings import Settings
from ispguide.mail.dns import compare, policies, spf
from ispguide.mail.dns.compare import (
    MISSING,
    RIGHT,
    UNKNOWN,
    WRONG,
    Verdict,
    judge,
    proposal,
)
from ispguide.mail.dns.judges import More
from ispguide.mail.dns.records import LEVELS, Record, pieces, shapes, zone_file
from ispguide.mail.dns.thing import OWN, REACHED, UPDATES, DnsRecord, Publish, addresses
from ispguide.mail.dns.wanted import SERVICES, Addresses, find, wanted
from ispguide.outside.updates import noted, published
from ispguide.tasks.dns import Note, Propagation
from ispguide.views import dns as spread_html

S = Settings("mail.example.test", "example.test", "postmaster@example.test")
AT = Addresses("198.18.3.10", "2001:db8:3::10")
MAIL = "mail.example.test"
KEYS = [record.key for record in wanted(S, AT)]
TARGETS = {
    MAIL: {"addresses": [*AT], "alias": ""},
    "other.test": {"addresses": ["203.0.113.9"], "alias": ""},
    "twin.example.test": {"addresses": [AT.four], "alias": ""},
    "alias.example.test": {"addresses": [AT.four], "alias": MAIL},
    "lost.test": {"error": "no answer within 2 seconds"},
}


def walked(text: str, zone: dict[tuple[str, str], list[str]] | None = None) -> dict:
    """An SPF record of example.test, followed in a world of these records."""
    world = {
        ("example.test", "MX"): [f"10 {MAIL}."],
        (MAIL, "A"): [AT.four],
        (MAIL, "AAAA"): [AT.six],
        **(zone or {}),
    }
    return spf.expand("example.test", text, lambda *asked: world.get(asked, []))


def said(*values: str, alias: str = "", **more: object) -> dict:
    """What one name server answers."""
    one = {"values": list(values), "ttl": 60, "alias": alias, **more}
    return {"zone": "example.test", "ttl": 60, "servers": {"ns1": one}}


def found(key: str, *values: str, alias: str = "", s: Settings = S, at: Addresses = AT):
    """The verdict on a record of which these values are there."""
    record = find(s, at, key)
    assert record
    texts = [v for v in values if spf.is_spf(v)]
    followed = walked(texts[0]) if len(texts) == 1 else {}
    return judge(record, said(*values, alias=alias), More(at, TARGETS, followed))


def test_what_a_server_needs():
    assert KEYS[:5] == ["address4", "address6", "reverse4", "reverse6", "mx"]
    assert set(SERVICES) <= set(KEYS) and len(set(KEYS)) == len(KEYS)
    assert {record.level for record in wanted(S, AT)} == set(LEVELS)
    assert all(record.why for record in wanted(S, AT))
    assert find(S, AT, "submissions").values == (f"0 1 465 {MAIL}.",)


def test_what_a_server_without_ipv6_or_pop3_or_authority_needs():
    assert find(S, AT, "sieve").values == (), "its door is open to nobody outside"
    four = Addresses(AT.four)
    assert find(S, four, "address6").values == ()
    assert find(S, four, "reverse6") is None
    assert find(replace(S, pop3=False), AT, "pop3s").values == ()
    assert find(replace(S, tls="self-signed"), AT, "caa") is None
    other = replace(S, tls="acme-url", acme_url="https://a.test/", acme_name="a.test")
    assert find(other, AT, "caa").values == ('0 issue "a.test"',)


RIGHT_ONES = [
    ("address4", [AT.four]),
    ("address6", [AT.six]),
    ("reverse4", ["MAIL.example.test."]),
    ("mx", ["10 mail.example.test."]),
    ("mx", ["42 Mail.Example.Test."]),
    ("mx", ["10 twin.example.test."]),
    ("mx", ["10 mail.example.test.", "20 other.test."]),
    ("spf", ["v=spf1 mx -all"]),
    ("spf", ["google-site-verification=x", "v=spf1 mx -all"]),
    ("spf", ["V=SPF1 ip4:198.18.3.0/24 ip6:2001:db8:3::/64 ~all"]),
    ("spf", ["v=spf1 a:mail.example.test -all"]),
    ("helo_spf", ["v=spf1 a:mail.example.test -all"]),
    ("dmarc", ["v=DMARC1; p=none"]),
    ("dmarc", ["v=DMARC1;p=reject;rua=mailto:a@b.test,mailto:c@d.test!10m;pct=50"]),
    ("dmarc", ["some other text", "v=DMARC1; p=quarantine; sp=reject; adkim=s"]),
    ("tls_reports", ["v=TLSRPTv1; rua=https://reports.example.test/"]),
    ("caa", ['0 issue "LetsEncrypt.org; accounturi=https://x"', '0 issue "b.test"']),
    ("submissions", ["5 9 465 MAIL.example.test."]),
    ("autoconfig", [AT.four]),
]


@pytest.mark.parametrize(("key", "values"), RIGHT_ONES)
def test_other_words_for_the_same(key, values):
    assert found(key, *values).state == RIGHT, found(key, *values)


def test_an_alias_may_be_the_way_to_autoconfig_but_not_to_the_server():
    assert found("autoconfig", AT.four, alias=MAIL).state == RIGHT
    verdict = found("address4", AT.four, alias="web.example.test")
    assert verdict.state == WRONG and verdict.is_.kind == "alias"


WRONG_ONES = [
    ("address4", ["203.0.113.9"], "elsewhere", "203.0.113.9"),
    ("address4", [AT.four, "203.0.113.9"], "elsewhere", "203.0.113.9"),
    ("reverse4", ["static.198.18.3.10.provider.test."], "generic", "provider.test"),
    ("reverse4", ["other.test."], "differs", "other.test"),
    ("reverse4", ["mail.example.test.", "www.example.test."], "several", "www.example.test"),
    ("mx", ["10 198.18.3.10."], "malformed", "198.18.3.10"),
    ("mx", ["10 alias.example.test."], "alias", "alias.example.test"),
    ("mx", ["10 other.test."], "elsewhere", "other.test"),
    ("mx", ["5 other.test.", "10 mail.example.test."], "elsewhere", "other.test"),
    ("mx", ["10 mail.example.test.", "10 other.test."], "elsewhere", "other.test"),
    ("mx", ["0 ."], "too-strict", "example.test"),
    ("spf", ["v=spf1 mx -all", "v=spf1 a -all"], "several", "'v=spf1 a -all'"),
    ("spf", ["v=spf1 mx -al"], "malformed", "'-al'"),
    ("spf", ["v=spf1 ip4:2001:db8::1 -all"], "malformed", "'ip4:2001:db8::1'"),
    ("spf", ["v=spf1 ip4:198.18.3.300 -all"], "malformed", "'ip4:198.18.3.300'"),
    ("spf", ["v=spf1 include: -all"], "malformed", "'include:'"),
    ("spf", ["v=spf1 include:nowhere.test -all"], "malformed", "include:nowhere.test leads"),
    ("spf", ["v=spf1 ip4:203.0.113.9 -all"], "too-strict", "says fail of 198.18.3.10"),
    ("spf", ["v=spf1 ip4:198.18.3.10 -all"], "too-strict", "2001:db8:3::10"),
    ("spf", ["v=spf1 mx"], "weak", "'v=spf1 mx'"),
    ("spf", ["v=spf1 mx ?all"], "weak", "'v=spf1 mx ?all'"),
    ("spf", ["v=spf1 +all"], "too-open", "'v=spf1 +all'"),
    ("spf", ["v=spf1 " + "a:mail.example.test " * 11 + "-all"], "too-many", " 11 "),
    ("spf", ["v=spf1 a:x.test a:y.test a:z.test mx -all"], "dangling", " 3 "),
    ("dmarc", ["v=DMARC1; p=none", "v=DMARC1; p=reject"], "several", "'v=DMARC1; p=reject'"),
    ("dmarc", ["v=DMARC1 p=none"], "malformed", "v=DMARC1"),
    ("dmarc", ["v=dmarc1; p=none"], "malformed", "capitals"),
    ("dmarc", ["v=DMARC1; rua=mailto:a@b.test; p=none"], "malformed", "second"),
    ("dmarc", ["v=DMARC1; p=refuse"], "malformed", "p=refuse"),
    ("dmarc", ["v=DMARC1; p=none; rua=postmaster@example.test"], "malformed", "mailto:"),
    ("dmarc", ["v=DMARC1; p=none; pct=lots"], "malformed", "pct"),
    ("tls_reports", ["v=TLSRPTv1"], "malformed", "rua"),
    ("caa", ['0 issue "other.test"'], "too-strict", "other.test"),
    ("caa", ['0 issue ";"'], "too-strict", "nobody"),
    ("submissions", ["0 1 587 mail.example.test."], "elsewhere", "587"),
    ("imaps", ["0 1 993 other.test."], "elsewhere", "other.test"),
    ("autoconfig", ["203.0.113.9"], "elsewhere", "203.0.113.9"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "values", "kind", "told"), WRONG_ONES)
def test_what_is_wrong_is_said(key, values, kind, told):
    verdict = found(key, *values)
    assert verdict.state == WRONG, verdict
    assert verdict.is_.kind == kind and told in verdict.is_


@pytest.mark.parametrize("key", [r.key for r in wanted(S, AT) if r.values])
def test_each_can_be_missing(key):
    verdict = found(key)
    assert verdict.state == MISSING and verdict.is_.kind == "missing"


def test_other_texts_are_no_spf():
    verdict = found("spf", "google-site-verification=x")
    assert verdict.state == MISSING and "google-site" in verdict.is_


@pytest.mark.parametrize("key", ["address6", "pop3"])
def test_what_should_not_be_there(key):
    lean, four = replace(S, pop3=False), Addresses(AT.four)
    assert found(key, s=lean, at=four).state == RIGHT
    value = AT.six if key == "address6" else f"30 1 110 {MAIL}."
    verdict = found(key, value, s=lean, at=four)
    assert verdict.state == WRONG and verdict.is_.kind == "unwanted"


def test_could_not_tell_is_its_own_answer():
    record = find(S, AT, "mx")
    assert judge(record, {"error": "no network"}, More(AT)).state == UNKNOWN
    silent = {"zone": "example.test", "servers": {"ns1": {"error": "no answer"}}}
    assert judge(record, silent, More(AT)).state == UNKNOWN
    assert found("mx", "10 lost.test.").state == UNKNOWN
    assert found("spf", "v=spf1 exists:%{i}.x.test mx -all").state == UNKNOWN


def test_one_server_behind_the_others_is_named():
    answer = said(AT.four)
    old = {"values": ["203.0.113.9"], "ttl": 60, "alias": ""}
    answer["servers"] |= {"ns2": old, "ns3": {"error": "no answer"}}
    verdict = judge(find(S, AT, "address4"), answer, More(AT))
    assert verdict.state == WRONG
    assert "ns2" in verdict.is_ and "203.0.113.9" in verdict.is_


def test_lookups_are_counted_through_includes():
    zone = {("a.test", "TXT"): ["v=spf1 include:b.test mx -all"],
            ("b.test", "TXT"): ["v=spf1 a:mail.example.test ip4:203.0.113.0/24 -all"],
            ("a.test", "MX"): ["10 mail.example.test."]}  # fmt: skip
    node = walked("v=spf1 include:a.test redirect=b.test", zone)
    assert (node["lookups"], node["voids"], node["broken"]) == (6, 0, "")
    assert spf.verdict(node["terms"], "203.0.113.7") == "pass"
    assert spf.verdict(node["terms"], "203.0.114.7") == "fail"
    assert "include:b.test" in list(spf.words(node["terms"]))


def test_a_circle_of_includes_ends():
    zone = {("a.test", "TXT"): ["v=spf1 include:a.test -all"]}
    node = walked("v=spf1 include:a.test -all", zone)
    assert "circle" in node["broken"] and node["lookups"] > 10


@pytest.mark.parametrize(
    ("there", "proposed"),
    [
        ("v=spf1 include:shop.test ~all", "v=spf1 mx include:shop.test ~all"),
        ("v=spf1 +all", "v=spf1 mx -all"),
        ("v=spf1 nonsense", "v=spf1 mx -all"),
    ],
)
def test_others_on_the_list_stay_on_it(there, proposed):
    zone = {("shop.test", "TXT"): ["v=spf1 ip4:203.0.113.9 -all"]}
    more = More(AT, TARGETS, walked(there, zone))
    assert proposal(find(S, AT, "spf"), [there], more) == (proposed,)


THROUGH = replace(
    S,
    smarthost="mail.friend.test",
    smarthost_user="relay@friend.test",
    smarthost_spf="a:mail.friend.test",
)
#: friend.test has two addresses, and says who may send in its name.
FRIEND = {("mail.friend.test", "A"): ["203.0.113.20"],
          ("mail.friend.test", "AAAA"): ["2001:db8:9::20"],
          ("friend.test", "TXT"): ["v=spf1 a:mail.friend.test -all"]}  # fmt: skip


def followed(text: str) -> More:
    """The record, and besides it the word for the smarthost, followed."""
    other = walked(f"v=spf1 {THROUGH.smarthost_spf}", FRIEND)["terms"]
    others = {THROUGH.smarthost_spf: other}
    return More(AT, TARGETS, walked(text, FRIEND) | {"others": others})


def test_a_smarthost_is_let_in_by_what_is_wanted():
    assert find(THROUGH, AT, "spf").values == ("v=spf1 mx a:mail.friend.test -all",)
    silent = replace(THROUGH, smarthost_spf="")
    assert find(silent, AT, "spf").values == ("v=spf1 mx -all",)


@pytest.mark.parametrize(
    "text",
    [
        "v=spf1 mx a:mail.friend.test -all",
        "v=spf1 A:Mail.Friend.Test mx ip4:192.0.2.77 ~all",
        "v=spf1 mx +a:mail.friend.test -all",
        "v=spf1 mx include:friend.test -all",
        "v=spf1 mx ip4:203.0.113.0/24 ip6:2001:db8:9::/48 -all",
    ],
)
def test_who_lets_the_smarthost_in_is_right_whatever_the_words(text):
    verdict = judge(find(THROUGH, AT, "spf"), said(text), followed(text))
    assert verdict.state == RIGHT, verdict


@pytest.mark.parametrize(
    ("text", "proposed"),
    [
        ("v=spf1 mx -all", "v=spf1 a:mail.friend.test mx -all"),
        (
            "v=spf1 mx ip4:203.0.113.20 -all",
            "v=spf1 a:mail.friend.test mx ip4:203.0.113.20 -all",
        ),
        (
            "v=spf1 mx -all a:mail.friend.test",
            "v=spf1 a:mail.friend.test mx -all a:mail.friend.test",
        ),
        (
            "v=spf1 ip4:192.0.2.9 -all",
            "v=spf1 mx a:mail.friend.test ip4:192.0.2.9 -all",
        ),
    ],
)
def test_who_leaves_the_smarthost_out_is_told_and_nobody_else_is_lost(text, proposed):
    record, more = find(THROUGH, AT, "spf"), followed(text)
    verdict = judge(record, said(text), more)
    assert verdict.state == WRONG
    assert verdict.is_.kind == "too-strict"
    assert proposal(record, [text], more) == (proposed,)


def test_the_word_of_the_smarthost_is_asked_for():
    fact = facts.outside("sender", "example.test", "a:mail.friend.test")
    assert fact in list(DnsRecord("spf", THROUGH).facts())
    assert facts.outside("sender", "example.test") in list(DnsRecord("spf", S).facts())


def test_tags():
    assert policies.tags("v=DMARC1; p = none ;;rua=mailto:a@b.c") == {
        "v": "DMARC1", "p": "none", "rua": "mailto:a@b.c"}  # fmt: skip


# shapes


def test_shapes_for_every_form():
    one, two = (shapes(find(S, AT, k), "example.test")[0] for k in ("mx", "dmarc"))
    assert (one.relative, one.absolute) == ("@", "example.test.")
    assert one.fields == (("priority", "10"), ("server", f"{MAIL}."))
    assert two.relative == "_dmarc"
    assert two.line.startswith("v=DMARC1;") and two.pieces == f'"{two.line}"'
    assert two.zone == f"_dmarc.example.test. 3600 IN TXT {two.pieces}"


def test_long_texts_are_split_and_quotes_escaped():
    text = 'v=DKIM1; p="' + "é" * 300
    record = Record("x", "x.example.test", "TXT", (text,), "required", "")
    assert all(len(p.encode(errors="surrogateescape")) <= 255 for p in pieces(text))
    assert '\\"' in shapes(record, "example.test")[0].pieces
    assert shapes(record, "example.test")[0].pieces.count('" "') == 2


def test_the_zone_file_is_one():
    text = zone_file(wanted(S, AT), "example.test")
    head = "@ 60 IN SOA ns hostmaster 1 2 3 4 5\n@ 60 IN NS ns\nns 60 IN A 192.0.2.9\n"
    zone = dns.zone.from_text(f"$ORIGIN example.test.\n{head}{text}", "example.test")
    assert zone.get_rdataset("@", "MX")[0].exchange.to_text() == "mail"
    assert zone.get_rdataset("_dmarc", "TXT")[0].strings[0].startswith(b"v=DMARC1")
    assert len(zone.get_rdataset("mail", "A")) == 1
    reverse = [line for line in text.splitlines() if "IN PTR" in line]
    assert len(reverse) == 2 and all(line.startswith("; ") for line in reverse)


# things

ROUTES = (
    '[{"dst":"192.0.2.1","prefsrc":"198.18.3.10"}]\n'
    '[{"dst":"2001:db8::1","prefsrc":"2001:db8:3::10"}]\n'
)


def have(question, answer, updates=False, routes=ROUTES, reached=AT.four):
    world = EmptyServer()
    world[OWN] = {"rc": 0, "out": routes, "err": ""}
    world[UPDATES] = {"accepted": updates}
    world[REACHED] = {"address": reached}
    world[question] = answer
    return world


def test_own_addresses():
    world = have(("x",), {})
    assert addresses(world) == AT
    behind = '[{"prefsrc":"10.0.0.5"}]\n[{"prefsrc":"fd00::5"}]\n'
    world = have(("x",), {}, routes=behind, reached="203.0.113.5")
    assert addresses(world) == Addresses("203.0.113.5")
    assert addresses(have(("x",), {}, routes=behind, reached="10.0.0.5")) is None
    assert addresses(have(("x",), {}, routes="", reached="")) is None


def test_a_gap_has_three_parts_and_a_fix_where_there_is_a_key():
    thing = DnsRecord("address4", S)
    world = have(thing.question, said("203.0.113.9"), updates=True)
    gap = thing.gap(world)
    assert gap.kind == "elsewhere" and "203.0.113.9" in gap and AT.four in gap
    assert "can publish it itself" in gap
    (fix,) = thing.fix(world)
    assert fix == Publish("example.test", MAIL, "A", (AT.four,), None, 60)
    world = have(thing.question, said("203.0.113.9"))
    assert thing.fix(world) == ()
    assert "name mail, type A, value 198.18.3.10" in thing.gap(world)


def test_only_its_own_texts_are_replaced():
    thing = DnsRecord("spf", S)
    world = have(thing.question, said("v=spf1 a", "v=spf1 mx", "other"), updates=True)
    (fix,) = thing.fix(world)
    assert fix.remove == ("v=spf1 a", "v=spf1 mx")
    assert fix.values == ("v=spf1 mx -all",)


def test_optional_records_nag_nobody_who_must_type_them():
    thing = DnsRecord("imaps", S)
    assert thing.gap(have(thing.question, said())) == ""
    assert thing.gap(have(thing.question, said(), updates=True)).kind == "missing"
    wrong = thing.gap(have(thing.question, said(f"0 1 143 {MAIL}.")))
    assert wrong.kind == "elsewhere" and "143" in wrong


def test_the_panel_of_the_provider_is_named_for_reverse_names():
    thing = DnsRecord("reverse4", S)
    told = {AT.four: said("static.198-18-3-10.provider.test.")}
    gap = thing.gap(have(thing.question, told))
    assert gap.kind == "generic" and "mail.example.test" in gap
    assert compare.PANEL in gap
    assert isinstance(thing.gap(have(thing.question, {})), Unsure)


@pytest.mark.parametrize("key", KEYS)
def test_before_anything_is_known(key):
    thing = DnsRecord(key, S)
    assert str(thing) and list(thing.facts())
    assert isinstance(thing.gap(EmptyServer()), Unsure)
    assert thing.fix(EmptyServer()) == ()


# publishing


def test_a_change_as_one_would_type_it():
    change = Publish(
        "example.test", "example.test", "TXT", ("v=spf1 mx -all",), ("v=spf1 +all",), 60
    )
    typed = change.by_hand()
    assert typed.splitlines()[1:] == [
        "zone example.test.",
        "update delete example.test. CNAME",
        'update delete example.test. TXT "v=spf1 +all"',
        'update add example.test. 60 TXT "v=spf1 mx -all"',
        "send",
        "END",
    ]  # fmt: skip
    _, *lines = noted(change).command.splitlines()
    assert lines == [f"# {line}" for line in typed.splitlines()]


def test_without_a_key_nothing_is_published():
    change = Publish("example.test", "x.example.test", "A", (AT.four,))
    done = published([change], None, "127.0.0.1#1")
    assert done["ok"] is False and done["failed"] == 0 and "key" in done["evidence"]


def test_what_others_say_of_a_record_is_escaped():
    """The values are a stranger's: whoever keeps a resolver, or the zone."""
    record, evil = find(S, AT, "spf"), "<img src=x onerror=alert(1)>"
    kinds = (
        Verdict(WRONG, Gap("weak", evil), (evil,)),
        Verdict(UNKNOWN, Unsure(evil)),
    )
    told = [Note(record, f"ns<{i}>", True, v, (evil,), 60) for i, v in enumerate(kinds)]
    html = spread_html.to_html(Propagation(tuple(told), 0.0))
    assert html.count("&lt;img src=x") == 2 and "ns&lt;0&gt;" in html
    assert "<img" not in html and "<0>" not in html


def test_facts_are_few():
    things = [DnsRecord(key, S) for key in KEYS]
    asked = {f for t in things for f in t.facts() if f[0] == "outside"}
    assert facts.outside("updates") in asked
    assert len(asked) <= 25
