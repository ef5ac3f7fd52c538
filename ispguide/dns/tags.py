"""Records made of tags: DMARC and TLS reporting.

Pure.  Sources: RFC 7489 6.3 and 6.4 (DMARC), RFC 8460 3 (TLS-RPT), RFC 3986 (mailto).
"""

from __future__ import annotations

import re

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
