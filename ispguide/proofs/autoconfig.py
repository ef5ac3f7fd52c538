"""Proofs about mail programs that set themselves up: we ask as they ask, and believe it.

What is told is tried: every door that is named, in the way that is named, with a login.
Sources: https://wiki.mozilla.org/Thunderbird:Autoconfiguration, [MS-OXDISCO] 3.1.5,
https://developer.apple.com/documentation/devicemanagement/mail, RFC 6186 3.
"""

from __future__ import annotations

import plistlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError

from httpx import Response

from ispguide.outside.talk import DIRECT, NotReached
from ispguide.proofs.base import Context, Refused, Verdict, proof
from ispguide.proofs.dns import values_of
from ispguide.proofs.tls import get
from ispguide.proofs.web import Browser

# What a mail program was told about the server's doors, and whether it is so.
#
# Each door is tried in the way that was named: the host, the port, the encryption, and a
# login with the name that was told.
# Sources: RFC 8314 (encrypted from the first byte), RFC 2595 and 3207 (STARTTLS).


#: Where reading and sending happen, by the word that programs use for it.
PORTS = {"imap": (993, 143), "pop3": (995, 110), "smtp": (465, 587)}


@dataclass(frozen=True)
class Endpoint:
    """What a program is told.  `wrapped`: encrypted from the first byte."""

    kind: str
    host: str
    port: int
    wrapped: bool
    user: str


def tried(ctx: Context, endpoints: Iterable[Endpoint], want: int) -> Verdict:
    """Each door: the right host, the way it says, and a login as it says."""
    endpoints, told = list(endpoints), []
    for endpoint in endpoints:
        if endpoint.host != ctx.settings.hostname or endpoint.user != ctx.address:
            return False, f"It names {endpoint.host} with the login {endpoint.user}."
        if endpoint.port not in PORTS.get(endpoint.kind, ()):
            return False, f"It names port {endpoint.port} for {endpoint.kind}."
        if endpoint.wrapped != (endpoint.port in DIRECT):
            return False, f"It names the wrong encryption for port {endpoint.port}."
        talk, said = ctx.tried(endpoint.port, ctx.mailbox.password)
        talk.socket.close()
        if not said.good:
            return (
                False,
                f"At port {endpoint.port} the login is answered {said.brief!r}.",
            )
        told.append(f"{endpoint.kind} {endpoint.port}")
    if len(endpoints) != want:
        return False, f"It names {len(endpoints)} doors and should name {want}."
    return True, f"Named, and opened: {', '.join(told)}."


def endpoints_of(ctx: Context) -> int:
    return 6 if ctx.settings.pop3 else 4


# Proofs about mail programs that set themselves up: we ask as they ask, and believe it.


THUNDERBIRD = "/mail/config-v1.1.xml"
WELL_KNOWN = "/.well-known/autoconfig/mail/config-v1.1.xml"
OUTLOOK = "/autodiscover/autodiscover.xml"
ASKED = """<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
<Request><EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>{schema}
</AcceptableResponseSchema></Request></Autodiscover>"""
SCHEMA = (
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
)


def _asked(ctx: Context, word: str, path: str, body: str = "") -> Response:
    """At the name in front of the domain, as long as it has its own certificate; else
    at the server's, to which the plain site sends who asks there."""
    for name in (f"{word}.{ctx.settings.domain}", ctx.settings.hostname):
        try:
            there = Browser(replace(ctx.where, name=name), ctx.lines)
            page = there.ask(path, text=body)
        except NotReached as stop:
            if not stop.opened:
                raise
            continue
        if page.status_code != 200:
            raise Refused(f"https://{name}{path} is answered with {page.status_code}.")
        return page
    raise Refused(f"Nobody answers at {word} with a certificate that counts.")


def _tree(page: Response) -> Element:
    """The answer as XML; a stranger's, so nothing in it is followed."""
    from defusedxml.ElementTree import fromstring

    try:
        return fromstring(page.text)  # type: ignore[no-any-return]
    except ParseError as error:
        raise Refused(f"The answer is no XML: {error}.") from error


def _word(element: Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


@proof
def thunderbird_finds(ctx: Context) -> Verdict:
    """Asked at autoconfig.DOMAIN and at the path for web sites; the same is told."""
    query = f"?emailaddress={ctx.address}"
    page = _asked(ctx, "autoconfig", THUNDERBIRD + query)
    there = Browser(ctx.where, ctx.lines).ask(WELL_KNOWN + query)
    if there.text != page.text or "xml" not in page.headers.get("content-type", ""):
        return False, "The two paths do not tell the same, or not as XML."
    provider = _tree(page).find("emailProvider")
    domain = "" if provider is None else _word(provider, "domain")
    if provider is None or domain != ctx.settings.domain:
        return False, f"It tells about the domain {domain or 'of nobody'}."
    found = [e for e in provider if e.tag.endswith("Server")]
    return tried(ctx, (_thunderbird(ctx, e) for e in found), endpoints_of(ctx))


def _thunderbird(ctx: Context, server: Element) -> Endpoint:
    user = _word(server, "username").replace("%EMAILADDRESS%", ctx.address)
    wrapped = _word(server, "socketType") == "SSL"
    port = int(_word(server, "port"))
    return Endpoint(
        server.get("type", ""), _word(server, "hostname"), port, wrapped, user
    )


@proof
def outlook_finds(ctx: Context) -> Verdict:
    """Outlook sends its question by POST, and reads the answer in Microsoft's words."""
    question = ASKED.format(address=ctx.address, schema=SCHEMA)
    tree = _tree(_asked(ctx, "autodiscover", OUTLOOK, question))
    inside = {"": SCHEMA}
    found = tree.iterfind(".//{%s}Protocol" % SCHEMA)  # noqa: UP031
    endpoints = [
        Endpoint(
            (p.findtext("Type", "", inside)).lower(),
            p.findtext("Server", "", inside),
            int(p.findtext("Port", "0", inside)),
            p.findtext("Encryption", "", inside) == "SSL",
            p.findtext("LoginName", "", inside),
        )
        for p in found
    ]
    return tried(ctx, endpoints, endpoints_of(ctx))


@proof
def iphone_finds(ctx: Context) -> Verdict:
    """The profile is a property list with one mail account, and no password in it."""
    page = Browser(ctx.where, ctx.lines).ask(f"/apple.mobileconfig?email={ctx.address}")
    kind = page.headers.get("content-type", "")
    if not kind.startswith("application/x-apple-aspen-config"):
        return (
            False,
            f"A device is told {kind or 'nothing'}, which it takes for a page.",
        )
    profile = plistlib.loads(page.text.encode())
    (account,) = profile["PayloadContent"]
    if any("Password" in name for name in account if not name.startswith("Outgoing")):
        return False, "There is a password in the profile."
    endpoints = [
        Endpoint(
            kind,
            account[f"{way}MailServerHostName"],
            account[f"{way}MailServerPortNumber"],
            account[f"{way}MailServerUseSSL"],
            account[f"{way}MailServerUsername"],
        )
        for kind, way in (("imap", "Incoming"), ("smtp", "Outgoing"))
    ]
    return tried(ctx, endpoints, 2)


@proof
def dns_finds(ctx: Context) -> Verdict:
    """The SRV records lead to doors that open."""
    found = []
    for service, kind in (("imaps", "imap"), ("submissions", "smtp")):
        rows = values_of(ctx, f"_{service}._tcp.{ctx.settings.domain}", "SRV")
        found += [Endpoint(kind, host.rstrip("."), int(port), True, ctx.address)
                  for _, _, port, host in map(str.split, rows)]  # fmt: skip
    if not found:
        return None, "The DNS has no SRV records for mail programs yet (chapter 14)."
    return tried(ctx, found, 2)


@proof
def asked_plainly(ctx: Context) -> Verdict:
    """Port 80 answers with a way to the encrypted site, and takes the domain along."""
    name = f"autodiscover.{ctx.settings.domain}"
    status, where = get(ctx, OUTLOOK, tls=False, Host=name)
    parts = urlsplit(where)
    right = (status, parts.scheme, parts.hostname, parts.path) == (
        302, "https", ctx.settings.hostname, OUTLOOK)  # fmt: skip
    right = right and f"domain={ctx.settings.domain}" in parts.query
    return right, f"http://{name} answers {status} {where}".rstrip()


@proof
def tells_nobody(ctx: Context) -> Verdict:
    """An address that exists and one that does not get the same answer."""
    here, nobody = ctx.address, f"nobody-at-all@{ctx.settings.domain}"
    told = [
        Browser(ctx.where, ctx.lines).ask(f"{THUNDERBIRD}?emailaddress={who}")
        for who in (here, nobody)
    ]
    same = told[0].status_code == 200 and told[0].text == told[1].text
    seen = "get the same answer" if same else "are answered differently"
    return same, f"An address that exists and one that does not {seen}."
