"""One question to one name server, and its answer as plain data.

It takes two seconds at most.  A question that failed says so in a sentence
(NoAnswer): it is never an empty answer.
Sources: RFC 1034 4.3, RFC 1035, RFC 2308 (no such record), dnspython.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

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
