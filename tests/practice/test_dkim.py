"""Seals on a practice server: a key changes under a stream of letters; what breaks is named."""

from __future__ import annotations

import gzip
import json
import threading
import time
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from email.utils import formatdate, make_msgid

import pytest

from ispguide import lab, tasks
from ispguide.mail.dkim.keys import seen
from ispguide.mail.dkim.records import FACTS
from ispguide.mail.dns.thing import Publish
from ispguide.outside.talk import NotReached
from ispguide.outside.updates import publish, read_key
from ispguide.proofs.authentication import fits, signature
from ispguide.proofs.base import Refused, RefusedForNow
from ispguide.proofs.context import opened
from ispguide.proofs.messages import message, token

from ..test_dmarc import FORGER, mail, row, xml
from .conftest import LEFT, bad, proved, rspamd_answers, shell
from .test_dns import change

DOMAIN = "example.test"


@pytest.fixture(scope="module")
def guide(built):
    with (g := tasks.open_guide()).server:
        yield g


def signers(guide):
    guide.exchange(tell=FACTS)
    return seen(guide.have)


def say(guide, name: str, *values: str, zone: str = DOMAIN) -> None:
    """What somebody typed into the form at that name."""
    profile = guide.server.profile
    change = Publish(zone, name, "TXT", values, None, 60)
    publish([change], read_key(profile.zone_key), profile.resolver)


def judged(guide, words: str):
    """What the proof with these words in its name saw: (state, its sentence)."""
    (found,) = proved(words, guide=guide)
    return found.state, found.gap or found.evidence


class Stream:
    """Letters with a login, one after the other, each checked when it arrives.

    What is refused for now (4xx) is sent again, as every mail server and outbox does:
    rspamd 3.4 that is reloaded ends a letter's session that takes half a second more."""

    def __init__(self, guide):
        self.guide, self.sent, self.refused, self.seals = guide, [], [], {}
        self._end = threading.Event()
        self._threads = [threading.Thread(target=t) for t in (self._send, self._read)]

    def __enter__(self):
        self._opened = opened(self.guide)
        self.ctx = self._opened.__enter__()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self._end.set()
        for thread in self._threads:
            thread.join()
        self._opened.__exit__(*error)

    def _send(self):
        me, mark = self.ctx.address, token()
        while not self._end.is_set():
            try:
                with self.ctx.logged_in(587) as smtp:
                    said = smtp.deliver(me, me, message(mark, me, sender=me))
            except RefusedForNow:
                continue
            except (NotReached, Refused) as error:
                self.refused.append(str(error))
                continue
            if said.later:
                continue
            if said.good:
                self.sent.append(mark)
            else:
                self.refused.append(said.text)
            mark = token()

    def _read(self):
        quiet = time.monotonic() + 60
        while self._sending() or (self.left() and time.monotonic() < quiet):
            if self._sending():
                quiet = time.monotonic() + 60
            with self.ctx.reader() as imap:
                for mark in self.left()[:20]:
                    if uids := imap.find("INBOX", mark):
                        text = imap.fetch(uids[0])
                        seal = signature(text, DOMAIN)
                        self.seals[mark] = (seal, bool(seal) and fits(self.ctx, text))

    def _sending(self):
        return self._threads[0].is_alive()

    def left(self):
        """Letters that have not arrived yet."""
        return [mark for mark in list(self.sent) if mark not in self.seals]


def rotated(cli, wanted: str) -> None:
    """One stage, by a program that knows nothing of those before it."""
    (turn,) = json.loads(cli("rotate", DOMAIN, "--look", "--json").stdout)
    assert turn["next"] == wanted
    done = cli("rotate", DOMAIN)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def nobody_is_limited(guide, cli):
    """One person sends more letters in a minute than chapter 16 allows in an hour."""
    ours = tasks.open_guide().settings
    many = replace(ours, mails_per_hour=100_000, mails_per_day=1_000_000)
    for settings in (many, ours):
        tasks.save_settings(tasks.HERE, settings)
        assert cli.json("apply", "brute_force")["ok"]
        if settings is many:
            yield


@pytest.mark.thorough
@pytest.mark.usefixtures("nobody_is_limited")
def test_a_rotation_loses_no_letter_and_no_seal(guide, cli):
    before = signers(guide).signing(DOMAIN)
    with Stream(guide) as stream:
        for stage in ("make", "publish", "sign"):
            rotated(cli, stage)
            if stage != "make":  # there the steps would do the next stage themselves
                assert cli.json("apply", "dkim.public_keys")["actions"] == 0
        assert cli("rotate").returncode == 1, "the old key is still needed"
        (turn,) = json.loads(cli("rotate", "--look", "--json").stdout)
        assert turn["next"] == "wait" and 0 < turn["wait"] <= 60
        while json.loads(cli("rotate", "--look", "--json").stdout)[0]["next"] == "wait":
            time.sleep(1)  # until resolvers may have forgotten the old record
        rotated(cli, "withdraw")
        rotated(cli, "destroy")
    after = signers(guide)
    assert after.of(DOMAIN) == [after.signing(DOMAIN)] != [before]
    assert stream.refused == [] and stream.left() == []
    assert {seal for seal, _ in stream.seals.values()} == {before.selector, after.signing(DOMAIN).selector}  # fmt: skip
    assert [m for m, (_, good) in stream.seals.items() if not good] == []
    assert len(stream.sent) > 100
    assert cli.json("check", "dkim")["ok"]
    assert cli.json("apply", "dkim")["actions"] == 0


def test_no_private_key_left_the_server_or_is_in_its_ledger(guide, cli):
    guide.check()
    assert "PRIVATE KEY" not in str(guide.have)
    assert "PRIVATE KEY" not in cli("history", "--json").stdout
    found = shell("grep -rl 'PRIVATE KEY' /var/lib/ispguide /run/ispguide || true")
    assert found == ""
    assert shell("ls /var/lib/rspamd/dkim").split() == [
        f"{DOMAIN}.{signers(guide).signing(DOMAIN).selector}.key"
    ]


def test_a_provider_elsewhere_vouches_for_us_and_not_for_forgers(guide):
    lab.friend.empty()
    assert judged(guide, "genuine") == (
        "ok",
        "A letter to ben@friend.test was judged spf=pass, dkim=pass, dmarc=pass.",
    )
    state, said = judged(guide, "forged letter")
    assert state == "ok" and "spf=fail, dkim=none, dmarc=fail" in said
    assert lab.friend.inbox() == [], "a proof leaves nothing behind"


def test_a_seal_that_does_not_fit_is_seen_elsewhere(guide, cli):
    key = signers(guide).signing(DOMAIN)
    say(guide, key.name)
    try:
        state, said = judged(guide, "genuine")
        assert state == "failed" and "spf=pass, dkim=fail, dmarc=pass" in said
    finally:
        assert cli.json("apply", "dkim.public_keys")["ok"]
    assert judged(guide, "genuine")[0] == "ok"


def test_without_a_provider_elsewhere_the_proofs_could_not_tell(guide):
    """As on a real server: the same one, of which nobody says that it is practice."""
    ours = guide.server.profile
    guide.server.profile = replace(ours, practice=False)
    try:
        state, said = judged(guide, "genuine")
    finally:
        guide.server.profile = ours
    assert state == "unknown" and "mailbox of yours elsewhere" in said


@pytest.mark.thorough
def test_a_closed_port_25_is_not_our_fault(guide):
    lab.provider.close_port_25()
    try:
        state, said = judged(guide, "genuine")
    finally:
        lab.provider.open_port_25()
        # Postfix would leave friend.test alone for five minutes.
        shell("systemctl restart postfix@-")
    assert state == "unknown" and "port 25" in said, said
    assert shell(f"{LEFT}; postqueue -j") == "", "its letter is not tried again"


BROKEN = [
    ("another key", "differs"),
    ("missing", "missing"),
    pytest.param("revoked", "revoked", marks=pytest.mark.thorough),
    pytest.param("cut", "malformed", marks=pytest.mark.thorough),
]


@pytest.mark.parametrize(("way", "kind"), BROKEN)
def test_a_wrong_record_is_named_and_mended(guide, cli, way, kind):
    key = signers(guide).signing(DOMAIN)
    if way == "another key":
        shell(f"rspamadm dkim_keygen -b 2048 -d {DOMAIN} -s 1 -k /var/lib/rspamd/dkim/{DOMAIN}.1.key; "
              f"touch -d 2020-01-01 /var/lib/rspamd/dkim/{DOMAIN}.1.key")  # fmt: skip
        other = next(k for k in signers(guide).keys if k.selector == "1")
    says = {
        "another key": lambda: [other.text],
        "missing": list,
        "revoked": lambda: ["v=DKIM1; p="],
        "cut": lambda: [key.text[:-50]],
    }[way]()
    say(guide, key.name, *says)
    try:
        report = cli.json("check", "dkim")
    finally:
        assert cli.json("apply", "dkim.public_keys")["ok"]
        shell(f"rm -f /var/lib/rspamd/dkim/{DOMAIN}.1.key")
    assert report["code"] == 2
    (gap,) = [f for f in report["findings"] if f["state"] == "gap"]
    assert gap["kind"] == kind and repr(key.text) in gap["gap"]
    assert cli.json("check", "dkim")["ok"]


def test_an_unreadable_key_is_named(guide, cli):
    shell("chown root:root /var/lib/rspamd/dkim/*.key")
    try:
        report = cli.json("check", "dkim")
    finally:
        assert cli.json("apply", "dkim.keys")["ok"]
    (gap,) = [f for f in report["findings"] if f["state"] == "gap"]
    assert gap["kind"] == "wrong-permissions" and "0440" in gap["gap"]
    assert cli.json("check", "dkim")["ok"]


def restarted() -> None:
    """rspamd anew, at work again."""
    shell("systemctl restart rspamd")
    rspamd_answers()


def test_rspamd_that_does_not_sign_is_named(guide, made_well):
    """By hand somebody switched the module off, in a file that is not ours."""
    path = "/etc/rspamd/override.d/dkim_signing.conf"
    shell(f"echo 'enabled = false;' > {path}")
    restarted()
    try:
        signs, seal = proved("rspamd signs", "a DKIM signature that fits", guide=guide)
        assert (signs.state, signs.kind) == ("failed", "not-so")
        assert f"no signature for: {DOMAIN}" in signs.gap
        assert (seal.state, seal.kind) == ("failed", "not-seen")
    finally:
        shell(f"rm {path}")
        restarted()
    made_well(guide, "dkim")


@pytest.fixture
def more_domains(guide, cli):
    """A second domain in a zone of ours, and one in a zone that nobody keeps."""
    added = ("second.test", "nobodys.test")
    for domain in added:
        assert cli("people", "add", domain).returncode == 0
    yield added
    for key in (k for d in added for k in signers(guide).of(d)):
        shell(f"rm {key.path}")
        if key.domain == "second.test":
            say(guide, key.name, zone=key.domain)
    for domain in added:
        assert cli("people", "remove", domain).returncode == 0
    for name in ("second.test.", "_dmarc.second.test."):
        for kind in ("MX", "TXT"):
            change(name, kind)
    assert guide.apply("dkim.public_keys").ok
    assert not any(signers(guide).entry(domain) for domain in added)
    report = guide.check()
    assert report.ok, bad(report.as_dict())


@pytest.mark.thorough
def test_every_domain_gets_a_key_of_its_own(guide, more_domains):
    """Where its record can be published, it signs; else it gets no seal, and no fault."""
    report = guide.apply("dns.other_domains", "dkim")
    assert report.ok, bad(report.as_dict())
    now = signers(guide)
    (second,), (nobodys,) = (now.of(d) for d in more_domains)
    assert now.signing("second.test") == second
    assert second.public != now.signing(DOMAIN).public
    assert nobodys.public and not now.signing("nobodys.test")
    told = [f.gap for f in guide.check("dkim").only("unknown")]
    assert told and all("nobodys.test" in gap for gap in told)
    assert not any("second.test" in gap for gap in told)


#: What rspamd says of the newest letter.
JUDGED = "journalctl -u rspamd -o cat --no-pager | grep rspamd_task_write_log | tail -1"


@pytest.mark.thorough
def test_the_policy_is_raised_and_a_forger_meets_it(guide, cli):
    """A stranger in our name: taken with `none`, refused with `reject`."""
    ours = guide.settings

    def knock() -> str:
        with opened(guide) as ctx, ctx.inbound_smtp() as smtp:
            me = f"director@{DOMAIN}"
            said = smtp.deliver(
                me, ctx.address, message(token(), ctx.address, sender=me)
            )
            return said.text

    assert knock().startswith("250")
    try:
        tasks.save_settings(tasks.HERE, replace(ours, dmarc_policy="reject"))
        assert cli.json("check", "dkim.policy")["code"] == 2
        assert cli.json("apply", "dkim.policy")["ok"]
        assert shell(JUDGED).count("Action set by DMARC") == 0
        end = time.monotonic() + 90  # the server's resolver may remember the old one
        while (said := knock()).startswith("250") and time.monotonic() < end:
            time.sleep(1)
        assert said.startswith("554 5.7.1") and "Action set by DMARC" in shell(JUDGED)
        state, seen = judged(guide, "forged letter")
        assert state == "ok" and "As p=reject asks, it was refused: 550" in seen
    finally:
        tasks.save_settings(tasks.HERE, replace(ours, dmarc_policy="none"))
        assert cli.json("apply", "dkim.policy")["ok"]
        tasks.save_settings(tasks.HERE, ours)
    assert cli.json("check")["ok"]


def test_reports_are_fetched_and_read(guide, cli):
    data = gzip.compress(xml(row("198.18.99.1"), row(FORGER, "7", "fail", "fail")))
    message = message_from_bytes(mail(data), policy=default)
    message["From"], message["To"] = "reports@friend.test", f"dmarc@{DOMAIN}"
    message["Date"], message["Message-ID"] = formatdate(), make_msgid()
    lab.friend.post(message)
    end = time.monotonic() + 20
    while not (found := tasks.dmarc_reports(tasks.HERE)).reports:
        assert time.monotonic() < end
        time.sleep(0.2)
    (report,) = found.reports
    assert (report.count, report.passed, report.org) == (9, 2, "friend.test")
    assert "vouched for" in cli("reports").stdout
    shell(f"doveadm expunge -u dmarc@{DOMAIN} mailbox '*' all")


def test_nobody_logs_in_to_the_mailbox_for_reports(guide):
    for word in ("", "!", "{CRYPT}!"):
        done = shell(
            f"printf '%s\\n' '{word}' | doveadm auth test dmarc@{DOMAIN} 2>&1 || true"
        )
        assert "auth failed" in done
