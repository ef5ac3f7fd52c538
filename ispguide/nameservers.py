"""Asks name servers: the zone's own, and resolvers, which may remember older answers.

`lookups.py` puts together what is found, `ispguide/dns` judges it.
Sources: RFC 1034 4.3, RFC 2308 (no such record).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from ipaddress import ip_address
from threading import Lock

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver

from ispguide.dnsquery import (
    Answer,
    NoAnswer,
    Server,
    Silent,
    absolute,
    ask,
    read,
    server_of,
)

#: No more of a zone's servers are asked.
MOST = 6


@dataclass(frozen=True)
class Zone:
    """`servers`: the zone's own, by name.  `ttl`: of its SOA record, in seconds."""

    name: str
    servers: Mapping[str, Server]
    primary: str
    ttl: int


def own_resolvers() -> list[str]:
    """This computer's own name servers."""
    try:
        return [str(a) for a in dns.resolver.Resolver().nameservers]
    except dns.resolver.NoResolverConfiguration:
        return []


class Names:
    """All that is asked in one look, each question once.

    `resolver`: whom to ask for what is not the zone's own, "address#port"; this
    computer's, if empty.  `host`: the server."""

    def __init__(self, resolver: str = "", host: str = ""):
        self.host = host
        self._resolvers = [resolver] if resolver else own_resolvers()
        self._zones: dict[str, Zone] = {}
        self._told: set[str] = set()  # resolvers that answered anything
        self._silent: dict[str, NoAnswer] = {}
        self._said: dict[tuple[str, str, str], Future[dns.message.Message]] = {}
        self._lock = Lock()

    # by way of a resolver

    def through(self, name: str, kind: str, resolver: str = "") -> Answer:
        """What a resolver says: {values, ttl, alias} or {error}."""
        try:
            return read(self.resolve(name, kind, resolver), kind)
        except NoAnswer as error:
            return {"error": f"{kind} of {name}: {error}"}

    def resolve(self, name: str, kind: str, resolver: str = "") -> dns.message.Message:
        """What is said to one question; who asks the same meanwhile waits for it."""
        question = absolute(name), kind, resolver
        with self._lock:
            first = question not in self._said
            said = self._said.setdefault(question, Future())
        if first:
            try:
                said.set_result(self._asked(*question))
            except BaseException as error:
                said.set_exception(error)
        return said.result()

    def _asked(self, name: str, kind: str, resolver: str) -> dns.message.Message:
        """One question; the next resolver is asked when one fails.

        One that has answered nothing yet is not waited for a second time."""
        why = NoAnswer("this computer knows no name server")
        for one in [resolver] if resolver else self._resolvers:
            if one in self._silent:
                why = self._silent[one]
                continue
            try:
                said = ask(server_of(one), name, kind)
            except NoAnswer as error:
                why = error
                if one not in self._told and isinstance(error, Silent):
                    self._silent[one] = error
            else:
                self._told.add(one)
                return said
        raise why

    def values(self, name: str, kind: str) -> list[str]:
        """The values a resolver gives; NoAnswer when it gives no answer."""
        return list(read(self.resolve(name, kind), kind)["values"])

    def address(self, name: str) -> str:
        """Some address of a name; the name itself if it is one."""
        try:
            return str(ip_address(name))
        except ValueError:
            found = self.addresses(name)
        if first := next(found, ""):
            return first
        raise NoAnswer(f"{name} has no address")

    def addresses(self, name: str) -> Iterator[str]:
        """All of them, IPv4 first.  A name that does not exist has none of either kind
        (RFC 8020), so it is asked for once."""
        for kind in ("A", "AAAA"):
            said = self.resolve(name, kind)
            yield from read(said, kind)["values"]
            if said.rcode() == dns.rcode.NXDOMAIN:
                return

    def absent(self, name: str) -> bool:
        """Whether neither this name nor one below it exists (RFC 8020)."""
        return self.resolve(name, "SOA").rcode() == dns.rcode.NXDOMAIN

    # at the zone's own servers

    def zone(self, name: str) -> Zone:
        """The zone in which a name stands, with the servers that answer for it."""
        apex = self._apex(name)
        if apex not in self._zones:
            self._zones[apex] = self._found(apex)
        return self._zones[apex]

    def _apex(self, name: str) -> str:
        asked = dns.name.from_text(absolute(name))
        while asked != dns.name.root:
            said = self.resolve(asked.to_text(), "SOA")
            for rows in (*said.answer, *said.authority):
                if rows.rdtype == dns.rdatatype.SOA and asked.is_subdomain(rows.name):
                    return rows.name.to_text()
            asked = asked.parent()
        raise NoAnswer(f"nobody knows in which zone {name} stands")

    def _found(self, apex: str) -> Zone:
        names = self.values(apex, "NS")[:MOST]
        servers: dict[str, Server] = {}
        for name in names:
            try:
                servers[name.rstrip(".")] = (self.address(name), 53)
            except NoAnswer:
                continue  # a name server without an address answers nobody
        if not servers:
            raise NoAnswer(f"the zone {apex} names no server that can be found")
        said = self.resolve(apex, "SOA")
        soa = next(r for r in said.answer if r.rdtype == dns.rdatatype.SOA)
        return Zone(apex.rstrip("."), servers, soa[0].mname.to_text(), soa.ttl)
