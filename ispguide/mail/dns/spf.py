"""SPF: read a record, and say what it says of an address once it was followed.

Pure; the second half follows it.  Macros and `exists` depend on each single mail; they
are counted, and otherwise said to be unsure.
Source: RFC 7208 (4.6 syntax and limits, 5 mechanisms, 6 redirect).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
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


# SPF followed to its addresses: includes, hosts and exchangers, with the counts.
#
# Pure: whoever calls `expand` brings the function that looks names up.
# Source: RFC 7208 4.6.4 (limits), 5 (mechanisms), 6.1 (redirect).


#: Deeper than any sane record; a loop of includes ends by the count of look-ups.
DEEP = 60
COUNTED = ("include", "a", "mx", "ptr", "exists", "redirect")

#: (name, type) → values, none when there are none; raises Unanswered.
Lookup = Callable[[str, str], list[str]]


class Unanswered(Exception):
    """A name could not be looked up now."""


def expand(domain: str, text: str, lookup: Lookup) -> Node:
    """{terms, lookups, voids, broken, unsure}: the record, followed to its addresses.

    A term is {sign, text, networks} or, for an include, {sign, text, inner: terms};
    it is plain data, so that it can be remembered."""
    walk = _Walk(lookup)
    terms: list[Node] = []
    try:
        terms = walk.follow(domain, text)
    except Broken as error:
        walk.broken = str(error)
    except Unanswered as error:
        walk.unsure = str(error)
    return {
        "terms": terms,
        "lookups": walk.lookups,
        "voids": walk.voids,
        "broken": walk.broken,
        "unsure": walk.unsure,
    }


class _Walk:
    """One walk through a record; it goes on past ten look-ups, to count them all."""

    def __init__(self, lookup: Lookup):
        self._lookup = lookup
        self.lookups = self.voids = 0
        self.broken = self.unsure = ""

    def follow(self, domain: str, text: str) -> list[Node]:
        terms, nodes = parse(text), list[Node]()
        has_all = any(t.name == "all" for t in terms)
        for term in terms:
            if self.lookups > DEEP:
                raise Broken("Its includes lead round in a circle.")
            if term.sign != "=":
                nodes.append(self._mechanism(domain, term))
            elif term.name == "redirect" and not has_all:
                self.lookups += 1
                nodes.append(self._other("redirect", term))
        return nodes

    def _mechanism(self, domain: str, term: Term) -> Node:
        self.lookups += term.name in COUNTED
        node: Node = {"sign": term.sign, "text": term.text}
        if "%" in term.value or term.name in ("exists", "ptr"):
            return node | {"networks": [], "unsure": True}
        if term.name == "all":
            return node | {"networks": ["0.0.0.0/0", "::/0"]}
        if term.name in ("ip4", "ip6"):
            return node | {
                "networks": [network(term.name, term.value + term.cidr, term.text)]
            }
        if term.name == "include":
            return self._other(term.sign, term)
        hosts = [term.value or domain]
        if term.name == "mx":
            hosts = self._exchangers(hosts[0])
        return node | {"networks": [n for h in hosts for n in self._at(h, term.cidr)]}

    def _exchangers(self, domain: str) -> list[str]:
        found = [v.split()[1].rstrip(".") for v in self._ask(domain, "MX")]
        if len(found) > LOOKUPS:
            raise Broken(f"{domain} has {len(found)} MX records, ten are the most.")
        return [host for host in found if host]

    def _at(self, host: str, cidr: str) -> list[str]:
        four, _, six = cidr.partition("//")
        found = self._ask(host, "A", void=False), self._ask(host, "AAAA", void=False)
        self.voids += not any(found)
        ends = (four or "/32", f"/{six}" if six else "/128")
        pairs = [
            (a, end) for values, end in zip(found, ends, strict=True) for a in values
        ]
        return [str(ip_network(a + end, strict=False)) for a, end in pairs]

    def _other(self, sign: str, term: Term) -> Node:
        found = [t for t in self._ask(term.value, "TXT") if is_spf(t)]
        if len(found) != 1:
            raise Broken(f"{term.text} leads to {len(found) or 'no'} SPF records.")
        inner = self.follow(term.value, found[0])
        return {"sign": sign, "text": term.text, "inner": inner}

    def _ask(self, name: str, kind: str, void: bool = True) -> list[str]:
        found = self._lookup(name, kind)
        self.voids += void and not found
        return found
