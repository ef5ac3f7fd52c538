"""The tasks of the DNS coach: look, publish, follow, write the zone file.

What they return is data; notebook and command line show it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fabric import task

from ispguide.engine import facts
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Fact, Have, failed_answer
from ispguide.engine.guide import Guide
from ispguide.engine.settings import Settings
from ispguide.mail.dkim.records import key_records
from ispguide.mail.dns import compare
from ispguide.mail.dns.compare import MISSING, RIGHT, UNKNOWN, Verdict, judge, proposal
from ispguide.mail.dns.others import other_records
from ispguide.mail.dns.records import OPTIONAL, Record, Shapes, shapes, zone_file
from ispguide.mail.dns.thing import DnsRecord, WantedRecord
from ispguide.mail.dns.wanted import Addresses, wanted
from ispguide.mail.tlsa import tlsa
from ispguide.outside.updates import Key, NotPublished
from ispguide.tasks.base import PRACTICE, guide_task, open_guide

# The whole book at a glance: every record, what is there, what should be, who knows it.
#
# Pure: built from answers, for whoever shows them.


#: How a verdict is shown: a state of report.STATES and a word.
SHOWN = {
    RIGHT: ("ok", "right"),
    MISSING: ("gap", "missing"),
    "wrong": ("gap", "wrong"),
    UNKNOWN: ("unknown", "could not tell"),
}


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
        return compare.sentence(
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


def things(s: Settings, have: Have) -> list[WantedRecord]:
    """Every record that this server might need, as a thing: the first domain's, those
    of the other domains, those of the keys it has."""
    both = Addresses("192.0.2.1", "2001:db8::1")
    own = [DnsRecord(record.key, s) for record in wanted(s, both)]
    return [*own, tlsa(s), *other_records(s, have), *key_records(have, s.domain)]


def rows(s: Settings, have: Have) -> list[Row]:
    """Every record that this server needs, with the verdict on it."""
    return [row for thing in things(s, have) for row in _row(thing, s, have)]


def _row(thing: WantedRecord, s: Settings, have: Have) -> Iterable[Row]:
    record = thing.record(have)
    if record is None:
        return
    verdict, more = thing.verdict(have), thing.more(have)
    values = proposal(record, verdict.seen, more)
    proposed = Record(record.key, record.name, record.type, values, record.level, record.why)  # fmt: skip
    zone = thing.answer(have).get("zone") or _zone_of_name(record, s)
    yield Row(record, verdict, proposed, zone, thing.publishable(have))


def _zone_of_name(record: Record, s: Settings) -> str:
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
    thing: WantedRecord,
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


# The tasks of the DNS coach: look, publish, follow, write the zone file.


@dataclass(frozen=True)
class Propagation:
    """Who knows what: notes, and when they were taken (seconds since 1970)."""

    notes: tuple[Note, ...]
    time: float


@guide_task(iterable=["keys"])
def dns_records(guide: Guide, keys: Sequence[str] = ()) -> list[Row]:
    """Every record the server needs, with what is there; changes nothing."""
    return [row for row in _rows(guide) if not keys or row.record.key in keys]


@task(iterable=["keys"])
def dns_publish(
    c: Any,
    keys: Sequence[str] = (),
    server: str = PRACTICE,
    sudo: Any = None,
    key: Key | None = None,
) -> list[Row]:
    """Publish what is missing or wrong (all of it, or these), and look again.

    `key`: for a zone that takes dynamic updates; a practice zone needs none."""
    guide = open_guide(server, sudo, key)
    with guide.server:
        before = _rows(guide)
        open_ = {
            row.record.key
            for row in before
            if row.verdict.state not in (RIGHT, UNKNOWN)
            and (row.record.key in keys or not keys)
        }
        todo = [t for t in things(guide.settings, guide.have) if t.key in open_]
        do = [action for thing in todo for action in thing.fix(guide.have)]
        if open_ and not do:
            raise NotPublished(
                "Nothing was published.",
                "There should be a key for a zone that takes changes.",
                "Type it in, or copy the records into the form of your provider.",
                kind="no-zone-key",
            )
        if do:
            _publish(guide, do)
        return _rows(guide)


def _publish(guide: Guide, do: Sequence[Any]) -> None:
    refused = NotPublished(
        "The change was not published.",
        "The name server should take it.",
        "Read its answer below; or copy the records into the form of your provider.",
    )
    guide.must(do, "dns.coach", refused)


@guide_task(aliases=["dns-spread"])
def dns_propagation(guide: Guide) -> Propagation:
    """What the zone's own servers and the resolvers say of each record."""
    _rows(guide)
    whom = guide.outside.resolvers()
    guide.exchange(tell=asked_of(guide.settings, guide.have, whom))
    return Propagation(tuple(notes(guide.settings, guide.have, whom)), time.time())


@task
def dns_zone(c: Any, server: str = PRACTICE, sudo: Any = None) -> str:
    """The records as a zone file, to be imported at a provider."""
    rows = dns_records(c, (), server=server, sudo=sudo)
    if not rows:
        raise GuideError(
            "The server's own addresses could not be told.",
            "They stand in half of the records.",
            "Look whether the server has a way to the internet, then try again.",
            kind="no-answer",
        )
    zone = next(row.zone for row in rows if row.record.key == "mx")
    return zone_file([row.proposed for row in rows], zone)


def _rows(guide: Guide) -> list[Row]:
    steps = guide.select("dns", "dkim.public_keys")
    guide.look([step for step in steps if not step.proves])
    return rows(guide.settings, guide.have)
