"""The tasks about SPF and DMARC: what the record costs, what the reports say.

Exported from `tasks.py`.  What they return is data; notebook and command line show it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fabric import task

from ispguide import facts
from ispguide.actions import quote
from ispguide.dmarc.reports import Aggregate, newest_first, of_mail
from ispguide.dmarc.things import DmarcPolicy, ReportsMailbox, policy
from ispguide.dmarc.unpacking import NoReport
from ispguide.dns.spf import is_spf
from ispguide.dns.thing import DnsRecord, addresses
from ispguide.errors import GuideError
from ispguide.facts import Fact, failed_answer
from ispguide.guide import Guide
from ispguide.opening import PRACTICE, open_guide

#: No more letters are read at once; a year of reports from a few providers.
LETTERS = 1000
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


@task
def spf_counted(c: Any, server: str = PRACTICE, sudo: Any = None) -> Spf:
    """The SPF record, with the look-ups that following it costs; changes nothing."""
    guide = open_guide(server, sudo)
    with guide.server:
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


@task
def dmarc_reports(c: Any, server: str = PRACTICE, sudo: Any = None) -> Reports:
    """The aggregate reports in the mailbox for them; changes nothing."""
    guide = open_guide(server, sudo)
    with guide.server:
        thing, asked = (
            ReportsMailbox(guide.settings.domain),
            DmarcPolicy(guide.settings),
        )
        guide.look((), also=[*thing.facts(), *asked.facts()])
        have = guide.have
        boxes = [row[0] for row in have[thing.question].get("rows", ())]
        letters = [mail for box in boxes for mail in _letters(guide, box)]
        found, others = _read(letters)
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


def _letters(guide: Guide, box: str) -> list[bytes]:
    """The letters of a mailbox that may be reports, newest first."""
    list_ = search(box)
    said = guide.exchange(tell=[list_]).have[list_]
    if why := failed_answer(said) or (said["err"].strip() if said["rc"] else ""):
        raise GuideError(
            f"The mailbox {box} could not be read: {why}.",
            "Dovecot should run, and the mailbox should be there.",
            "./guide check dkim.reports dovecot",
            kind="no-answer",
        )
    marks = [line.split() for line in said["out"].splitlines()][-LETTERS:]
    asked = [_one(box, *mark) for mark in reversed(marks)]
    have = guide.exchange(tell=asked).have if asked else {}
    return [base64.b64decode(have[f].get("out", "")) for f in asked]


def _one(box: str, guid: str, uid: str) -> Fact:
    """A letter, as base64: it may hold any bytes."""
    where = f"mailbox-guid {quote(guid)} uid {quote(uid)}"
    fetch = f"doveadm fetch -u {quote(box)} text {where} | tail -n +2"
    return facts.run(f"{fetch} | base64 -w0 | head -c {LARGEST}")


def _read(letters: Sequence[bytes]) -> tuple[list[Aggregate], list[str]]:
    found: list[Aggregate] = []
    others: list[str] = []
    for mail in letters:
        try:
            found += of_mail(mail)
        except NoReport as error:
            others.append(str(error))
    return found, others
