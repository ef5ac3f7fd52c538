"""KeyRecord: the public half of one key in the DNS, judged and published like the
records of chapter 14.  DkimRecords: those of all keys that need one.

Pure.  Which keys there are is known only when the server has been asked, so all of
them together are one thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ispguide.engine import facts
from ispguide.engine.actions import Action
from ispguide.engine.facts import Fact, Have, failed_answer
from ispguide.engine.gaps import NO_GAP, Gap, Unsure, together
from ispguide.engine.things import Plain
from ispguide.mail.dkim.keys import LOOK, Key, Signers, seen
from ispguide.mail.dns import compare
from ispguide.mail.dns.compare import RIGHT, UNKNOWN, Verdict, judge
from ispguide.mail.dns.judges import More
from ispguide.mail.dns.records import REQUIRED, Record
from ispguide.mail.dns.thing import UPDATES, Publish, authoritative, kept

#: {name: what the zone's servers say} of every key the server has.
THERE: Fact = facts.after("keys", LOOK)
FACTS = (LOOK, THERE, UPDATES)
WHY = "With it, receivers see that a letter is yours and that nobody changed it."


@dataclass(frozen=True)
class KeyRecord:
    """The record of one key.  `home`: the server's first mail domain."""

    key_: Key
    home: str

    @property
    def key(self) -> str:
        """Its place among all records."""
        return f"dkim {self.key_.name}"

    def record(self, have: Have) -> Record:
        """As it should be, computed on the server from the private key."""
        k = self.key_
        return Record(self.key, k.name, "TXT", (k.text,), REQUIRED, WHY)

    def answer(self, have: Have) -> Any:
        """What was seen: {zone, ttl, servers} or {error}."""
        told = have[THERE]
        if failed_answer(told):
            return told
        found = told.get(self.key_.name, {"error": "it was not asked for"})
        return kept(found, self.key_.domain)

    def more(self, have: Have) -> More:
        """The other keys of the server, so that a mix-up is recognised."""
        all_ = seen(have)
        keys = all_.keys if all_ else ()
        names = {k.selector: k.public for k in keys if k != self.key_ and k.public}
        return More(keys=names)

    def verdict(self, have: Have) -> Verdict:
        return judge(self.record(have), self.answer(have), self.more(have))

    def publishable(self, have: Have) -> bool:
        """The key for updates belongs to the first domain's name servers; the zones of
        other domains may be kept by somebody else, who would refuse it."""
        if not have[UPDATES].get("accepted"):
            return False
        mine = authoritative(self.answer(have))
        ends = f"._domainkey.{self.home}"
        homes = [a for name, a in have[THERE].items() if name.endswith(ends)]
        return any(mine == authoritative(a) for a in homes)

    def values(self, have: Have) -> list[str]:
        """Everything that some server of the zone says at this name."""
        servers = self.answer(have).get("servers", {}).values()
        return sorted({v for said in servers for v in said.get("values", ())})

    def fix(self, have: Have) -> Sequence[Action]:
        if not self.publishable(have) or self.verdict(have).state in (RIGHT, UNKNOWN):
            return ()
        record = self.record(have)
        return [self._change(have, record.values)]

    def withdraw(self, have: Have) -> Sequence[Action]:
        """Take the record away, of a key that nobody needs any more."""
        if not self.publishable(have) or not self.values(have):
            return ()
        return [self._change(have, ())]

    def _change(self, have: Have, values: tuple[str, ...]) -> Publish:
        answer, record = self.answer(have), self.record(have)
        ttl = min(record.ttl, answer["ttl"])
        return Publish(answer["zone"], record.name, "TXT", values, None, ttl)

    def gap(self, have: Have) -> Gap:
        """Is, should be, do now; empty when it is right."""
        found = self.verdict(have)
        if found.state == RIGHT:
            return NO_GAP
        if found.state == UNKNOWN:
            return Unsure(f"Could not tell. {found.is_}")
        record, zone = self.record(have), self.answer(have)["zone"]
        return compare.sentence(
            record, found, record.values, zone, self.publishable(have)
        )


def key_records(have: Have, home: str) -> list[KeyRecord]:
    """Those that must be in the DNS."""
    signers = seen(have)
    if signers is None:
        return []
    return [KeyRecord(k, home) for d in signers.domains for k in signers.needed(d)]


def visible(have: Have, signers: Signers) -> set[Key]:
    """The keys of which all name servers of the zone have the right public half."""
    return {k for k in signers.keys if k.public and KeyRecord(k, k.domain).verdict(have).state == RIGHT}  # fmt: skip


@dataclass(frozen=True)
class DkimRecords(Plain):
    """Every key that signs, or waits for its turn, has its public half in the DNS.

    `domain`: the first one, whose zone may take updates."""

    domain: str

    def __str__(self) -> str:
        return "the public half of each DKIM key, in the DNS"

    def facts(self) -> Iterable[Fact]:
        return FACTS

    def gap(self, have: Have) -> Gap:
        signers = seen(have)
        if signers is None:
            return Unsure("Could not tell which keys the server has.")
        told = [record.gap(have) for record in key_records(have, self.domain)]
        told += [
            Gap(
                "waits",
                f"{d} has no key yet whose public half could be there. The step `keys` makes one.",
            )
            for d in signers.domains
            if not signers.needed(d)
        ]
        return together(told)

    def fix(self, have: Have) -> Sequence[Action]:
        return [
            action for r in key_records(have, self.domain) for action in r.fix(have)
        ]

    def evidence(self, have: Have) -> str:
        """Which records were compared."""
        return "\n".join(
            f"{r.key_.name}: the same as computed from {r.key_.path}"
            for r in key_records(have, self.domain)
        )
