"""Proofs at the doors: certificates, TLS versions, the web, what must stay shut.

Sources: RFC 8996 (TLS 1.0 and 1.1 are over), RFC 8555 8.3 (the path of ACME),
https://docs.python.org/3.11/library/ssl.html
"""

from __future__ import annotations

import hashlib
import ssl
import warnings

from ispguide.engine.actions import quote
from ispguide.outside.talk import NotReached, Talk, unchecked
from ispguide.proofs.base import Context, Verdict, need, proof
from ispguide.proofs.protocols import KINDS, Dialogue, Smtp
from ispguide.proofs.web import Browser

END = "-----END CERTIFICATE-----\n"
OLD = {"TLS 1.0": ssl.TLSVersion.TLSv1, "TLS 1.1": ssl.TLSVersion.TLSv1_1}


def secured(ctx: Context, port: int, context: ssl.SSLContext) -> Talk:
    """A conversation in TLS, by the way usual at `port`."""
    talk = KINDS.get(port, Talk)(ctx.where, port, ctx.lines, context)
    if isinstance(talk, Smtp):
        talk.ehlo()
    if isinstance(talk, Dialogue) and not talk.tls:
        need(talk.starttls(), "STARTTLS")
    return talk


@proof
def served_certificate(ctx: Context, port: str) -> Verdict:
    """What is served is what lies in the file; it is in date and names the server.

    The file's certificate, fetched over SSH, is itself what is trusted here, so this
    works with any authority and with none (X509_V_FLAG_PARTIAL_CHAIN)."""
    path = f"{ctx.settings.cert_dir}/fullchain.pem"
    chain = ctx.tell(f"cat {quote(path)}").out
    if END not in chain:
        return False, f"There is no certificate in {path} on the server."
    filed = ssl.PEM_cert_to_DER_cert(chain[: chain.index(END) + len(END)])
    with secured(ctx, int(port), unchecked()) as talk:
        served = talk.certificate
    if served != filed:
        return False, (
            f"Port {port} serves the certificate {_print(served)}, but the file "
            f"holds {_print(filed)}: the service has not read the new one yet."
        )
    context = ssl.create_default_context(cadata=chain)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    secured(ctx, int(port), context).socket.close()
    return True, f"Port {port} serves the file's certificate {_print(filed)}."


def _print(certificate: bytes) -> str:
    return hashlib.sha256(certificate).hexdigest()[:16] + "…"


@proof
def tls_floor(ctx: Context, port: str) -> Verdict:
    """TLS 1.0 and 1.1 are refused by name, 1.2 or 1.3 is spoken."""
    unable = []
    for name, version in OLD.items():
        context = _only(version)
        if not _can(context):
            unable.append(name)
        elif spoken := _spoken(ctx, int(port), context):
            return False, f"Port {port} still speaks {spoken}."
    with secured(ctx, int(port), unchecked()) as talk:
        spoken = talk.tls
    if unable:
        return None, f"This computer cannot speak {' and '.join(unable)} itself."
    return True, f"Port {port} refuses {' and '.join(OLD)} and speaks {spoken}."


def _only(version: ssl.TLSVersion) -> ssl.SSLContext:
    context = unchecked()
    context.set_ciphers("ALL:@SECLEVEL=0")  # else OpenSSL 3 declines TLS 1.0 itself
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old is the point here
        context.minimum_version = context.maximum_version = version
    return context


def _can(context: ssl.SSLContext) -> bool:
    """Whether this computer would say hello in that version at all."""
    said = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), said).do_handshake()
    except ssl.SSLWantReadError:
        return said.pending > 0
    except ssl.SSLError:
        return False
    return False


def _spoken(ctx: Context, port: int, context: ssl.SSLContext) -> str:
    try:
        with secured(ctx, port, context) as talk:
            return talk.tls
    except NotReached as stop:
        if not stop.opened or isinstance(stop.cause, TimeoutError):
            raise  # no refusal, but no answer
        return ""


def get(ctx: Context, path: str, tls: bool = True, **headers: str) -> tuple[int, str]:
    """(status, Location) of one GET at the server's address, under its own name."""
    said = Browser(ctx.where, ctx.lines, tls).ask(path, headers=headers)
    return said.status_code, said.headers.get("Location", "")


@proof
def http_redirect(ctx: Context) -> Verdict:
    """Who comes without encryption is sent to the encrypted page, for good."""
    status, where = get(ctx, "/", tls=False)
    wanted = f"https://{ctx.settings.hostname}/"
    return (status, where) == (301, wanted), f"http answers {status} {where}".rstrip()


@proof
def acme_path(ctx: Context) -> Verdict:
    """The authority's question is answered on port 80 itself, not sent elsewhere."""
    status, _ = get(ctx, "/.well-known/acme-challenge/ispguide-proof", tls=False)
    return status == 404, f"A challenge that does not exist is answered with {status}"


@proof
def web_page_locked(ctx: Context) -> Verdict:
    """rspamd's page answers, and tells nothing without the right password.

    The wrong password tried is the one rspamd comes with."""
    page, _ = get(ctx, "/rspamd/")
    without, _ = get(ctx, "/rspamd/stat")
    wrong, _ = get(ctx, "/rspamd/stat", Password="q1")
    seen = f"The page {page}, no password {without}, a wrong password {wrong}"
    return page in (200, 401, 403) and {without, wrong} <= {401, 403}, seen


@proof
def sieve_closed_outside(ctx: Context) -> Verdict:
    """ManageSieve lets nobody in from here; the webmail reaches it from inside."""
    try:
        Talk(ctx.where, 4190, ctx.lines).socket.close()
    except NotReached as stop:
        if isinstance(stop.cause, ConnectionRefusedError) or not ctx.listens(4190):
            return True, f"{stop}, as it should be."
        return None, f"{stop}, but the server listens there for everybody."
    return False, "Port 4190 lets this computer in."
