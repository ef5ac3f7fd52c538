"""Proofs about names: what the DNS says of the domain, the promises to other servers
(DANE, MTA-STS), and a certificate for each further name.

Sources: RFC 7672 2 and 3 (TLSA for mail), RFC 8461 3.3 and 4 (fetching and applying a
policy), RFC 6066 3 (server_name).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from ispguide.engine.facts import Ran, probe
from ispguide.mail.certificates import authority
from ispguide.mail.dns import spf, wanted
from ispguide.mail.dns.policies import ADDRESS_ELSEWHERE, tags
from ispguide.mail.sni import SniNames
from ispguide.outside.lookups import sender
from ispguide.outside.names import Names, NoAnswer, ask, read
from ispguide.outside.talk import NotReached, Where, unchecked
from ispguide.proofs.base import CannotTell, Context, Verdict, proof
from ispguide.proofs.protocols import Smtp
from ispguide.proofs.tls import secured, served_certificate
from ispguide.proofs.web import Browser

# Proofs in the DNS: what a stranger finds who knows only the domain.
#
# Sources: RFC 5321 5.1 (from domain to server), RFC 8601 2.7.3 (reverse names), RFC
# 7208 (SPF).


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
    other = spf.verdict(found["terms"], ADDRESS_ELSEWHERE)
    said = ", ".join(
        f"{v} for {a}" for a, v in {**own, ADDRESS_ELSEWHERE: other}.items()
    )
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


# What is promised to other servers: the key (DANE), the policy (MTA-STS).


@proof
def tlsa_matches(ctx: Context) -> Verdict:
    """The promise, with the DNS's signatures checked, and the key at port 25."""
    name = f"_25._tcp.{ctx.settings.hostname}"
    fact = probe("tlsa_records", name)
    said = Ran.of(ctx.ask([fact])[fact])
    if not said.ok:
        why = said.why or said.out.strip()
        return None, f"The server's own resolver did not answer: {why}"
    checked, *found = said.lines
    if checked != "checked":
        return None, f"The zone of {name} is not signed, so no key is promised there."
    with secured(ctx, 25, unchecked()) as talk:
        shown = f"3 1 1 {_key(talk.certificate)}"
    ctx.lines.append(f"   port 25 shows the key {shown}")
    if shown in found:
        return (
            True,
            f"Port 25 shows {shown[:22]}…, as {name} promises; the answer was signed, and checked.",
        )
    tlsa_records = " and ".join(found) or "nothing"
    return False, (
        f"{name} promises {tlsa_records}, and port 25 shows {shown}. What was promised before "
        "is remembered until its TTL has run out."
    )


def _key(certificate: bytes) -> str:
    """SHA-256 of the public key in a certificate, both as DER."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization as s

    key = x509.load_der_x509_certificate(certificate).public_key()
    form = s.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(s.Encoding.DER, form)).hexdigest()


@proof
def policy_fits(ctx: Context) -> Verdict:
    """As a sending server: the record, the page under its own name, the servers of the
    domain in the policy, and each of them under its right name at port 25."""
    if not ctx.where.check:
        return (
            None,
            "This computer does not know the authority, so it cannot check names.",
        )
    first = ctx.settings.domain
    others = _ready(ctx, wanted.PREFIX)
    domains = list(dict.fromkeys([first, *(n.partition(".")[2] for n in others)]))
    told = [_policy_of(ctx, domain) for domain in domains]
    wrong = next((why for why, _ in told if why), "")
    return not wrong, wrong or "; ".join(seen for _, seen in told)


def _policy_of(ctx: Context, domain: str) -> tuple[str, str]:
    """(what is wrong, what was seen)."""
    rows = values_of(ctx, f"_mta-sts.{domain}", "TXT")
    found = [r for r in rows if r.lower().startswith("v=stsv1")]
    if not found:
        raise CannotTell(f"_mta-sts.{domain} announces no policy yet; the coach says what to type.")  # fmt: skip
    if len(found) > 1:
        return f"_mta-sts.{domain} has {len(found)} records, so nobody follows any.", ""
    name = f"{wanted.PREFIX}.{domain}"
    try:
        status, kind, body = _fetched(ctx, name)
    except NotReached as stop:
        return f"https://{name}{wanted.PATH} cannot be fetched: {stop}.", ""
    if status != 200 or not kind.startswith("text/plain"):
        return f"https://{name}{wanted.PATH} answers {status}, {kind or 'no type'}.", ""
    policy = wanted.read(body)
    if policy.why:
        return f"The policy at {name} is broken. {policy.why}", ""
    why = _servers(ctx, domain, policy)
    return why, f"{domain}: {policy.mode}, edition {tags(found[0]).get('id', '')}"


def _fetched(ctx: Context, name: str) -> tuple[int, str, str]:
    """(status, type, text); the certificate must be for that name."""
    addresses = addresses_of(ctx, name)
    if not addresses:
        raise CannotTell(f"{name} leads nowhere yet; the step `mta_sts_policy` says what to do.")  # fmt: skip
    there = replace(ctx.where, host=addresses[0], name=name)
    said = Browser(there, ctx.lines).ask(wanted.PATH)
    ctx.lines += said.text.splitlines()[:8]
    return said.status_code, said.headers.get("Content-Type", ""), said.text


def _servers(ctx: Context, domain: str, policy: wanted.Policy) -> str:
    """What a sender in enforce mode would stumble over; "" when nothing."""
    hosts = [v.split()[1].rstrip(".") for v in values_of(ctx, domain, "MX")]
    if not hosts:
        return f"{domain} has no MX record."
    for host in hosts:
        if policy.mode != "none" and not policy.lets(host):
            return (
                f"The policy does not name {host}, where mail for {domain} is brought."
            )
        if why := _unsafe(ctx, host):
            return why
    return ""


def _unsafe(ctx: Context, host: str) -> str:
    """Why encrypted mail under this name would not be brought; "" when it would."""
    for address in addresses_of(ctx, host):
        where = Where(address, host, ctx.ca_file)
        try:
            secured(_at(ctx, where), 25, where.context()).socket.close()
        except NotReached as stop:
            return f"{host} at {address}: {stop}."
    return ""


def _at(ctx: Context, where: Where) -> Context:
    """The same proof at another server."""
    return replace(ctx, host=where.host, settings=replace(ctx.settings, hostname=where.name))  # fmt: skip


@proof
def sni_certificates(ctx: Context) -> Verdict:
    """Each further name, asked for at the web, at port 25 and 465, and at IMAP."""
    names = _ready(ctx, "mail")
    if not names:
        return None, "No further name leads here and has a certificate yet."
    for name in names:
        there = _at(ctx, Where(ctx.host, name))
        for port in ("443", "25", "465", "993"):
            good, seen = served_certificate(there, port)
            if not good:
                return good, f"{name}: {seen}"
    return True, f"{' and '.join(names)} at ports 443, 25, 465 and 993"


def _ready(ctx: Context, prefix: str) -> list[str]:
    """The names with a certificate."""
    sni_names = SniNames(prefix, ctx.settings, authority(ctx.settings))
    found = sni_names.states(ctx.ask([sni_names.look])[sni_names.look])
    return [name for name, state in (found or {}).items() if state == "good"]
