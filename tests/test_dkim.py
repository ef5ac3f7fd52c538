"""Keys, signers and rotation as tables of plain values; signatures with dkimpy."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from functools import cache

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ispguide.engine.export import EmptyServer
from ispguide.engine.gaps import Unsure
from ispguide.engine.settings import Settings
from ispguide.mail.dkim import rotation
from ispguide.mail.dkim.keys import (
    HEAD,
    LOOK,
    MAP,
    Entry,
    Key,
    entries,
    read,
    with_entries,
)
from ispguide.mail.dkim.records import THERE, DkimRecords, KeyRecord
from ispguide.mail.dkim.rotation import QUEUE, turns
from ispguide.mail.dkim.things import DkimKeys, DkimSigners
from ispguide.mail.dns.compare import RIGHT, UNKNOWN, WRONG
from ispguide.mail.dns.keys import bits, numbers
from ispguide.mail.dns.records import shapes
from ispguide.mail.dns.thing import UPDATES, Publish
from ispguide.proofs.authentication import signature
from ispguide.proofs.messages import message
from ispguide.tasks import dns as coach

from .fake import FakeServer, guide_of

D, OTHER = "example.test", "second.test"
S = Settings("mail.example.test", D, "postmaster@example.test", dkim_overlap_days=0)
NOW = 1_800_000_000


@cache
def _made(size: int, number: int):
    return rsa.generate_private_key(65537, size)


def made(size: int = 2048, number: int = 1):
    return _made(size, number)


def half(size: int = 2048, number: int = 1) -> str:
    """A public key as openssl prints it."""
    public = made(size, number).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def key(
    selector: str, age: int = 1000, domain: str = D, number: int = 1, **more
) -> Key:
    return Key(domain, selector, NOW - age, half(number=number), **more)


OLD, NEW = key("old", 9000), key("new", 100, number=2)


def looked(*keys: Key, list_: str = "", domains=(D,), listed: int = NOW - 8000) -> dict:
    """What the server says of these keys."""
    rows = [f"now\t{NOW}", *(f"domain\t{d}" for d in domains)]
    for k in keys:
        able = "yes" if k.readable else "no"
        fields = (
            f"{k.domain}.{k.selector}.key",
            able,
            k.mode,
            k.owner,
            k.made,
            k.public,
        )
        rows.append("\t".join(["key", *map(str, fields)]))
    if list_:
        rows += [f"listed\t{listed}", *(f"map\t{line}" for line in list_.splitlines())]
    return {"rc": 0, "out": "\n".join([*rows, "end"]) + "\n", "err": ""}


def told(*values: str, ttl: int = 60) -> dict:
    one = {"values": list(values), "ttl": ttl, "alias": ""}
    return {"zone": D, "ttl": 60, "servers": {"ns1": one}}


def world(
    *keys: Key, signs: str = "", seen=None, queue=(), updates=True, **more
) -> EmptyServer:
    """`seen`: {selector: values in the DNS}; without it each key's own half."""
    list_ = more.pop("list_", "") or "".join(
        Entry(D, word, NOW - 500).line() + "\n" for word in signs.split()
    )
    there = {k.name: told(k.text) for k in keys}
    for selector, values in (seen or {}).items():
        name = f"{selector}._domainkey.{D}"
        there[name] = values if isinstance(values, dict) else told(*values)
    have = EmptyServer()
    have[LOOK] = looked(*keys, list_=list_, **more)
    have[THERE] = there
    have[UPDATES] = {"accepted": updates}
    out = "".join(json.dumps(row) + "\n" for row in queue)
    have[QUEUE] = {"rc": 0, "out": out, "err": ""}
    return have


# keys


def test_the_numbers_in_a_key():
    public = made().public_key().public_numbers()
    assert numbers(half()) == (public.n, public.e)
    bare = made().public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    assert numbers(base64.b64encode(bare).decode()) == (public.n, public.e)
    assert bits(half()) == 2048 and bits(half(1024)) == 1024


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", half()[:200], "MIIB" * 60])
def test_what_is_no_key(text):
    assert numbers(text) is None and bits(text) == 0


def test_another_kind_of_key_is_none_of_ours():
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert bits(base64.b64encode(der).decode()) == 0


def test_the_look_is_read():
    signers = read(
        looked(OLD, NEW, list_=f"# hello\n{D} old # since 2027-01-15 08:00:00 UTC\n")
    )
    assert signers.now == NOW and signers.domains == (D,)
    assert signers.of(D) == [OLD, NEW] and signers.signing(D) == OLD
    assert signers.newer(D) == [NEW] and signers.older(D) == []
    assert signers.needed(D) == [OLD, NEW]
    assert signers.since(D) == NOW


@pytest.mark.parametrize("answer", [{"error": "slow"}, {"rc": 75, "out": "", "err": "x"},
                                    {"rc": 0, "out": "now\t1\ndomain\tx.test\n", "err": ""}])  # fmt: skip
def test_half_an_answer_is_none(answer):
    assert read(answer) is None
    have = EmptyServer()
    have[LOOK] = answer
    for thing in (DkimKeys(D), DkimRecords(D), DkimSigners()):
        assert isinstance(thing.gap(have), Unsure)


def test_the_longest_domain_owns_a_key():
    sub = key("s", domain=f"news.{D}")
    signers = read(looked(sub, key("x", domain="gone.test"), domains=(D, f"news.{D}")))
    assert signers.keys == (sub,)


def test_before_anything_is_known_the_commands_are_shown():
    assert isinstance(DkimKeys(D).gap(EmptyServer()), Unsure)
    (fix,) = DkimKeys(D).fix(EmptyServer())
    assert "-b 2048" in fix.command and D in fix.command and "umask 077" in fix.command
    assert (
        DkimRecords(D).fix(EmptyServer()) == []
        and DkimSigners().fix(EmptyServer()) == ()
    )


def test_a_domain_without_a_key_gets_one():
    have = world(OLD, signs="old", domains=(D, OTHER))
    gap = DkimKeys(D).gap(have)
    assert gap.kind == "missing" and OTHER in gap and D not in gap and "2048" in gap
    (fix,) = DkimKeys(D).fix(have)
    assert OTHER in fix.command and not fix.touches


WRONG_KEYS = [
    (replace(OLD, readable=False, mode="400", owner="root:root"), "wrong-permissions", "chmod 0440"),
    (replace(OLD, mode="644"), "wrong-permissions", "chmod 0440"),
    (replace(OLD, public=""), "malformed", "mv "),
    (replace(OLD, public=half(1024)), "weak", "dkim_keygen"),
]  # fmt: skip


@pytest.mark.parametrize(("broken", "kind", "command"), WRONG_KEYS)
@pytest.mark.parametrize("signs", ["old", ""])
def test_a_broken_key_is_named_and_mended(broken, kind, command, signs):
    have = world(broken, signs=signs)
    gap = DkimKeys(D).gap(have)
    assert gap.kind == kind and (broken.path in gap or "1024" in gap)
    assert any(command in fix.command for fix in DkimKeys(D).fix(have))
    # The ledger keeps what actions touch, and a key belongs in no ledger.
    assert not any(fix.touches for fix in DkimKeys(D).fix(have))


def test_a_key_that_is_gone_is_missed():
    have = world(list_=f"{D} lost\n")
    for thing in (DkimKeys(D), DkimSigners()):
        assert thing.gap(have).kind == "dangling" and D in thing.gap(have)
    assert "lost" in DkimKeys(D).gap(have)
    assert D not in DkimSigners().fix(have)[0].text.replace(HEAD, "")


def test_a_domain_that_is_gone_with_its_key_leaves_the_list():
    have = world(OLD, list_=f"{D} old\ngone.test lost\n")
    gap = DkimSigners().gap(have)
    assert gap.kind == "dangling" and "gone.test" in gap and D not in gap
    (write,) = DkimSigners().fix(have)
    assert "gone.test" not in write.text and f"{D} old" in write.text


def test_a_domain_that_is_gone_without_its_key_stays_on_the_list():
    """It may come back, and then its seal fits."""
    left = replace(OLD, domain="gone.test", selector="left")
    have = world(OLD, left, list_=f"{D} old\ngone.test left\n")
    assert DkimSigners().gap(have) == ""


# records


def test_the_record_is_computed_from_the_key():
    have = world(OLD, signs="old")
    assert DkimRecords(D).gap(have) == "" and DkimRecords(D).fix(have) == []
    assert KeyRecord(OLD, D).verdict(have).state == RIGHT
    (shape,) = shapes(KeyRecord(OLD, D).record(have), D)
    assert shape.relative == "old._domainkey" and len(shape.line) > 255
    assert shape.pieces.count('" "') == 1
    assert all(len(piece) <= 257 for piece in shape.pieces.split('" "'))


SAME = ["v=DKIM1;k=rsa;p={p}", "p={p}", "v=DKIM1; t=s; h=sha1:sha256; p={p}; n=hello", "v=DKIM1; p={half1} {half2}"]  # fmt: skip


@pytest.mark.parametrize("text", SAME)
def test_other_words_for_the_same(text):
    p = OLD.public
    have = world(OLD, seen={"old": [text.format(p=p, half1=p[:90], half2=p[90:])]})
    assert KeyRecord(OLD, D).verdict(have).state == RIGHT


OTHERS = [
    (["v=DKIM1; k=rsa; p={new}"], "differs", "another key, new."),
    (["v=DKIM1; k=rsa; p={strange}"], "differs", "server's"),
    (["v=DKIM1; k=rsa; p={cut}"], "malformed", "p="),
    (["v=DKIM1; p="], "revoked", "p="),
    (["v=DKIM1; k=rsa"], "malformed", "no p="),
    (["v=DKIM1; k=ed25519; p={p}"], "wrong-type", "k=ed25519"),
    (["v=DKIM1; t=y; p={p}"], "weak", "t=y"),
    (["v=DKIM1; h=sha1; p={p}"], "too-strict", "sha1"),
    (["v=DKIM1; s=other; p={p}"], "too-strict", "other"),
    (["p={p}; v=DKIM1"], "malformed", "v=DKIM1"),
    (["v=DKIM1; p={p}", "v=DKIM1; p={new}"], "several", " 2 "),
]


@pytest.mark.parametrize(("values", "kind", "told"), OTHERS)
def test_what_is_wrong_with_a_record_is_said(values, kind, told):
    fill = {"p": OLD.public, "new": NEW.public, "strange": half(number=3), "cut": OLD.public[:-40]}  # fmt: skip
    seen = {"old": [v.format(**fill) for v in values]}
    have = world(OLD, NEW, signs="old new", seen=seen)
    verdict = KeyRecord(OLD, D).verdict(have)
    assert verdict.state == WRONG and verdict.is_.kind == kind, verdict
    gap = DkimRecords(D).gap(have)
    assert gap.kind == kind and told in verdict.is_ and OLD.name in gap
    (fix,) = DkimRecords(D).fix(have)
    assert isinstance(fix, Publish) and fix.values == (OLD.text,) and fix.remove is None


def test_without_a_key_for_the_zone_it_is_said_what_to_type():
    have = world(OLD, seen={"old": []}, updates=False)
    gap = DkimRecords(D).gap(have)
    assert gap.kind == "missing" and repr(OLD.text) in gap
    assert DkimRecords(D).fix(have) == []


def test_could_not_tell_is_its_own_answer():
    have = world(OLD, seen={"old": {"error": "no network"}})
    assert KeyRecord(OLD, D).verdict(have).state == UNKNOWN
    for thing in (DkimRecords(D), DkimSigners()):
        assert isinstance(thing.gap(have), Unsure), thing
        assert not thing.fix(have)


def test_the_coach_has_the_keys_too():
    rows = coach.rows(S, world(OLD, NEW, signs="old", seen={"new": []}))
    mine = {r.record.name: r for r in rows if r.record.key.startswith("dkim ")}
    assert mine[OLD.name].word == "right" and mine[NEW.name].word == "missing"
    assert mine[NEW.name].shapes[0].relative == "new._domainkey"


def test_a_zone_of_somebody_else_is_left_to_its_form():
    """The key for updates is the first domain's; others would refuse it."""
    second = key("s2", domain=OTHER)
    have = world(OLD, second, domains=(D, OTHER))
    have[THERE][second.name] = {"zone": OTHER, "ttl": 60, "servers": {"ns.other": {"values": [], "ttl": 60, "alias": ""}}}  # fmt: skip
    assert DkimRecords(D).fix(have) == []
    assert DkimRecords(D).gap(have).kind == "missing"
    assert second.name in DkimRecords(D).gap(have)
    have[THERE][second.name] = told() | {"zone": OTHER}
    assert [fix.zone for fix in DkimRecords(D).fix(have)] == [OTHER]


@pytest.mark.parametrize("zone", ["", "test"])
def test_a_domain_that_nobody_keeps_is_no_fault(zone):
    second = key("s2", domain=OTHER)
    have = world(OLD, second, signs="old", domains=(D, OTHER))
    have[THERE][second.name] = told() | {"zone": zone}
    for thing in (DkimRecords(D), DkimSigners()):
        assert isinstance(thing.gap(have), Unsure) and OTHER in thing.gap(have)
        assert not thing.fix(have)


# rspamd's list


def test_lines_of_others_stay():
    list_ = f"# mine\nhand.test s1\n{D} old # since 2027-01-15 08:00:00 UTC\n"
    text = with_entries(list_, [Entry(D, "new", NOW)])
    assert text == f"# mine\nhand.test s1\n{D} new # since 2027-01-15 08:00:00 UTC\n"
    assert entries(text) == [Entry("hand.test", "s1"), Entry(D, "new", NOW)]
    assert with_entries("", [Entry(D, "new", NOW)]).startswith(HEAD)
    assert with_entries(text, [], [D]) == "# mine\nhand.test s1\n"


def test_who_is_seen_is_signed_for_and_nobody_else():
    unseen = world(OLD, seen={"old": []})
    assert DkimSigners().gap(unseen).kind == "waits"
    assert DkimSigners().fix(unseen) == ()
    have = world(OLD)
    assert DkimSigners().gap(have).kind == "missing"
    (write,) = DkimSigners().fix(have)
    assert write.path == MAP and write.text.endswith(Entry(D, "old", NOW).line() + "\n")


def test_one_domain_does_not_wait_for_another():
    second = key("s2", domain=OTHER)
    have = world(OLD, second, domains=(D, OTHER), seen={"x": []})
    have[THERE][second.name] = told()
    (write,) = DkimSigners().fix(have)
    assert f"{D} old" in write.text and OTHER not in write.text
    assert OTHER in DkimSigners().gap(have)


def test_who_signs_goes_on_signing_whatever_the_dns_says():
    for there in ([], ["v=DKIM1; p="], {"error": "no network"}):
        have = world(OLD, NEW, signs="old", seen={"old": there})
        assert DkimSigners().gap(have) == ""


# rotation

LETTER = {"arrival_time": NOW - 600, "sender": f"anna@{D}"}
LATER, FOREIGN = (
    LETTER | {"arrival_time": NOW - 10},
    LETTER | {"sender": "x@other.test"},
)
BEGUN = NOW - 500  # since when the list of `world` says that its key signs


def there(*keys: Key, **more):
    return lambda: world(*keys, **more)


STAGES = [
    (there(OLD, signs="old"), "make", True),
    (there(OLD, NEW, signs="old", seen={"new": []}), "publish", True),
    (there(OLD, NEW, signs="old", seen={"new": []}, updates=False), "publish", False),
    (there(OLD, NEW, signs="old", seen={"new": ["v=DKIM1; p="]}), "publish", True),
    (there(OLD, NEW, signs="old", seen={"new": {"error": "no"}}), "look", False),
    (there(OLD, NEW, signs="old"), "sign", True),
    (there(OLD, replace(NEW, readable=False), signs="old"), "first", False),
    (there(OLD, NEW, signs="new", seen={"old": told(OLD.text, ttl=600)}), "wait", False),
    (there(OLD, NEW, signs="new", queue=[LETTER]), "wait", False),
    (there(OLD, NEW, signs="new", queue=[LATER, FOREIGN]), "withdraw", True),
    (there(OLD, NEW, signs="new", updates=False), "withdraw", False),
    (there(OLD, NEW, signs="new", seen={"old": {"error": "no"}}), "look", False),
    (there(OLD, NEW, signs="new", seen={"old": []}), "destroy", True),
    (there(NEW, signs="new"), "make", True),
    (there(OLD), "first", False),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "stage", "doable"), STAGES)
def test_the_next_stage_follows_from_what_is_there(seen, stage, doable):
    have = seen()
    (turn,) = turns(have, S)
    assert turn.next == stage and turn.doable is doable and turn.why
    assert bool(rotation.actions(have, turn, S)) is doable


def test_the_wait_is_counted():
    have = world(OLD, NEW, signs="new", seen={"old": told(OLD.text, ttl=600)})
    assert turns(have, S)[0].wait == BEGUN + 600 - NOW
    week = turns(have, replace(S, dkim_overlap_days=7))[0]
    assert week.next == "wait" and week.wait == BEGUN + 7 * 86400 + 600 - NOW


def test_the_name_server_that_is_remembered_longest_counts():
    old = told(OLD.text, ttl=60)
    for name, ttl in (("ns2", 600), ("ns3", 30)):
        old["servers"][name] = old["servers"]["ns1"] | {"ttl": ttl}
    have = world(OLD, NEW, signs="new", seen={"old": old})
    assert turns(have, S)[0].wait == BEGUN + 600 - NOW


def test_a_list_that_does_not_say_since_when_counts_from_its_last_change():
    have = world(OLD, NEW, list_=f"{D} new\n", listed=NOW - 20)
    assert turns(have, S)[0].next == "wait"
    have = world(OLD, NEW, list_=f"{D} new\n", listed=NOW - 8000)
    assert turns(have, S)[0].next == "withdraw"


def test_a_queue_that_cannot_be_read_keeps_the_old_key():
    have = world(OLD, NEW, signs="new")
    have[QUEUE] = {"rc": 69, "out": "", "err": "mail system is down"}
    assert turns(have, S)[0].next == "wait"


def test_what_each_stage_does():
    have = world(OLD, NEW, signs="old")
    write, start = rotation.actions(have, turns(have, S)[0], S)
    assert write.text.endswith(f"{D} new # since 2027-01-15 08:00:00 UTC\n")
    assert (start.unit, start.verb) == ("rspamd", "reload")
    have = world(OLD, NEW, signs="new")
    (publish,) = rotation.actions(have, turns(have, S)[0], S)
    assert (publish.name, publish.values, publish.remove) == (OLD.name, (), None)
    have = world(OLD, NEW, signs="new", seen={"old": []})
    (run,) = rotation.actions(have, turns(have, S)[0], S)
    assert run.command == f"rm {OLD.path}" and not run.touches


def test_the_steps_do_not_disturb_a_rotation():
    """At each stage the steps find nothing wrong, or do what the rotation does next."""
    for seen, signs in (({}, "old"), ({}, "new"), ({"old": []}, "new")):
        have = world(OLD, NEW, signs=signs, seen=seen)
        for thing in (DkimKeys(D), DkimRecords(D), DkimSigners()):
            assert thing.gap(have) == "", (thing, signs)
    have = world(OLD, NEW, signs="old", seen={"new": []})
    assert DkimRecords(D).fix(have) == rotation.actions(have, turns(have, S)[0], S)


def test_letters_signed_in_any_stage_fit_a_key_in_the_dns():
    """The whole rotation, the world changed by its own actions only."""
    keys, dns, signs = [OLD], {"old": [OLD.text]}, "old"
    for _ in range(5):
        absent = {k.selector: [] for k in keys}
        have = world(*keys, signs=signs, seen=absent | dns)
        (turn,) = turns(have, S)
        signing = turn.signing
        assert dns.get(signing.selector) == [signing.text], turn.next
        assert signing in keys
        match turn.next:
            case "make":
                keys = [OLD, NEW]
            case "publish":
                dns |= {"new": [NEW.text]}
            case "sign":
                signs = "new"
            case "withdraw":
                del dns["old"]
            case "destroy":
                keys = [NEW]
    assert (keys, dns, signs) == ([NEW], {"new": [NEW.text]}, "new")


# questions that follow


def test_a_question_about_an_answer_waits_for_it(monkeypatch):
    from ispguide.outside import talk

    server = FakeServer({LOOK: looked(OLD)}, lambda action, world: None)
    asked = []

    def answers(facts, host, told, resolver, updates):
        asked.append(list(facts))
        return {f: told.get(LOOK, "too early") for f in facts}

    monkeypatch.setattr(talk, "answers", answers)
    guide = guide_of(server, S, [])
    guide.exchange(tell=[LOOK, THERE, UPDATES])
    assert asked == [[UPDATES], [THERE]]
    assert guide.have[UPDATES] == "too early"
    assert guide.have[THERE] == looked(OLD)


# signatures


def test_a_signature_is_found_and_checked():
    pem = made().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())  # fmt: skip
    mail = message("mark", "anna@example.test").replace("\n", "\r\n").encode()
    signed = (dkim.sign(mail, b"old", D.encode(), pem) + mail).decode()
    signed = signed.replace("\r\n", "\n")
    assert signature(signed, D) == "old"
    assert signature(signed, OTHER) == "" and signature(mail.decode(), D) == ""
    data = signed.replace("\n", "\r\n").encode()
    assert dkim.verify(data, dnsfunc=lambda *a, **k: OLD.text.encode())
    assert not dkim.verify(data, dnsfunc=lambda *a, **k: NEW.text.encode())
