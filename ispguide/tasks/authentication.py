"""The tasks about DKIM, SPF and DMARC: a key's rotation, what the SPF record costs, what
the reports say.

What they return is data; notebook and command line show it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fabric import task

from ispguide.engine import facts
from ispguide.engine.actions import quote
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Fact, Ran, failed_answer
from ispguide.engine.guide import Guide
from ispguide.engine.server import Watch, ignore
from ispguide.mail.dkim import rotation
from ispguide.mail.dkim.rotation import QUEUE, Turn
from ispguide.mail.dmarc.reports import Aggregate, NoReport, newest_first, of_mail
from ispguide.mail.dmarc.things import DmarcPolicy, ReportsMailbox, policy
from ispguide.mail.dns.spf import is_spf
from ispguide.mail.dns.thing import DnsRecord, addresses
from ispguide.outside.updates import Key
from ispguide.tasks.base import PRACTICE, guide_task, open_guide

# The tasks about keys: where a rotation stands, and its next stage.
#
# Exported from `tasks`.  What they return is data; notebook and command line show it.


@guide_task
def dkim_turns(guide: Guide) -> list[Turn]:
    """Where the rotation of each domain's key stands; changes nothing."""
    return _turns(guide)


@task
def dkim_rotate(
    c: Any,
    domain: str = "",
    server: str = PRACTICE,
    sudo: Any = None,
    key: Key | None = None,
    watch: Watch = ignore,
) -> list[Turn]:
    """The next stage of the rotation of a domain (the first one's, if none is named),
    and where it stands afterwards."""
    guide = open_guide(server, sudo, key)
    with guide.server:
        now = _turn_of(_turns(guide), domain or guide.settings.domain)
        if not now.doable:
            raise _not_now(now)
        do = rotation.actions(guide.have, now, guide.settings)
        refused = GuideError(
            f"The next stage for {now.domain} ({rotation.STAGES[now.next]}) failed.",
            "Everything is as it was before it, and letters are signed as before.",
            "Read the server's words below, mend that, then do the same again.",
            kind="server-refused",
        )
        guide.must(do, f"dkim.rotation: {now.next}", refused, watch)
        return _turns(guide)


def _turns(guide: Guide) -> list[Turn]:
    guide.look(guide.select("dkim.public_keys"), also=[QUEUE])
    found = rotation.turns(guide.have, guide.settings)
    if not found:
        raise GuideError(
            "It could not be told which domains and keys the server has.",
            "The chapters up to the database should be true first.",
            "./guide check dkim",
            kind="no-answer",
        )
    return found


def _turn_of(found: Sequence[Turn], domain: str) -> Turn:
    for one in found:
        if one.domain == domain:
            return one
    raise GuideError(
        f"{domain} is no mail domain of this server.",
        f"They are {', '.join(t.domain for t in found)}.",
        "Name one of them.",
        kind="no-such-domain",
    )


def _not_now(now: Turn) -> GuideError:
    if now.next == "wait":
        when = f"in {rotation.spoken(now.wait)}" if now.wait else "when they are gone"
        return GuideError(
            f"{now.domain}: the old key cannot go yet. {now.why}",
            "It stays in the DNS until nobody needs it; letters are signed with the new one.",
            f"Come back {when}. Nothing needs to stay open until then.",
            kind="not-yet",
        )
    return GuideError(
        f"{now.domain}: the next stage cannot be done from here. {now.why}",
        "",
        "Do that, then look again.",
        kind="not-from-here",
    )


# The tasks about SPF and DMARC: what the record costs, what the reports say.


#: No more letters are read at once; a year of reports from a few providers.
MESSAGES = 1000
#: Characters of a letter in base64 that one answer of the server can hold.
LARGEST = 390_000


@dataclass(frozen=True)
class Reports:
    """What was found: reports, newest first; letters that held none, and why.

    `own`: the server's addresses.  `policy`: what the DNS asks for now, "" if nothing."""

    reports: tuple[Aggregate, ...]
    others: tuple[str, ...]
    own: tuple[str, ...]
    policy: str
    address: str


# SPF


@dataclass(frozen=True)
class Spf:
    """The SPF record of the first domain, followed.

    `text`: as it stands in the DNS, "" when there is not exactly one; `node`: as
    spf_walk.expand tells it; `own`: the server's addresses; `why`: could not tell."""

    domain: str
    text: str
    node: dict[str, Any]
    own: tuple[str, ...]
    why: str = ""


@guide_task
def spf_counted(guide: Guide) -> Spf:
    """The SPF record, with the look-ups that following it costs; changes nothing."""
    thing = DnsRecord("spf", guide.settings)
    guide.look((), also=thing.facts())
    have = guide.have
    texts = [t for t in thing.verdict(have).seen if is_spf(t)]
    node = have[facts.outside("sender", guide.settings.domain)]
    return Spf(
        guide.settings.domain,
        texts[0] if len(texts) == 1 else "",
        node,
        tuple(addresses(have) or ()),
        failed_answer(node),
    )


# reports


@guide_task
def dmarc_reports(guide: Guide) -> Reports:
    """The aggregate reports in the mailbox for them; changes nothing."""
    thing, asked = (
        ReportsMailbox(guide.settings.domain),
        DmarcPolicy(guide.settings),
    )
    guide.look((), also=[*thing.facts(), *asked.facts()])
    have = guide.have
    boxes = [row[0] for row in have[thing.question].get("rows", ())]
    messages = [mail for box in boxes for mail in _messages(guide, box)]
    found, others = _read(messages)
    texts = [t for t in asked.verdict(have).seen if "v=dmarc1" in t.lower()]
    return Reports(
        tuple(newest_first(found)),
        tuple(others),
        tuple(addresses(have) or ()),
        policy(texts[0]) if texts else "",
        thing.address,
    )  # fmt: skip


def search(box: str) -> Fact:
    """Which letters of a mailbox may be reports (RFC 7489 7.2.1.1: their subject).

    One that never got a letter is not opened: Dovecot would make its folders."""
    return facts.run(
        f"home=$(doveadm user -f home {quote(box)}) || exit\n"
        '[ ! -d "$home/Maildir/cur" ] || '
        f"doveadm search -u {quote(box)} mailbox '*' subject 'report domain'"
    )


def _messages(guide: Guide, box: str) -> list[bytes]:
    """The letters of a mailbox that may be reports, newest first."""
    list_ = search(box)
    said = Ran.of(guide.exchange(tell=[list_]).have[list_])
    if not said.ok and said.err.strip():
        raise GuideError(
            f"The mailbox {box} could not be read: {said.err.strip()}.",
            "Dovecot should run, and the mailbox should be there.",
            "./guide check dkim.reports dovecot",
            kind="no-answer",
        )
    marks = [line.split() for line in said.lines][-MESSAGES:]
    asked = [_one(box, *mark) for mark in reversed(marks)]
    have = guide.exchange(tell=asked).have if asked else {}
    return [base64.b64decode(Ran.of(have[f]).out) for f in asked]


def _one(box: str, guid: str, uid: str) -> Fact:
    """A letter, as base64: it may hold any bytes."""
    where = f"mailbox-guid {quote(guid)} uid {quote(uid)}"
    fetch = f"doveadm fetch -u {quote(box)} text {where} | tail -n +2"
    return facts.run(f"{fetch} | base64 -w0 | head -c {LARGEST}")


def _read(messages: Sequence[bytes]) -> tuple[list[Aggregate], list[str]]:
    found: list[Aggregate] = []
    others: list[str] = []
    for mail in messages:
        try:
            found += of_mail(mail)
        except NoReport as error:
            others.append(str(error))
    return found, others
