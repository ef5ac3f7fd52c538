"""What a record that is there means, compared with the one that should be.

By meaning and not by text: case, order, final dots, priorities and other TXT strings
do not matter.  Three-valued: right, wrong (or missing), could not tell.  Pure.
The judges of the single types are in judges.py, policies.py and keys.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ispguide.engine.gaps import NO_GAP, Gap, Unsure
from ispguide.mail.dns import judges, keys, policies, spf
from ispguide.mail.dns.judges import More, Said
from ispguide.mail.dns.records import OPTIONAL, Record

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
        return (policies.mended(record, texts[0], more) or record.values[0],)
    return record.values


def of_its_kind(record: Record, values: Sequence[str]) -> list[str]:
    """The values that a new one replaces: a name may have other texts besides."""
    if record.type != "TXT" or _sort(record) == "dkim":
        return list(values)
    head = record.values[0][:8].lower()
    mine = {
        "v=spf1 m": spf.is_spf,
        "v=spf1 a": spf.is_spf,
        "v=dmarc1": policies.is_dmarc,
    }
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
    "CNAME": judges.own, "TXT": policies.reports, "TLSA": keys.tlsa_key,
}  # fmt: skip
_JUDGES: dict[str, Judge] = {
    "spf": policies.sender, "helo_spf": policies.sender, "dmarc": policies.dmarc,
    "dkim": keys.dkim_key, "sts": keys.announced,
}  # fmt: skip


def _judge(record: Record) -> Judge:
    return _JUDGES.get(_sort(record), _BY_TYPE[record.type])


# The words for a record that is not as it should be: is, should be, do now.
#
# Pure.


PANEL = (
    "Set it where you rent the server (“reverse DNS”, “PTR” or “rDNS” in its panel): "
    "only who owns the address can."
)


def sentence(
    record: Record, found: Verdict, values: Sequence[str], zone: str, by_itself: bool
) -> Gap:
    """What is, what should be, what to do."""
    is_ = found.is_ if found.is_.endswith(".") else f"{found.is_}."
    do = todo(record, values, zone, by_itself)
    return Gap(found.is_.kind, " ".join((is_, should(record, values), do)))


def should(record: Record, values: Sequence[str]) -> str:
    """What should be there."""
    if not values:
        return "There should be none."
    what = {
        "A": "lead to ",
        "AAAA": "lead to ",
        "PTR": "be called ",
        "CNAME": "be an alias of ",
    }
    said = (
        " and ".join(map(repr, values))
        if record.type == "TXT"
        else " and ".join(values)
    )
    who = {"PTR": "The address"}.get(record.type, record.name)
    optional = " (this one is optional)" if record.level == OPTIONAL else ""
    if record.type in what:
        return f"{who} should {what[record.type]}{said}{optional}."
    return f"The {record.type} record of {record.name} should be {said}{optional}."


def todo(record: Record, values: Sequence[str], zone: str, by_itself: bool) -> str:
    """What to do now."""
    if by_itself:
        return "The guide can publish it itself."
    if record.type == "PTR":
        return PANEL
    where = f"In the form of your DNS provider, zone {zone}"
    name = f"name {record.relative(zone)}, type {record.type}"
    if not values:
        return f"{where}: remove {name}."
    typed = (
        " and ".join(map(repr, values))
        if record.type == "TXT"
        else " and ".join(values)
    )
    return f"{where}: {name}, value {typed}."
