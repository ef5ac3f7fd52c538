"""How the records that lead somewhere are judged: addresses, reverse names, MX, SRV, CAA.

Each judge gets the values that are there and says what is wrong with them, in a
sentence; "" when nothing is.  Pure.
Sources: RFC 2181 10.3 (MX and aliases), RFC 7505 (null MX), RFC 1912 2.1 (reverse
names), RFC 8659 (CAA), RFC 2782 (SRV).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ispguide.engine.gaps import NO_GAP, Gap, Unsure
from ispguide.mail.dns.records import Record
from ispguide.mail.dns.wanted import Addresses

Said = Mapping[str, Any]


@dataclass(frozen=True)
class More:
    """What else is known: the server's addresses, where the names in MX lead, the SPF
    record followed to its addresses, and the server's public keys by their names."""

    addresses: Addresses = Addresses()
    targets: Mapping[str, Any] = field(default_factory=dict)
    spf: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)


def addresses(record: Record, values: list[str], said: Said, more: More) -> Gap:
    if set(values) == set(record.values):
        return NO_GAP
    return Gap("elsewhere", f"{record.name} leads to {' and '.join(values)}.")


def own(record: Record, values: list[str], said: Said, more: More) -> Gap:
    if set(values) <= set(more.addresses):
        return NO_GAP
    through = f", through {said['alias']}" if said.get("alias") else ""
    return Gap("elsewhere", f"{record.name} leads to {' and '.join(values)}{through}.")


def _same(a: str, b: str) -> bool:
    return a.rstrip(".").lower() == b.rstrip(".").lower()


def reverse(record: Record, values: list[str], said: Said, more: More) -> Gap:
    want, address = record.values[0], record.name
    if len(values) > 1:
        return Gap(
            "several",
            f"The address has {len(values)} reverse names: {', '.join(values)}.",
        )
    if _same(values[0], want):
        return NO_GAP
    digits = [d for d in address.split(".") if d.isdigit()]
    generic = all(d in re.split(r"[.-]", values[0]) for d in digits[:4]) and digits
    what = "a generic name made by the provider" if generic else "another name"
    words = f"The address is called {values[0]} in reverse: {what}."
    return Gap("generic" if generic else "differs", words)


def exchange(record: Record, values: list[str], said: Said, more: More) -> Gap:
    want = record.values[0].split()[1]
    rows = sorted((int(p), t) for p, t in (value.split() for value in values))
    if rows == [(0, ".")]:
        return Gap(
            "too-strict", f"{record.name} says that it takes no mail at all (null MX)."
        )
    first = [target for priority, target in rows if priority == rows[0][0]]
    # Spare servers behind ours are no fault.
    found = (_target(record.name, target, want, more) for target in first)
    return next((why for why in found if why), NO_GAP)


def _is_ours(target: str, want: str, more: More) -> bool:
    found = more.targets.get(target.rstrip(".").lower(), {})
    here = set(found.get("addresses", ())) & set(more.addresses)
    return _same(target, want) or bool(here and not found.get("alias"))


def _target(domain: str, target: str, want: str, more: More) -> Gap:
    if re.fullmatch(r"[\d.]+|[\da-f.]*:.*", target):
        return Gap(
            "malformed",
            f"The MX of {domain} holds an address, {target}; it must hold a name.",
        )
    if _is_ours(target, want, more):
        return NO_GAP
    found = more.targets.get(target.rstrip(".").lower(), {})
    if alias := found.get("alias"):
        return Gap(
            "alias",
            f"The MX of {domain} leads to {target}, which is an alias of {alias}.",
        )
    if why := found.get("error"):
        return Unsure(f"It could not be told where {target} is: {why}.")
    return Gap(
        "elsewhere",
        f"Mail for {domain} is brought to {target}, which is not this server.",
    )


def caa(record: Record, values: list[str], said: Said, more: More) -> Gap:
    want = record.values[0].split('"')[1]
    at = said.get("at", record.name)
    issues = [
        v.split('"')[1] for v in values if v.split()[1].lower() == "issue" and '"' in v
    ]
    if not issues:
        return Gap(
            "missing",
            f"No CAA record says who may sign certificates for {record.name}.",
        )
    names = [issue.partition(";")[0].strip().lower() for issue in issues]
    if want.lower() in names:
        return NO_GAP
    allowed = ", ".join(name or "nobody" for name in names)
    return Gap(
        "too-strict",
        f"The CAA record of {at} lets {allowed} sign, and not {want}: the next certificate would be refused.",
    )


def service(record: Record, values: list[str], said: Said, more: More) -> Gap:
    want = record.values[0].split()
    for value in values:
        now = value.split()
        if now[2] != want[2] or not _same(now[3], want[3]):
            return Gap(
                "elsewhere", f"{record.name} leads to port {now[2]} of {now[3]}."
            )
    return NO_GAP
