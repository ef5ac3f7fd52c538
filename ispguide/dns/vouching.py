"""How the records that vouch are judged: SPF, DMARC, TLS reporting.

As judges.py does.  Sources: RFC 7208 4.5 and 4.6.4 (one record, ten look-ups), RFC
7489 6.6.3 (one policy), RFC 8460 3.
"""

from __future__ import annotations

from ispguide.dns import spf, tags
from ispguide.dns.judges import More, Said
from ispguide.dns.records import Record
from ispguide.gaps import NO_GAP, Gap, Unsure

#: An address of nobody, to see what SPF says of strangers (RFC 5737).
STRANGER = "192.0.2.1"


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
    stranger = spf.verdict(more.spf["terms"], STRANGER)
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
    problems = tags.dmarc_problems(values[0])
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
    problems = tags.report_problems(values[0])
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
    stranger = spf.verdict(known["terms"], STRANGER)
    return (
        spf.with_words(text, [*add, *left]) if stranger in ("fail", "softfail") else ""
    )
