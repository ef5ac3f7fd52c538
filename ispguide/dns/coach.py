"""The whole book at a glance: every record, what is there, what should be, who knows it.

Pure: built from answers, for whoever shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ispguide import facts
from ispguide.dane.thing import tlsa
from ispguide.dkim.records import KeyRecord, key_records
from ispguide.dns import advice
from ispguide.dns.meaning import MISSING, RIGHT, UNKNOWN, Verdict, judge, proposal
from ispguide.dns.others import OtherRecord, other_records
from ispguide.dns.records import OPTIONAL, Record, Shapes, shapes
from ispguide.dns.thing import DnsRecord
from ispguide.dns.wanted import Addresses, wanted
from ispguide.facts import Fact, Have, failed_answer
from ispguide.settings import Settings

#: How a verdict is shown: a state of report.STATES and a word.
SHOWN = {
    RIGHT: ("ok", "right"),
    MISSING: ("gap", "missing"),
    "wrong": ("gap", "wrong"),
    UNKNOWN: ("unknown", "could not tell"),
}


#: A record that should be there.
Wanted = DnsRecord | KeyRecord | OtherRecord


@dataclass(frozen=True)
class Row:
    """A record: `verdict` on what is there, `proposed` what should be.

    `by_itself`: whether this computer can publish it."""

    record: Record
    verdict: Verdict
    proposed: Record
    zone: str
    by_itself: bool

    @property
    def state(self) -> str:
        """As reports have it; an optional record that is not there is no gap."""
        if self.absent and not self.by_itself:
            return "blocked"
        return SHOWN[self.verdict.state][0]

    @property
    def word(self) -> str:
        """The state in words."""
        if self.absent and not self.by_itself:
            return "not there, optional"
        return SHOWN[self.verdict.state][1]

    @property
    def absent(self) -> bool:
        """An optional record that nobody has published yet."""
        return self.verdict.state == MISSING and self.record.level == OPTIONAL

    @property
    def shapes(self) -> list[Shapes]:
        """What there is to type."""
        return shapes(self.proposed, self.zone)

    @property
    def sentence(self) -> str:
        """Is, should be, do now; "" when there is nothing to do."""
        if self.verdict.state == RIGHT:
            return ""
        if self.verdict.state == UNKNOWN:
            return self.verdict.is_
        values = self.proposed.values
        return advice.sentence(
            self.record, self.verdict, values, self.zone, self.by_itself
        )


@dataclass(frozen=True)
class Note:
    """What one place says of one record.  `left`: seconds it will still believe it.

    `own`: whether the place is a name server of the zone itself."""

    record: Record
    place: str
    own: bool
    verdict: Verdict
    values: tuple[str, ...]
    left: int


def things(s: Settings, have: Have) -> list[Wanted]:
    """Every record that this server might need, as a thing: the first domain's, those
    of the other domains, those of the keys it has."""
    both = Addresses("192.0.2.1", "2001:db8::1")
    own = [DnsRecord(record.key, s) for record in wanted(s, both)]
    return [*own, tlsa(s), *other_records(s, have), *key_records(have, s.domain)]


def rows(s: Settings, have: Have) -> list[Row]:
    """Every record that this server needs, with the verdict on it."""
    return [row for thing in things(s, have) for row in _row(thing, s, have)]


def _row(thing: Wanted, s: Settings, have: Have) -> Iterable[Row]:
    record = thing.record(have)
    if record is None:
        return
    verdict, more = thing.verdict(have), thing.more(have)
    values = proposal(record, verdict.seen, more)
    proposed = Record(record.key, record.name, record.type, values, record.level, record.why)  # fmt: skip
    zone = thing.answer(have).get("zone") or _guessed(record, s)
    yield Row(record, verdict, proposed, zone, thing.publishable(have))


def _guessed(record: Record, s: Settings) -> str:
    return s.domain if record.within(s.domain) else record.name.partition(".")[2]


# who knows it already


def asked_of(s: Settings, have: Have, resolvers: Sequence[str]) -> list[Fact]:
    """The same questions, to resolvers."""
    return [
        facts.outside("dns", row.record.name, _kind(row.record), resolver)
        for row in rows(s, have)
        for resolver in resolvers
    ]


def _kind(record: Record) -> str:
    return "A" if record.type == "CNAME" else record.type


def notes(s: Settings, have: Have, resolvers: Sequence[str]) -> list[Note]:
    """What each place says of each record: the zone's own servers first."""
    found: list[Note] = []
    for thing in things(s, have):
        record = thing.record(have)
        if record is None:
            continue
        answer = thing.answer(have)
        for name, said in answer.get("servers", {}).items():
            found.append(_note(thing, record, have, name, said, own=True))
        for resolver in resolvers:
            fact = facts.outside("dns", record.name, _kind(record), resolver)
            found.append(_note(thing, record, have, resolver, have[fact], own=False))
    return found


def _note(
    thing: Wanted,
    record: Record,
    have: Have,
    place: str,
    said: dict[str, object],
    own: bool,
) -> Note:
    answer = {"zone": "", "servers": {place: said}}
    verdict = judge(record, answer, thing.more(have))
    if failed_answer(said):
        return Note(record, place, own, verdict, (), 0)
    values, left = said["values"], said["ttl"]
    assert isinstance(values, list) and isinstance(left, int)
    return Note(record, place, own, verdict, tuple(values), left)
