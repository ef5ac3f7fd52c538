"""Proofs of what is promised to other servers: the key (DANE), the policy (MTA-STS),
and a certificate for each further name.

Sources: RFC 7672 2 and 3 (TLSA for mail), RFC 8461 3.3 and 4 (fetching and applying a
policy), RFC 6066 3 (server_name).
"""

from __future__ import annotations

import hashlib
import http.client
from dataclasses import replace

from ispguide.chapters._certificate import authority
from ispguide.chapters._resolver import PROMISED
from ispguide.dns import sts
from ispguide.dns.tags import tags
from ispguide.further.seen import Further
from ispguide.outside import NotReached, Talk, Where, unchecked
from ispguide.proofs.acting import CannotTell, Context, Verdict, proof
from ispguide.proofs.doors import secured, served_certificate
from ispguide.proofs.names import addresses_of, values_of


@proof
def promised_key(ctx: Context) -> Verdict:
    """The promise, with the DNS's signatures checked, and the key at port 25."""
    name = f"_25._tcp.{ctx.settings.hostname}"
    said = ctx.tell(PROMISED.format(name=name))
    if said["rc"] != 0:
        return None, f"The server's own resolver did not answer: {said['out'].strip()}"
    checked, *found = said["out"].splitlines()
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
    promised = " and ".join(found) or "nothing"
    return False, (
        f"{name} promises {promised}, and port 25 shows {shown}. What was promised before "
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
    others = _ready(ctx, sts.PREFIX)
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
    name = f"{sts.PREFIX}.{domain}"
    try:
        status, kind, body = _fetched(ctx, name)
    except NotReached as stop:
        return f"https://{name}{sts.PATH} cannot be fetched: {stop}.", ""
    if status != 200 or not kind.startswith("text/plain"):
        return f"https://{name}{sts.PATH} answers {status}, {kind or 'no type'}.", ""
    policy = sts.read(body)
    if policy.why:
        return f"The policy at {name} is broken. {policy.why}", ""
    why = _servers(ctx, domain, policy)
    return why, f"{domain}: {policy.mode}, edition {tags(found[0]).get('id', '')}"


def _fetched(ctx: Context, name: str) -> tuple[int, str, str]:
    """(status, type, text); the certificate must be for that name."""
    addresses = addresses_of(ctx, name)
    if not addresses:
        raise CannotTell(f"{name} leads nowhere yet; the step `strict_policy` says what to do.")  # fmt: skip
    with Talk(replace(ctx.where, host=addresses[0], name=name), 443, ctx.lines) as talk:
        web = http.client.HTTPConnection(name)
        web.sock = talk.socket
        ctx.lines.append(f"C: GET {sts.PATH}  (Host: {name})")
        web.request("GET", sts.PATH)
        said = web.getresponse()
        body = said.read(65536).decode(errors="replace")
        ctx.lines += [f"S: {said.status} {said.reason}", *body.splitlines()[:8]]
        return said.status, said.headers.get("Content-Type", ""), body


def _servers(ctx: Context, domain: str, policy: sts.Policy) -> str:
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
def further_names(ctx: Context) -> Verdict:
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
    further = Further(prefix, ctx.settings, authority(ctx.settings))
    found = further.states(ctx.ask([further.look])[further.look])
    return [name for name, state in (found or {}).items() if state == "good"]
