"""How the two records are judged that promise encryption: TLSA and MTA-STS.

As judges.py does.  Several TLSA records may stand side by side while one key follows
another; one that fits is enough (RFC 7672 2.1 and 8.1).
Sources: RFC 6698 2.1, RFC 7671 5, RFC 7672 3.1, RFC 8461 3.1.
"""

from __future__ import annotations

import re

from ispguide.dns.judges import More, Said
from ispguide.dns.records import Record
from ispguide.dns.tags import tags
from ispguide.gaps import NO_GAP, Gap, Unsure


def key(record: Record, values: list[str], said: Said, more: More) -> Gap:
    """What is wrong with the promised key; "" when port 25 keeps the promise."""
    found = [_parts(value) for value in values]
    if any(_fits(parts, more) for parts in found):
        return NO_GAP
    usages = {usage for usage, *_ in found}
    if "2" in usages:
        return Unsure(
            f"{record.name} names an authority ({' and '.join(values)}); whether it "
            "signed this certificate was not looked at."
        )
    if usages <= {"0", "1"}:
        return Gap(
            "wrong-type",
            f"{record.name} says {values[0]}; mail servers only use those that begin with 3 or 2.",
        )
    if all(parts[1] == "0" for parts in found):
        return Gap(
            "short-lived",
            f"{record.name} promises a certificate and not a key: {values[0]}. The next "
            "renewal breaks the promise.",
        )
    return Gap(
        "differs",
        f"{record.name} promises another key than the server's: {' and '.join(values)}. "
        "Servers that check it hold back their mail to you.",
    )


def _parts(value: str) -> tuple[str, str, str, str]:
    usage, selector, matching, data = value.split(None, 3)
    return usage, selector, matching, "".join(data.split()).lower()


def _fits(parts: tuple[str, str, str, str], more: More) -> bool:
    usage, selector, matching, data = parts
    return (usage, selector) == ("3", "1") and more.keys.get(matching) == data


def announced(record: Record, values: list[str], said: Said, more: More) -> Gap:
    """What is wrong with the record that tells of a policy (MTA-STS)."""
    if len(values) > 1:
        return Gap(
            "several",
            f"{record.name} has {len(values)} records, so nobody looks for the policy.",
        )
    text, want = values[0], tags(record.values[0])["id"]
    found = tags(text)
    if next(iter(found), "") != "v" or found["v"] != "STSv1":
        return Gap(
            "malformed",
            f"The record {text!r} is broken. It must begin with v=STSv1 and a semicolon.",
        )
    if not re.fullmatch(r"[A-Za-z0-9]{1,32}", found.get("id", "")):
        return Gap(
            "malformed",
            f"The record {text!r} is broken. It needs an id= of letters and digits.",
        )
    if found["id"] != want:
        return Gap(
            "stale",
            f"{record.name} still has the id {found['id']}. Who fetched the policy under "
            "that id does not notice that it has changed.",
        )
    return NO_GAP
