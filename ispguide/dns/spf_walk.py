"""SPF followed to its addresses: includes, hosts and exchangers, with the counts.

Pure: whoever calls `expand` brings the function that looks names up.
Source: RFC 7208 4.6.4 (limits), 5 (mechanisms), 6.1 (redirect).
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network

from ispguide.dns.spf import LOOKUPS, Broken, Node, Term, is_spf, network, parse

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
