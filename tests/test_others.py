"""The other mail domains' records, as tables of plain values."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from ispguide.engine import facts
from ispguide.engine.export import EmptyServer
from ispguide.engine.gaps import Unsure
from ispguide.engine.settings import Settings
from ispguide.mail.dns import spf
from ispguide.mail.dns.others import OtherDomains, asked_about, other_records, question
from ispguide.mail.dns.thing import OWN, UPDATES, DnsRecord
from ispguide.outside.lookups import domain_records
from ispguide.outside.names import NoAnswer

S = Settings("mail.example.test", "example.test", "postmaster@example.test")
THING = OtherDomains(S)
MX = facts.outside("record", "second.test", "MX")
TXT = facts.outside("record", "second.test", "TXT")
DMARC = facts.outside("record", "_dmarc.second.test", "TXT")
WORLD = {
    ("second.test", "MX"): ["10 mail.example.test."],
    ("mail.example.test", "A"): ["198.18.3.10"],
}
SPF_WALKED = spf.expand(
    "second.test", "v=spf1 mx -all", lambda *asked: WORLD.get(asked, [])
)


def said(zone: str, *values: str, server: str = "ns1") -> dict:
    one = {"values": list(values), "ttl": 60, "alias": ""}
    return {"zone": zone, "ttl": 60, "servers": {server: one}}


def world(told: dict, *, accepted: bool = True) -> EmptyServer:
    """A server with example.test and second.test, and what the world says of them."""
    have = EmptyServer()
    have[question(S)] = {"rows": [["second.test"]]}
    have[OWN] = {
        "rc": 0,
        "out": '[{"prefsrc": "198.18.3.10"}]\n[]',
        "err": "",
    }
    have[UPDATES] = {"accepted": accepted}
    have[DnsRecord("mx", S).question] = said("example.test", "10 mail.example.test.")
    nothing = {fact: said("second.test") for fact in (MX, TXT, DMARC)}
    rows = [[list(f), a] for f, a in {**nothing, **told}.items()]
    have[facts.after("domains", question(S))] = {"told": rows}
    return have


def test_without_another_domain_there_is_nothing_to_do():
    have = world({})
    have[question(S)] = {"rows": []}
    assert THING.gap(have) == "" and not THING.fix(have)
    assert THING.evidence(have) == "There is no other mail domain."


def test_what_a_second_domain_lacks_is_named_and_published():
    have = world({})
    told = THING.gap(have)
    assert told.kind == "missing" and len(told.splitlines()) == 3, told
    for value in ("10 mail.example.test.", "v=spf1", "rua=mailto:dmarc@second.test"):
        assert value in told, told
    changes = [(f.zone, f.name, f.type) for f in THING.fix(have)]
    assert changes == [
        ("second.test", "second.test", "MX"),
        ("second.test", "second.test", "TXT"),
        ("second.test", "_dmarc.second.test", "TXT"),
    ]


def test_what_is_right_stays():
    mail = {"addresses": ["198.18.3.10"], "alias": ""}
    have = world(
        {
            MX: said("second.test", "10 mail.example.test."),
            facts.outside("targets", "second.test"): {"mail.example.test": mail},
            TXT: said("second.test", "v=spf1 mx -all", "some-shop=17"),
            facts.outside("sender", "second.test"): SPF_WALKED,
            DMARC: said("second.test", "v=DMARC1; p=reject; rua=mailto:a@b.test"),
        }
    )
    assert THING.gap(have) == "" and not THING.fix(have)


def test_a_zone_of_somebody_else_is_left_to_its_form():
    """The key for updates is for the first domain's name servers."""
    for have in (
        world({MX: said("second.test", server="ns.elsewhere.test")}),
        world({}, accepted=False),
    ):
        first = next(iter(other_records(S, have)))
        gap = first.gap(have)
        assert gap.kind == "missing" and "zone second.test" in gap
        assert not first.fix(have)


@pytest.mark.parametrize("zone", ["test", ""])
def test_a_zone_that_nobody_keeps_could_not_be_told(zone):
    have = world({f: said(zone) for f in (MX, TXT, DMARC)})
    told = THING.gap(have)
    assert isinstance(told, Unsure) and "second.test" in told
    assert not THING.fix(have)


def test_before_anything_is_known():
    assert isinstance(THING.gap(EmptyServer()), Unsure)
    have = world({})
    have[facts.after("domains", question(S))] = {"error": "no way to the internet"}
    assert isinstance(THING.gap(have), Unsure) and not THING.fix(have)


def test_the_records_have_names_of_their_own():
    keys = [record.key for record in other_records(S, world({}))]
    own = ["mx", "spf", "dmarc", "sts_name", "sts", "autoconfig", "autodiscover"]
    assert keys == [f"{key} second.test" for key in own]
    lean = replace(S, mta_sts="", sni=True, autoconfig=False)
    keys = [record.key for record in other_records(lean, world({}))]
    assert keys == [f"{key} second.test" for key in (*own[:3], "sni_name")]


def test_everything_is_asked_that_is_judged(monkeypatch):
    from ispguide.outside import lookups

    monkeypatch.setattr(
        lookups, "QUESTIONS", {k: lambda *asked: list(asked) for k in lookups.QUESTIONS}
    )
    names = SimpleNamespace(zone=lambda name: SimpleNamespace(name=name))
    told = domain_records(names, {"rows": [["second.test"], ["third.test"]]})["told"]
    assert [tuple(fact) for fact, _ in told] == [
        *asked_about("second.test"), *asked_about("third.test"),
    ]  # fmt: skip
    assert {MX, TXT, DMARC} <= set(asked_about("second.test"))
    assert domain_records(names, {"error": "no database"}) == {"error": "no database"}


def test_where_nobody_keeps_a_zone_nothing_more_is_asked():
    names = SimpleNamespace(zone=lambda name: SimpleNamespace(name="test"))
    told = domain_records(names, {"rows": [["second.test"]]})["told"]
    assert [tuple(fact) for fact, _ in told] == asked_about("second.test")
    errors = {answer["error"] for _, answer in told}
    assert errors == {"nobody keeps a zone for second.test"}


def test_why_a_zone_was_not_found_is_said_of_each_record():
    def silent(name):
        raise NoAnswer("no name server answers")

    told = domain_records(SimpleNamespace(zone=silent), {"rows": [["second.test"]]})
    answer = {tuple(f): a for f, a in told["told"]}[MX]
    assert answer == {"error": "no name server answers"}
