"""SPF: read a record, and say what it says of an address once it was followed.

Pure; `spf_walk.py` follows it.  Macros and `exists` depend on each single mail; they
are counted, and otherwise said to be unsure.
Source: RFC 7208 (4.6 syntax and limits, 5 mechanisms, 6 redirect).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

#: Look-ups a receiver makes, and how many may lead nowhere, before it gives up.
LOOKUPS, VOIDS = 10, 2
VERDICTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_TERM = re.compile(
    r"(?P<sign>[+?~-]?)(?P<name>all|include|a|mx|ptr|ip4|ip6|exists)"
    r"(?::(?P<value>[^/\s]+))?(?P<cidr>(?:/\d{1,3})?(?://\d{1,3})?)",
    re.I,
)
_MODIFIER = re.compile(r"(?P<name>[a-z][a-z0-9_.-]*)=(?P<value>\S*)", re.I)


Node = dict[str, Any]  #: a term, followed: {sign, text, networks} or {…, inner}


class Broken(ValueError):
    """The record is against the rules: receivers call it permerror."""


@dataclass(frozen=True)
class Term:
    """One word of a record.  `sign`: + - ~ or ?; "=" for a modifier."""

    sign: str
    name: str
    value: str
    cidr: str
    text: str


def is_spf(text: str) -> bool:
    """Whether a TXT record means to be SPF."""
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def parse(text: str) -> list[Term]:
    """The words of a record; Broken with a sentence when it breaks the rules."""
    if not is_spf(text):
        raise Broken(f"{text!r} does not begin with v=spf1 and a space.")
    terms = [_term(word) for word in text.split()[1:]]
    for name in ("redirect", "exp"):
        if sum(t.sign == "=" and t.name == name for t in terms) > 1:
            raise Broken(f"It has more than one {name}=.")
    return terms


def _term(word: str) -> Term:
    if found := _TERM.fullmatch(word):
        name, value = found["name"].lower(), found["value"] or ""
        if name in ("include", "exists", "ip4", "ip6") and not value:
            raise Broken(f"{word!r} lacks what should stand after the colon.")
        if name in ("ip4", "ip6"):
            network(name, value + found["cidr"], word)
        return Term(found["sign"] or "+", name, value, found["cidr"], word)
    if found := _MODIFIER.fullmatch(word):
        return Term("=", found["name"].lower(), found["value"], "", word)
    raise Broken(f"{word!r} is no word of SPF.")


def network(name: str, text: str, word: str) -> str:
    """The network of an ip4 or ip6 term."""
    try:
        found = ip_network(text, strict=False)
    except ValueError as error:
        raise Broken(f"{word!r} holds no address of its kind.") from error
    if found.version != int(name[-1]):
        raise Broken(f"{word!r} holds an address of the other kind.")
    return str(found)


def verdict(terms: list[Node], address: str) -> str:
    """What these terms say of an address: pass, fail, softfail, neutral or unsure."""
    for node in terms:
        if node["sign"] == "redirect":
            return verdict(node["inner"], address)
        if node.get("unsure"):
            return "unsure"
        if _matches(node, address):
            return VERDICTS[node["sign"]]
    return "neutral"


def _matches(node: Node, address: str) -> bool:
    if "inner" in node:
        return verdict(node["inner"], address) == "pass"
    ip = ip_address(address)
    return any(ip in ip_network(network) for network in node["networks"])


def lets_in(terms: list[Node], word: str, others: list[Node]) -> bool:
    """Whether `word` is among the words that count, or all whom it leads to (`others`,
    the same word followed) are let in by other ones."""
    if word.lower() in (w.lower().lstrip("+") for w in words(_counting(terms))):
        return True
    ends = [end for text in _networks(others) for end in _ends(text)]
    return bool(ends) and all(verdict(terms, end) == "pass" for end in ends)


def _counting(terms: list[Node]) -> list[Node]:
    """Those before the first `all`: nobody reads further."""
    names = [node["text"].lstrip("+-~?").lower() for node in terms]
    return terms[: names.index("all")] if "all" in names else terms


def _networks(terms: list[Node]) -> Iterator[str]:
    for node in terms:
        if node["sign"] == "+":
            yield from node.get("networks", ())
            yield from _networks(node.get("inner", []))


def _ends(text: str) -> tuple[str, str]:
    found = ip_network(text)
    return str(found[0]), str(found[-1])


def with_words(text: str, more: Iterable[str]) -> str:
    """The record with these let in as well, before everything else."""
    head, _, rest = text.partition(" ")
    return " ".join([head, *more, rest]).rstrip()


def words(terms: list[Node]) -> Iterator[str]:
    """The words that were followed, those inside others after them."""
    for node in terms:
        yield node["text"]
        yield from words(node.get("inner", []))
