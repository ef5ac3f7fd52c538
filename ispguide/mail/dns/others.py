"""The other mail domains of the server: each needs an MX, an SPF and a DMARC record,
and names in front of it where the reader chose so (MTA-STS, its own certificate, mail
programs that set themselves up).

Which domains there are is known only when the server has been asked, so all of them
together are one thing.  Each record is judged and published like the first domain's,
in what was seen of its own zone.  Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ispguide.engine import facts
from ispguide.engine.actions import Action
from ispguide.engine.facts import Fact, Have, failed_answer
from ispguide.engine.gaps import Gap, Unsure, together
from ispguide.engine.settings import Settings
from ispguide.engine.things import Plain
from ispguide.mail.dns.compare import Verdict
from ispguide.mail.dns.judges import More
from ispguide.mail.dns.records import Record
from ispguide.mail.dns.thing import (
    OWN,
    REACHED,
    UPDATES,
    DnsRecord,
    authoritative,
    kept,
)
from ispguide.mail.mariadb import literal

KEYS = ("mx", "spf", "dmarc")
STS = ("sts_name", "sts")
SNI = ("sni_name",)
PROGRAMS = ("autoconfig", "autodiscover")


def question(s: Settings) -> Fact:
    """The mail domains of the server besides the first one."""
    return facts.sql(
        "SELECT name FROM mailserver.virtual_domains "
        f"WHERE name <> {literal(s.domain)} ORDER BY name"
    )


def chosen(s: Settings) -> tuple[str, ...]:
    """What each of them needs, as the reader decided."""
    programs = PROGRAMS if s.autoconfig else ()
    return (*KEYS, *(STS if s.sts else ()), *(SNI if s.sni else ()), *programs)


def records(s: Settings, domain: str, keys: Sequence[str]) -> list[DnsRecord]:
    """These of what another domain of this server needs."""
    there = replace(s, domain=domain)
    itself = f"mail.{domain}" == s.hostname  # has the server's own records
    return [DnsRecord(key, there) for key in keys if not (key in SNI and itself)]


def asked_about(domain: str) -> list[Fact]:
    """The questions to the world about a domain; they do not depend on the server."""
    anywhere = Settings(f"mx.{domain}", domain, f"postmaster@{domain}", sni=True)
    mine = records(anywhere, domain, chosen(anywhere))
    found = (fact for record in mine for fact in record.facts())
    return list(dict.fromkeys(f for f in found if f not in (OWN, REACHED, UPDATES)))


@dataclass(frozen=True)
class OtherRecord:
    """One record of another domain.  `home`: the settings, with the first domain."""

    base: DnsRecord
    home: Settings

    @property
    def domain(self) -> str:
        return self.base.settings.domain

    @property
    def key(self) -> str:
        """Its place among all records."""
        return f"{self.base.key} {self.domain}"

    def seen(self, have: Have) -> Have:
        """What is known, as if this domain were the first."""
        there = have[facts.after("domains", question(self.home))]
        told = {tuple(fact): answer for fact, answer in there.get("told", ())}
        nothing = there if failed_answer(there) else {"error": "it was not asked for"}
        mine = kept(told.get(self.base.question, nothing), self.domain)
        same = authoritative(mine) == authoritative(
            have[DnsRecord("mx", self.home).question]
        )
        able = {"accepted": bool(have[UPDATES].get("accepted")) and same}
        unasked = dict.fromkeys(self.base.facts(), nothing)
        return {**unasked, **have, **told, self.base.question: mine, UPDATES: able}

    def record(self, have: Have) -> Record | None:
        found = self.base.record(have)
        return replace(found, key=self.key) if found else None

    def answer(self, have: Have) -> Any:
        return self.base.answer(self.seen(have))

    def more(self, have: Have) -> More:
        return self.base.more(self.seen(have))

    def verdict(self, have: Have) -> Verdict:
        return self.base.verdict(self.seen(have))

    def publishable(self, have: Have) -> bool:
        return self.base.publishable(self.seen(have))

    def gap(self, have: Have) -> Gap:
        return self.base.gap(self.seen(have))

    def fix(self, have: Have) -> Sequence[Action]:
        known = self.seen(have)
        return self.base.fix(known) if self.base.gap(known) else ()


def other_records(
    s: Settings, have: Have, keys: Sequence[str] = ()
) -> list[OtherRecord]:
    """Those of every domain but the first; without `keys`, all that were chosen."""
    rows = have.get(question(s), {}).get("rows", ())
    mine = keys or chosen(s)
    return [OtherRecord(r, s) for (name,) in rows for r in records(s, name, mine)]


@dataclass(frozen=True)
class OtherDomains(Plain):
    """Every other mail domain has these records."""

    settings: Settings
    keys: tuple[str, ...] = KEYS
    what: str = "MX, SPF and DMARC"

    def __str__(self) -> str:
        return f"{self.what} of the other mail domains"

    def mine(self, have: Have) -> list[OtherRecord]:
        return other_records(self.settings, have, self.keys)

    def facts(self) -> Iterable[Fact]:
        asked = question(self.settings)
        home = DnsRecord("mx", self.settings).question
        return (OWN, REACHED, UPDATES, home, asked, facts.after("domains", asked))

    def gap(self, have: Have) -> Gap:
        if why := failed_answer(have[question(self.settings)]):
            return Unsure(f"Could not tell which domains the server has: {why}.")
        return together(r.gap(have) for r in self.mine(have))

    def fix(self, have: Have) -> Sequence[Action]:
        return [a for r in self.mine(have) for a in r.fix(have)]

    def evidence(self, have: Have) -> str:
        """Which domains were looked at."""
        names = [r.domain for r in self.mine(have)]
        return "\n".join(dict.fromkeys(names)) or "There is no other mail domain."
