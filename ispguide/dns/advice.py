"""The words for a record that is not as it should be: is, should be, do now.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from ispguide.dns.meaning import Verdict
from ispguide.dns.records import OPTIONAL, Record
from ispguide.gaps import Gap

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
