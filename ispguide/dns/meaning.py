"""What a record that is there means, compared with the one that should be.

By meaning and not by text: case, order, final dots, priorities and other TXT strings
do not matter.  Three-valued: right, wrong (or missing), could not tell.  Pure.
The judges of the single types are in judges.py and vouching.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ispguide.dns import judges, pinning, signing, spf, tags, vouching
from ispguide.dns.judges import More, Said
from ispguide.dns.records import Record
from ispguide.gaps import NO_GAP, Gap, Unsure

RIGHT, MISSING, WRONG, UNKNOWN = "right", "missing", "wrong", "could not tell"


@dataclass(frozen=True)
class Verdict:
    """`is_`: what is not so, if anything.  `seen`: the values, of whoever is wrong."""

    state: str
    is_: Gap = NO_GAP
    seen: tuple[str, ...] = ()


def judge(record: Record, answer: Said, more: More) -> Verdict:
    """What the zone's own servers say, against what they should."""
    if why := answer.get("error"):
        return Verdict(UNKNOWN, Unsure(f"{record} could not be looked up: {why}."))
    servers: Mapping[str, Said] = answer["servers"]
    told = {name: said for name, said in servers.items() if "error" not in said}
    if not told:
        why = "; ".join(f"{n}: {said['error']}" for n, said in servers.items())
        is_ = f"No name server of {answer['zone']} answered ({why})."
        return Verdict(UNKNOWN, Unsure(is_))
    found = {name: _problem(record, said, more) for name, said in told.items()}
    wrong = {n: p for n, p in found.items() if p and not isinstance(p, Unsure)}
    if not wrong:
        unsure = next((p for p in found.values() if p), NO_GAP)
        values = tuple(next(iter(told.values()))["values"])
        return Verdict(UNKNOWN if unsure else RIGHT, unsure, values)
    name, gap = next(iter(wrong.items()))
    if len(wrong) < len(found):
        others = f"{', '.join(wrong)} still answers otherwise than the others: "
        gap = Gap(gap.kind, others + gap)
    seen = tuple(told[name]["values"])
    there = of_its_kind(record, seen) or told[name].get("alias")
    return Verdict(WRONG if there else MISSING, gap, seen)


def proposal(record: Record, seen: Sequence[str], more: More) -> tuple[str, ...]:
    """The values that should be there.  A text that holds stays, whatever its words
    are; of an SPF record that only lacks this server, the others it lets in stay."""
    texts = of_its_kind(record, seen) if record.type == "TXT" else []
    if len(texts) != 1:
        return record.values
    problem = _judge(record)(record, texts, {}, more)
    if not problem:
        return (texts[0],)
    if record.key == "spf" and not isinstance(problem, Unsure):
        return (vouching.mended(record, texts[0], more) or record.values[0],)
    return record.values


def of_its_kind(record: Record, values: Sequence[str]) -> list[str]:
    """The values that a new one replaces: a name may have other texts besides."""
    if record.type != "TXT" or _sort(record) == "dkim":
        return list(values)
    head = record.values[0][:8].lower()
    mine = {"v=spf1 m": spf.is_spf, "v=spf1 a": spf.is_spf, "v=dmarc1": tags.is_dmarc}
    return [v for v in values if mine.get(head, lambda t: t.lower()[:8] == head)(v)]


def _problem(record: Record, said: Said, more: More) -> Gap:
    if not record.values:
        return _surplus(record, said)
    if (alias := said.get("alias")) and record.type in ("A", "AAAA"):
        return Gap(
            "alias",
            f"{record.name} is an alias (CNAME) of {alias}, and the name of a mail "
            "server may not be one.",
        )
    values = of_its_kind(record, said["values"])
    if not values and record.key != "caa":
        words = f"There is no {_called(record)} for {record.name}{_others(said)}."
        return Gap("missing", words)
    return _judge(record)(record, values, said, more)


def _sort(record: Record) -> str:
    """Its key without what tells several of the same sort apart."""
    return record.key.partition(" ")[0]


def _called(record: Record) -> str:
    kinds = {"spf": "SPF record", "helo_spf": "SPF record", "dmarc": "DMARC record",
             "tls_reports": "TLS reporting record", "reverse4": "reverse name",
             "reverse6": "reverse name", "autoconfig": "A record",
             "autodiscover": "A record", "dkim": "DKIM key", "sts": "MTA-STS record",
             "sts_name": "A record", "sni_name": "A record"}  # fmt: skip
    return kinds.get(_sort(record), f"{record.type} record")


def _others(said: Said) -> str:
    texts = said["values"]
    return f" (only {'; '.join(map(repr, texts))})" if texts else ""


def _surplus(record: Record, said: Said) -> Gap:
    values = [v for v in said["values"] if record.type != "SRV" or v.split()[-1] != "."]
    if not values:
        return NO_GAP
    return Gap(
        "unwanted",
        f"{record.name} has the {record.type} record {', '.join(values)}. {record.why}",
    )


Judge = Callable[[Record, list[str], Said, More], Gap]
_BY_TYPE: dict[str, Judge] = {
    "A": judges.addresses, "AAAA": judges.addresses, "PTR": judges.reverse,
    "MX": judges.exchange, "CAA": judges.caa, "SRV": judges.service,
    "CNAME": judges.own, "TXT": vouching.reports, "TLSA": pinning.key,
}  # fmt: skip
_JUDGES: dict[str, Judge] = {
    "spf": vouching.sender, "helo_spf": vouching.sender, "dmarc": vouching.dmarc,
    "dkim": signing.key, "sts": pinning.announced,
}  # fmt: skip


def _judge(record: Record) -> Judge:
    return _JUDGES.get(_sort(record), _BY_TYPE[record.type])
