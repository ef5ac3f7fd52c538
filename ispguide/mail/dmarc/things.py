"""DmarcPolicy and ReportsMailbox: what the domain asks for, and who hears of forgeries.

Pure.  Sources: RFC 7489 6.3 (the policy), 7.2 (reports).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ispguide.engine import facts
from ispguide.engine.actions import Action
from ispguide.engine.facts import Fact, Have, failed_answer
from ispguide.engine.gaps import Gap, together
from ispguide.engine.settings import Settings
from ispguide.engine.things import Plain
from ispguide.mail.dns import compare
from ispguide.mail.dns.compare import RIGHT, WRONG, Verdict, of_its_kind
from ispguide.mail.dns.policies import tags
from ispguide.mail.dns.thing import DnsRecord, Publish
from ispguide.mail.mariadb import literal, statement

POLICY = re.compile(r"\bp\s*=\s*[^;\s]*", re.I)
#: A hash that no password has: nobody can log in.
NO_PASSWORD = "{CRYPT}!"


def policy(text: str) -> str:
    """What a DMARC record asks for; "" when it does not say."""
    return tags(text).get("p", "").lower()


@dataclass(frozen=True)
class DmarcPolicy(DnsRecord):
    """The domain asks for what the settings say, if they say it."""

    def __init__(self, settings: Settings):
        object.__setattr__(self, "key", "dmarc")
        object.__setattr__(self, "settings", settings)

    def __str__(self) -> str:
        decided = self.settings.dmarc_policy
        what = f"asks for {decided}" if decided else "says what becomes of forgeries"
        return f"{self.settings.domain} {what} in its DMARC record"

    def verdict(self, have: Have) -> Verdict:
        """Stricter than that of chapter 14: the word after p= counts."""
        found, want = super().verdict(have), self.settings.dmarc_policy
        texts = [t for t in found.seen if t.lower().startswith("v=dmarc1")]
        if found.state != RIGHT or not want or not texts or policy(texts[0]) == want:
            return found
        is_ = Gap("differs", f"The DMARC record says {texts[0]!r}.")
        return Verdict(WRONG, is_, found.seen)

    def gap(self, have: Have) -> Gap:
        found, record = self.verdict(have), self.record(have)
        if found.state != WRONG or record is None:
            return super().gap(have)
        able, zone = self.publishable(have), self.answer(have)["zone"]
        return compare.sentence(record, found, self.values(have), zone, able)

    def values(self, have: Have) -> tuple[str, ...]:
        """The record with another word after p=; all else in it stays."""
        found, record = self.verdict(have), self.record(have)
        assert record
        texts = [t for t in found.seen if t.lower().startswith("v=dmarc1")]
        whole = len(texts) == 1 and super().verdict(have).state == RIGHT
        if not whole:
            return record.values
        return (POLICY.sub(f"p={self.settings.dmarc_policy}", texts[0], count=1),)

    def fix(self, have: Have) -> Sequence[Action]:
        found, record = self.verdict(have), self.record(have)
        if found.state != WRONG or record is None or not self.publishable(have):
            return super().fix(have)
        answer = self.answer(have)
        remove = tuple(of_its_kind(record, found.seen))
        ttl = min(record.ttl, answer["ttl"])
        return [Publish(answer["zone"], record.name, "TXT", self.values(have), remove, ttl)]  # fmt: skip


@dataclass(frozen=True)
class ReportsMailbox(Plain):
    """A mailbox for reports, or an alias to one; nobody can log in to the mailbox.

    `domain`: the first one.  The other domains' addresses for reports lead there."""

    domain: str

    @property
    def address(self) -> str:
        return f"dmarc@{self.domain}"

    def __str__(self) -> str:
        return f"a mailbox for DMARC reports, {self.address}"

    @property
    def question(self) -> Fact:
        """The mailboxes that reports come to: their own, or those of an alias."""
        me = literal(self.address)
        return facts.sql(
            f"SELECT email FROM mailserver.virtual_users WHERE email = {me} UNION "
            f"SELECT destination FROM mailserver.virtual_aliases WHERE source = {me}"
        )

    @property
    def others(self) -> Fact:
        """The other domains whose address for reports leads nowhere."""
        return facts.sql(f"SELECT name FROM {self._without()} ORDER BY name")

    def _without(self) -> str:
        me = "CONCAT('dmarc@', d.name)"
        return (
            f"mailserver.virtual_domains d WHERE d.name <> {literal(self.domain)}"
            f" AND NOT EXISTS (SELECT 1 FROM mailserver.virtual_users WHERE email = {me})"
            f" AND NOT EXISTS (SELECT 1 FROM mailserver.virtual_aliases WHERE source = {me})"
        )

    def facts(self) -> Iterable[Fact]:
        return [self.question, self.others]

    def gap(self, have: Have) -> Gap:
        for fact in self.facts():
            if why := failed_answer(have[fact]):
                words = f"The list of mailboxes cannot be read: {why}."
                return Gap("no-answer", words)
        if have[self.question]["rows"]:
            return together(
                Gap(
                    "missing",
                    f"Nobody gets letters to dmarc@{name}. They should come to "
                    f"{self.address}. This step adds the forwarding.",
                )
                for (name,) in have[self.others]["rows"]
            )
        return Gap(
            "missing",
            f"There is no address {self.address}, so reports come back to their senders. "
            "It should be a mailbox, or an alias of one. This step makes a mailbox.",
        )

    def fix(self, have: Have) -> Sequence[Action]:
        return [
            statement(
                "INSERT IGNORE INTO mailserver.virtual_users (domain_id, email, password)\n"
                f"  SELECT id, {literal(self.address)}, '{NO_PASSWORD}'\n"
                f"  FROM mailserver.virtual_domains WHERE name = {literal(self.domain)};\n"
                "INSERT IGNORE INTO mailserver.virtual_aliases (domain_id, source, destination)\n"
                f"  SELECT d.id, CONCAT('dmarc@', d.name), {literal(self.address)}\n"
                f"  FROM {self._without()};"
            )
        ]

    def evidence(self, have: Have) -> str:
        return "\n".join(row[0] for row in have[self.question].get("rows", ()))
