"""How the records that vouch are judged: SPF, DMARC, TLS reporting.

As judges.py does.  Sources: RFC 7208 4.5 and 4.6.4 (one record, ten look-ups), RFC
7489 6.6.3 (one policy), RFC 8460 3.
"""

from __future__ import annotations

import re

from ispguide.engine.gaps import NO_GAP, Gap, Unsure
from ispguide.mail.dns import spf
from ispguide.mail.dns.judges import More, Said
from ispguide.mail.dns.records import Record

# Records made of tags: DMARC and TLS reporting.
#
# Pure.  Sources: RFC 7489 6.3 and 6.4 (DMARC), RFC 8460 3 (TLS-RPT), RFC 3986 (mailto).


POLICIES = ("none", "quarantine", "reject")
_MAILTO = re.compile(r"mailto:[^@\s!,]+@[^@\s!,]+(![0-9]+[kmgt]?)?", re.I)


def tags(text: str) -> dict[str, str]:
    """{name: value} in the order in which they stand; what is no tag as {text: ""}."""
    parts = [part.strip() for part in text.split(";") if part.strip()]
    pairs = (part.partition("=") for part in parts)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def is_dmarc(text: str) -> bool:
    """Whether a TXT record at _dmarc means to be a policy."""
    return text.strip().lower().startswith("v=dmarc")


def dmarc_problems(text: str) -> list[str]:
    """What keeps receivers from following this policy; empty: nothing."""
    found = tags(text)
    first, second = [*found, "", ""][:2]
    if first != "v" or found["v"] != "DMARC1":
        return ["It must begin with v=DMARC1, in capitals, and a semicolon."]
    if second != "p":
        return ["The policy p= must come second, right after v=DMARC1."]
    problems = [
        f"{name}={found[name]} is none of {', '.join(POLICIES)}."
        for name in ("p", "sp")
        if name in found and found[name].lower() not in POLICIES
    ]
    problems += [
        f"{name}={found[name]} is neither r (relaxed) nor s (strict)."
        for name in ("adkim", "aspf")
        if name in found and found[name].lower() not in ("r", "s")
    ]
    if not re.fullmatch(r"\d{1,2}|100", found.get("pct", "100")):
        problems.append(f"pct={found['pct']} is no number from 0 to 100.")
    return problems + [p for name in ("rua", "ruf") for p in _uris(name, found)]


def report_problems(text: str) -> list[str]:
    """What is wrong with a TLS-RPT record; empty: nothing."""
    found = tags(text)
    if next(iter(found), "") != "v" or found["v"] != "TLSRPTv1":
        return ["It must begin with v=TLSRPTv1 and a semicolon."]
    if not found.get("rua"):
        return ["It names no address for the reports (rua=)."]
    return [] if "https:" in found["rua"] else _uris("rua", found)


def _uris(name: str, found: dict[str, str]) -> list[str]:
    if name not in found:
        return []
    wrong = [
        u for u in map(str.strip, found[name].split(",")) if not _MAILTO.fullmatch(u)
    ]
    return [
        f"{name}= holds {u!r}; an address is written as mailto:name@example.org."
        for u in wrong
    ]


# How the records that vouch are judged: SPF, DMARC, TLS reporting.


#: An address of nobody, to see what SPF says of strangers (RFC 5737).
ADDRESS_ELSEWHERE = "192.0.2.1"


def sender(record: Record, values: list[str], said: Said, more: More) -> Gap:
    if len(values) > 1:
        both = " and ".join(map(repr, values))
        return Gap(
            "several",
            f"{record.name} has {len(values)} SPF records, {both}. "
            "Receivers follow none of them then.",
        )
    try:
        spf.parse(values[0])
    except spf.Broken as error:
        return Gap("malformed", f"The SPF record {values[0]!r} is broken. {error}")
    if not more.spf:
        return Unsure(f"The SPF record {values[0]!r} was not followed.")
    if why := _limits(values[0], more.spf) or _judged(values[0], more):
        return why
    if left := left_out(record, more):
        return Gap(
            "too-strict",
            f"The SPF record {values[0]!r} lacks {left[0]}: the smarthost may not send.",
        )
    return NO_GAP


def _limits(text: str, known: Said) -> Gap:
    if known["lookups"] > spf.LOOKUPS:
        return Gap(
            "too-many",
            f"The SPF record {text!r} needs {known['lookups']} look-ups. Receivers stop "
            "at ten and treat it as broken.",
        )
    if known["broken"]:
        return Gap("malformed", f"The SPF record {text!r} is broken. {known['broken']}")
    if known["unsure"]:
        return Unsure(
            f"The SPF record {text!r} could not be followed: {known['unsure']}."
        )
    if known["voids"] > spf.VOIDS:
        return Gap(
            "dangling",
            f"In the SPF record {text!r}, {known['voids']} names lead nowhere. Receivers "
            "stop at two and treat it as broken.",
        )
    return NO_GAP


def _judged(text: str, more: More) -> Gap:
    for address in more.addresses:
        said = spf.verdict(more.spf["terms"], address)
        if said == "unsure":
            return Unsure(f"What {text!r} says of {address} depends on the mail.")
        if said != "pass":
            return Gap(
                "too-strict",
                f"The SPF record {text!r} does not let this server send: it says {said} of {address}.",
            )
    stranger = spf.verdict(more.spf["terms"], ADDRESS_ELSEWHERE)
    if stranger == "pass":
        return Gap(
            "too-open",
            f"The SPF record {text!r} lets everybody in the world send in your name.",
        )
    if stranger == "neutral":
        return Gap(
            "weak",
            f"The SPF record {text!r} forbids nobody: it has no -all or ~all at its end.",
        )
    return NO_GAP


def left_out(record: Record, more: More) -> list[str]:
    """Who else should be let in (a smarthost) and is not, as words of SPF."""
    named = [t.text for t in spf.parse(record.values[0]) if t.value]
    others = more.spf.get("others", {})
    terms = more.spf["terms"]
    return [w for w in named if not spf.lets_in(terms, w, others.get(w, []))]


def dmarc(record: Record, values: list[str], said: Said, more: More) -> Gap:
    if len(values) > 1:
        both = " and ".join(map(repr, values))
        return Gap(
            "several",
            f"{record.name} has {len(values)} records, {both}. Receivers follow none of them then.",
        )
    problems = dmarc_problems(values[0])
    if not problems:
        return NO_GAP
    words = f"The DMARC record {values[0]!r} is broken. {' '.join(problems)}"
    return Gap("malformed", words)


def reports(record: Record, values: list[str], said: Said, more: More) -> Gap:
    if len(values) > 1:
        return Gap(
            "several",
            f"{record.name} has {len(values)} records, so none of them counts.",
        )
    problems = report_problems(values[0])
    if not problems:
        return NO_GAP
    words = f"The record {values[0]!r} is broken. {' '.join(problems)}"
    return Gap("malformed", words)


def mended(record: Record, text: str, more: More) -> str:
    """The SPF record with this server, and its smarthost, let in as well; "" when that
    would not do."""
    known = more.spf
    if not known or known["broken"] or known["lookups"] >= spf.LOOKUPS:
        return ""
    said = {spf.verdict(known["terms"], address) for address in more.addresses}
    left = left_out(record, more)
    add = [] if left and said == {"pass"} else ["mx"]
    stranger = spf.verdict(known["terms"], ADDRESS_ELSEWHERE)
    return (
        spf.with_words(text, [*add, *left]) if stranger in ("fail", "softfail") else ""
    )
