"""DnsRecord: a record that should be in the DNS, as a thing of a chapter.

Where the zone takes dynamic updates and a key for it is at hand, its fix publishes
the record.  Elsewhere it says what to type at the provider.  Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, ClassVar, Protocol

from ispguide.engine import facts
from ispguide.engine.actions import Action
from ispguide.engine.facts import Fact, Have, Ran, failed_answer
from ispguide.engine.gaps import NO_GAP, Gap, Unsure
from ispguide.engine.settings import Settings
from ispguide.engine.things import Plain
from ispguide.mail.dns import compare
from ispguide.mail.dns.compare import (
    MISSING,
    RIGHT,
    UNKNOWN,
    Verdict,
    judge,
    of_its_kind,
    proposal,
)
from ispguide.mail.dns.judges import More
from ispguide.mail.dns.records import OPTIONAL, Record, written
from ispguide.mail.dns.wanted import Addresses, find, name_of

# A change in a zone, as a dynamic update: what this computer sends, and shows first.
#
# It is done from here and not by the server, which therefore never gets the key of a
# zone.  Pure; `outside.updates` sends it.  Sources: RFC 2136, nsupdate(1).


@dataclass(frozen=True)
class Publish:
    """Take `remove` away and put `values` there.

    `remove`: single values of this type, or None for all of them.  An alias of the
    same name goes in any case: beside one, nothing else may stand (RFC 1034 3.6.2)."""

    zone: str
    name: str
    type: str
    values: tuple[str, ...]
    remove: tuple[str, ...] | None = None
    ttl: int = 3600

    #: It is not for the server: see `Guide.exchange`.
    do: ClassVar[str] = "publish"

    def lines(self) -> list[str]:
        """As nsupdate reads it."""
        name = f"{self.name}."
        gone = [f"update delete {name} {self.type}"]
        if self.remove is not None:
            gone = [f"{gone[0]} {written(self.type, value)}" for value in self.remove]
        if self.type == "CNAME":
            gone = [f"update delete {name}"]
        else:
            gone.insert(0, f"update delete {name} CNAME")
        return gone + [
            f"update add {name} {self.ttl} {self.type} {written(self.type, value)}"
            for value in self.values
        ]

    def by_hand(self) -> str:
        """With the zone's key in a file; on this computer, not on the server."""
        lines = "\n".join([f"zone {self.zone}.", *self.lines(), "send"])
        return f"nsupdate -k YOUR-KEY-FILE <<'END'\n{lines}\nEND"

    def note(self) -> str:
        """For the ledger on the server: a shell script of comments, which does nothing."""
        what = " and ".join(self.values) or "nothing"
        said = (
            f"# published in the DNS: {self.name} {self.type} {what}\n{self.by_hand()}"
        )
        return said.replace("\n", "\n# ")


# DnsRecord: a record that should be in the DNS, as a thing of a chapter.


#: The addresses with which the server goes out; nothing is sent (ip-route(8)).
OWN = facts.run(
    "ip -j -4 route get 192.0.2.1; ip -j -6 route get 2001:db8:ffff:ffff::1; true"
)
UPDATES = facts.outside("updates")
REACHED = facts.outside("address")

#: Addresses that only count at home: behind one, the world sees another.
PRIVATE = [
    ip_network(net) for net in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
        "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128",
    )
]  # fmt: skip


def addresses(have: Have) -> Addresses | None:
    """The server's own, as the world sees them; None when that cannot be told.

    Behind a router that translates, the server knows only a private IPv4 address;
    the one at which this computer reaches it is taken then."""
    now = Ran.of(have[OWN])
    if now.why:
        return None
    return _addresses(now.out, have[REACHED].get("address", ""))


@lru_cache
def _addresses(routes: str, reached: str) -> Addresses | None:
    rows = [r for line in routes.splitlines() for r in _json(line)]
    found = [row["prefsrc"] for row in rows if "prefsrc" in row]
    own = [a for a in (*found, reached) if a and _public(a)]
    four = next((a for a in own if ":" not in a), "")
    six = next((a for a in found if ":" in a and _public(a)), "")
    return Addresses(four, six) if four or six else None


def _json(line: str) -> list[dict[str, Any]]:
    return list(json.loads(line)) if line.startswith("[") else []


def _public(address: str) -> bool:
    ip = ip_address(address)
    return not any(ip in network for network in PRIVATE)


def kept(answer: Any, domain: str) -> Any:
    """What was seen, or that nobody keeps a zone for the domain: where only the root
    or a top-level domain answers, nobody does."""
    if "." in answer.get("zone", "."):
        return answer
    return {"error": f"nobody keeps a zone for {domain}"}


def authoritative(answer: Any) -> set[str]:
    """The name servers of the zone.  A key for updates belongs to those of the first
    domain; somebody else's would refuse it."""
    return set(answer.get("servers", ()))


class WantedRecord(Protocol):
    """A record that should be at its zone's own servers, whoever wants it: the first
    domain, another one, the server's name, or a DKIM key.  All answers are in `have`."""

    @property
    def key(self) -> str: ...
    def record(self, have: Have) -> Record | None:
        """As it should be; None while the server has not said what must stand there."""

    def answer(self, have: Have) -> Any:
        """What the zone's servers say: {zone, servers}, or {error}."""

    def more(self, have: Have) -> More:
        """What else a judge of such records has to know."""

    def verdict(self, have: Have) -> Verdict: ...
    def publishable(self, have: Have) -> bool:
        """Whether the zone takes a change from here."""

    def gap(self, have: Have) -> Gap: ...
    def fix(self, have: Have) -> Sequence[Action]: ...


@dataclass(frozen=True)
class DnsRecord(Plain):
    """The record of this key (see wanted.py) should be at the zone's own servers."""

    key: str
    settings: Settings

    def __str__(self) -> str:
        return name_of(self.key, self.settings)

    @cached_property
    def question(self) -> Fact:
        """Where its present state is found."""
        s, key = self.settings, self.key
        if key.startswith("reverse"):
            return facts.outside("reverse", s.hostname)
        if key == "caa":
            return facts.outside("caa", s.hostname)
        sample = find(s, Addresses("192.0.2.1", "2001:db8::1"), key)
        assert sample, key
        kind = "A" if sample.type == "CNAME" else sample.type
        return facts.outside("record", sample.name, kind)

    def facts(self) -> Iterable[Fact]:
        yield from (OWN, REACHED, UPDATES, self.question)
        if self.key == "mx":
            yield facts.outside("targets", self.settings.domain)
        if self.key in ("spf", "helo_spf"):
            also = self.settings.smarthost_spf if self.key == "spf" else ""
            yield facts.outside("sender", self.question[2], *also.split())

    def record(self, have: Have) -> Record | None:
        """The record as it should be; None: this server needs none."""
        at = addresses(have)
        return find(self.settings, at, self.key) if at else None

    def answer(self, have: Have) -> Any:
        """What was seen: {zone, ttl, servers} or {error}."""
        told = have[self.question]
        if not self.key.startswith("reverse") or failed_answer(told):
            return told
        at = addresses(have) or Addresses()
        address = at.four if self.key == "reverse4" else at.six
        unseen = f"{self.settings.hostname} does not lead to {address} yet"
        return told.get(address, {"error": unseen})

    def more(self, have: Have) -> More:
        """What else its judges need."""
        asked = {fact[1]: have[fact] for fact in self.facts()}
        known = {k: asked.get(k, {}) for k in ("targets", "sender")}
        found = {k: {} if failed_answer(v) else v for k, v in known.items()}
        at = addresses(have) or Addresses()
        return More(at, found["targets"], found["sender"])

    def verdict(self, have: Have) -> Verdict:
        """Right, missing, wrong or could not tell."""
        if addresses(have) is None:
            is_ = Unsure("The server's own address could not be told.")
            return Verdict(UNKNOWN, is_)
        record = self.record(have)
        if record is None:
            return Verdict(RIGHT)
        return judge(record, self.answer(have), self.more(have))

    def publishable(self, have: Have) -> bool:
        """Whether this computer may change the zone itself."""
        return bool(have[UPDATES].get("accepted"))

    def gap(self, have: Have) -> Gap:
        found, record = self.verdict(have), self.record(have)
        if found.state == UNKNOWN:
            return Unsure(f"Could not tell. {found.is_}")
        if found.state == RIGHT or record is None:
            return NO_GAP
        by_itself = self.publishable(have)
        if found.state == MISSING and record.level == OPTIONAL and not by_itself:
            return NO_GAP
        values = proposal(record, found.seen, self.more(have))
        zone = self.answer(have)["zone"]
        return compare.sentence(record, found, values, zone, by_itself)

    def fix(self, have: Have) -> Sequence[Action]:
        record = self.record(have)
        if record is None or not self.publishable(have):
            return ()
        found, answer = self.verdict(have), self.answer(have)
        if found.state == UNKNOWN:
            return ()
        servers = answer["servers"].values()
        seen = sorted({v for said in servers for v in said.get("values", ())})
        remove = tuple(of_its_kind(record, seen)) if record.type == "TXT" else None
        values = proposal(record, found.seen, self.more(have))
        ttl = min(record.ttl, answer["ttl"])
        return [Publish(answer["zone"], record.name, record.type, values, remove, ttl)]

    def evidence(self, have: Have) -> str:
        """What each name server says."""
        answer = self.answer(have)
        rows = answer.get("servers", {}).items()
        return "\n".join(
            f"{name}: {' | '.join(said['values']) or 'nothing'} (remembered {said['ttl']} s)"
            for name, said in rows
            if "error" not in said
        )
