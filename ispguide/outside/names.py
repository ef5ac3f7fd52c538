"""Asks name servers: the zone's own, and resolvers, which may remember older answers.

`lookups.py` puts together what is found, `ispguide/mail/dns` judges it.
Sources: RFC 1034 4.3, RFC 2308 (no such record).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from ipaddress import ip_address
from threading import Lock
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver

# One question to one name server, and its answer as plain data.
#
# It takes two seconds at most.  A question that failed says so in a sentence
# (NoAnswer): it is never an empty answer.
# Sources: RFC 1034 4.3, RFC 1035, RFC 2308 (no such record), dnspython.


#: Seconds for the first and the second try of a question.
PATIENCE = (0.7, 1.3)
Answer = dict[str, Any]
Server = tuple[str, int]


class NoAnswer(Exception):
    """A server could not be asked, or would not say."""


class Silent(NoAnswer):
    """It let the time run out."""


def ask(server: Server, name: str, kind: str, own: bool = False) -> dns.message.Message:
    """One question.  `own`: to a server of the zone itself, which must know it."""
    try:
        question = dns.message.make_query(absolute(name), kind)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise NoAnswer(f"{name!r} is no name ({error})") from error
    if own:
        question.flags &= ~dns.flags.RD
    said = _sent(question, server)
    code = said.rcode()
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise NoAnswer(f"{server[0]} answers {dns.rcode.to_text(code)}")
    if own and not said.flags & dns.flags.AA:
        raise NoAnswer(f"{server[0]} does not know the zone as its own")
    return said


def _sent(question: dns.message.Message, server: Server) -> dns.message.Message:
    address, port = server
    for patience in PATIENCE:
        try:
            return dns.query.udp_with_fallback(question, address, patience, port)[0]
        except dns.exception.Timeout:
            continue
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise NoAnswer(f"{address} cannot be asked ({error})") from error
    raise Silent(f"{address} gave no answer within {sum(PATIENCE):.0f} seconds")


def absolute(name: str) -> str:
    """The name with its final dot; an address becomes its reverse name."""
    try:
        return ip_address(name).reverse_pointer + "."
    except ValueError:
        return name.removesuffix(".") + "."


def read(said: dns.message.Message, kind: str) -> Answer:
    """{values: texts, sorted; ttl: seconds; alias: where a CNAME leads, or ""}."""
    wanted = dns.rdatatype.from_text(kind)
    found = [r for r in said.answer if r.rdtype == wanted]
    alias = [r for r in said.answer if r.rdtype == dns.rdatatype.CNAME]
    last = alias[-1][0].to_text().rstrip(".") if alias and kind != "CNAME" else ""
    return {
        "values": sorted({_text(value) for rows in found for value in rows}),
        "ttl": min((rows.ttl for rows in said.answer), default=0),
        "alias": last,
    }


def _text(record: Any) -> str:
    """As in a zone file, but a TXT's pieces joined: they are one value (RFC 7208)."""
    if pieces := getattr(record, "strings", None):
        return str(b"".join(pieces).decode(errors="replace"))
    return str(record.to_text())


def server_of(text: str) -> Server:
    """From "address" or "address#port"."""
    address, _, port = text.partition("#")
    return address, int(port or 53)


# Asks name servers: the zone's own, and resolvers, which may remember older answers.


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
