"""Proofs in the DNS: what a stranger finds who knows only the domain.

Sources: RFC 5321 5.1 (from domain to server), RFC 8601 2.7.3 (reverse names), RFC
7208 (SPF).
"""

from __future__ import annotations

from ispguide.dns import spf
from ispguide.dns.vouching import STRANGER
from ispguide.dnsquery import NoAnswer, ask, read
from ispguide.lookups import sender
from ispguide.nameservers import Names
from ispguide.outside import Where, unchecked
from ispguide.proofs.acting import CannotTell, Context, Verdict, proof
from ispguide.proofs.protocols import Smtp


def _names(ctx: Context) -> Names:
    return Names(ctx.resolver, ctx.host)


def values_of(ctx: Context, name: str, kind: str) -> list[str]:
    """What a resolver says, or the proof cannot tell."""
    try:
        found = _names(ctx).values(name, kind)
    except NoAnswer as error:
        raise CannotTell(
            f"{kind} of {name} could not be looked up: {error}."
        ) from error
    ctx.lines.append(f"   {kind} of {name}: {', '.join(found) or 'nothing'}")
    return found


def addresses_of(ctx: Context, name: str) -> list[str]:
    """Of both kinds."""
    return [a for kind in ("A", "AAAA") for a in values_of(ctx, name, kind)]


@proof
def mail_route(ctx: Context) -> Verdict:
    """From the domain to the MX, to the address, to the greeting at port 25."""
    domain, wanted = ctx.settings.domain, ctx.settings.hostname
    rows = sorted(
        (v.split() for v in values_of(ctx, domain, "MX")), key=lambda r: int(r[0])
    )
    if not rows:
        return False, f"{domain} has no MX record."
    host = rows[0][1].rstrip(".")
    addresses = addresses_of(ctx, host)
    if not addresses:
        return False, f"The MX of {domain} is {host}, which leads nowhere."
    smtp = Smtp(Where(addresses[0], host, check=False), 25, ctx.lines, unchecked())
    said = (*(reply := smtp.ehlo()).lines, reply.text)[0][4:].split()[0]
    smtp.socket.close()
    return said == wanted, f"{domain} → {host} → {addresses[0]} → “250 {said}”"


@proof
def reverse_route(ctx: Context) -> Verdict:
    """From each address to its name, and from that name back to the address."""
    ways = []
    for address in addresses_of(ctx, ctx.settings.hostname):
        names = [name.rstrip(".") for name in values_of(ctx, address, "PTR")]
        if names != [ctx.settings.hostname]:
            return False, f"{address} is called {' and '.join(names) or 'nothing'}."
        if address not in addresses_of(ctx, names[0]):
            return False, f"{address} is called {names[0]}, which leads elsewhere."
        ways.append(f"{address} → {names[0]} → {address}")
    return bool(ways), "; ".join(ways) or f"{ctx.settings.hostname} leads nowhere."


@proof
def sender_policy(ctx: Context) -> Verdict:
    """What SPF says of the server, and of an address that is nobody's."""
    domain = ctx.settings.domain
    found = sender(_names(ctx), domain)
    if why := found.get("error") or found.get("unsure"):
        return None, f"SPF of {domain} could not be followed: {why}."
    if not found or found["broken"]:
        return (
            False,
            f"{domain} has no SPF record that holds. {found.get('broken', '')}",
        )
    own = {
        a: spf.verdict(found["terms"], a)
        for a in addresses_of(ctx, ctx.settings.hostname)
    }
    other = spf.verdict(found["terms"], STRANGER)
    said = ", ".join(f"{v} for {a}" for a, v in {**own, STRANGER: other}.items())
    good = set(own.values()) == {"pass"} and other in ("fail", "softfail")
    return good, f"{said}, after {found['lookups']} look-ups"


@proof
def zone_agrees(ctx: Context) -> Verdict:
    """The serial number of the zone, at each of its servers."""
    domain = ctx.settings.domain
    try:
        zone = _names(ctx).zone(domain)
    except NoAnswer as error:
        return None, f"The zone of {domain} could not be found: {error}."
    serials, silent = {}, []
    for name, server in zone.servers.items():
        try:
            said = read(ask(server, zone.name, "SOA", own=True), "SOA")["values"]
            serials[name] = said[0].split()[2]
        except NoAnswer as error:
            silent.append(str(error))
    said = ", ".join(f"{name} has {serial}" for name, serial in serials.items())
    if silent:
        return None, f"Not all answered: {'; '.join(silent)}. {said}"
    return len(set(serials.values())) == 1, f"zone {zone.name}: {said}"
