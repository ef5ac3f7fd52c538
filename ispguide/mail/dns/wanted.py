"""Which records this server needs, computed from its settings and its addresses.

Pure.  Knows nothing of what is there; `compare` does that.
Sources: RFC 5321 5.1 (MX), RFC 7208 (SPF), RFC 7489 (DMARC), RFC 8659 (CAA),
RFC 6186 and RFC 8314 5.1 (SRV for mail programs), RFC 5804 1.8, RFC 8460 (TLS-RPT),
RFC 8461 (MTA-STS).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address

from ispguide.engine.settings import Settings
from ispguide.mail.dns.records import OPTIONAL, RECOMMENDED, REQUIRED, Record

# The MTA-STS policy: its text, its id, and how another server reads it.
#
# It says: speak TLS with us, to these servers, and check their names.  The id in the DNS
# is made from the text, so it changes exactly when the policy does.  Pure.
# Source: RFC 8461 3.1 (record), 3.2 (policy), 4.1 (names), 8.3 (taking it back).


PREFIX = "mta-sts"
PATH = "/.well-known/mta-sts.txt"
DAY = 86400
#: How long others keep the policy, in seconds: shortly while it may still be wrong.
KEPT = {"none": DAY, "testing": DAY, "enforce": 14 * DAY}


def policy(s: Settings) -> str:
    """The text that is served; lines end as the RFC wants it."""
    lines = ("version: STSv1", f"mode: {s.sts}", f"mx: {s.hostname}",
             f"max_age: {KEPT[s.sts]}")  # fmt: skip
    return "".join(f"{line}\n" for line in lines)


def text(s: Settings) -> str:
    """The record that says: there is a policy, and this is its edition."""
    mark = hashlib.sha256(policy(s).encode()).hexdigest()[:16]
    return f"v=STSv1; id={mark};"


@dataclass(frozen=True)
class Policy:
    """As another server understands it.  `why`: what is wrong with it, if anything."""

    mode: str = ""
    mx: tuple[str, ...] = ()
    why: str = ""
    rest: Mapping[str, str] = field(default_factory=dict)

    def lets(self, host: str) -> bool:
        """Whether mail may be brought to this server: a star stands for one label."""
        own = host.rstrip(".").lower()
        above = own.partition(".")[2]
        return any(own == m or (m.startswith("*.") and above == m[2:]) for m in self.mx)


def read(body: str) -> Policy:
    """The policy in a text; `why` says in a sentence when it is none."""
    pairs = [line.partition(":") for line in body.splitlines() if line.strip()]
    rows = [(name.strip(), value.strip()) for name, _, value in pairs]
    rest = dict(reversed(rows))  # of a key that comes twice, the first counts
    mx = tuple(value.lower() for name, value in rows if name == "mx")
    mode, age = rest.get("mode", ""), rest.get("max_age", "")
    if rest.get("version") != "STSv1":
        return Policy(why="It does not say version: STSv1.")
    if mode not in KEPT:
        return Policy(why=f"Its mode is {mode!r}.")
    if not age.isdigit() or len(age) > 10:
        return Policy(why=f"Its max_age is {age!r}.")
    if not mx and mode != "none":
        return Policy(why="It names no server (mx).")
    return Policy(mode, mx, "", rest)


# Which records this server needs, computed from its settings and its addresses.


#: service → (port, priority): the encrypted door first, reading before fetching.
SERVICES = {
    "submissions": (465, 0),
    "submission": (587, 10),
    "imaps": (993, 0),
    "imap": (143, 10),
    "pop3s": (995, 20),
    "pop3": (110, 30),
    "sieve": (4190, 0),
}


@dataclass(frozen=True)
class Addresses:
    """The server's own, as others see them; "" where it has none of that kind."""

    four: str = ""
    six: str = ""

    def __iter__(self) -> Iterator[str]:
        return (address for address in (self.four, self.six) if address)


@lru_cache
def wanted(s: Settings, at: Addresses) -> tuple[Record, ...]:
    """Everything, the most needed first."""
    return (
        *_host(s, at),
        *_mail(s),
        *_trust(s),
        *_strict(s),
        *_sni_names(s),
        *_programs(s),
    )


def find(s: Settings, at: Addresses, key: str) -> Record | None:
    """The record with this key, if this server should have one."""
    return next((r for r in wanted(s, at) if r.key == key), None)


def name_of(key: str, s: Settings) -> str:
    """What a record is called, whatever the addresses are."""
    fixed = {
        "address4": f"A of {s.hostname}: this server's IPv4 address",
        "address6": f"AAAA of {s.hostname}: this server's IPv6 address, if it has one",
        "reverse4": f"PTR: the IPv4 address is called {s.hostname}",
        "reverse6": f"PTR: the IPv6 address is called {s.hostname}",
        "caa": f"CAA of {s.hostname}: who may sign certificates",
        "spf": f"SPF (TXT) of {s.domain}",
        "helo_spf": f"SPF (TXT) of {s.hostname}",
        "dmarc": f"DMARC (TXT) of {s.domain}",
        "tls_reports": f"TLS reports (TXT) of {s.domain}",
        "sts": f"MTA-STS (TXT) of {s.domain}",
    }
    if key in fixed:
        return fixed[key]
    return str(find(s, Addresses("192.0.2.1"), key))


def _host(s: Settings, at: Addresses) -> Iterable[Record]:
    home = "Whoever has the name finds the way here."
    if at.four:
        yield Record("address4", s.hostname, "A", (at.four,), REQUIRED, home)
    six = (at.six,) if at.six else ()
    home6 = home if six else "The server has no IPv6, so no name may promise it."
    yield Record("address6", s.hostname, "AAAA", six, REQUIRED, home6)
    for key, address in (("reverse4", at.four), ("reverse6", at.six)):
        if address:
            name = ip_address(address).reverse_pointer
            yield Record(
                key,
                name,
                "PTR",
                (f"{s.hostname}.",),
                REQUIRED,
                "Other servers look up who is calling, and hang up on the nameless.",
            )


def _mail(s: Settings) -> Iterable[Record]:
    d, host = s.domain, s.hostname
    mx = f"Mail for {d} is brought to this server."
    spf = f"Only this server may send in the name of {d}."
    dmarc = "You hear who sends in your name, and others what to do with forgeries."
    helo = "Notices without a sender vouch with the server's own name."
    ask = f"v=DMARC1; p={s.dmarc_policy or 'none'}; rua=mailto:dmarc@{d}"
    also = f" {s.smarthost_spf}" if s.smarthost_spf else ""
    if s.smarthost:
        spf = f"Only this server and its smarthost may send in the name of {d}."
    yield Record("mx", d, "MX", (f"10 {host}.",), REQUIRED, mx)
    yield Record("spf", d, "TXT", (f"v=spf1 mx{also} -all",), REQUIRED, spf)
    yield Record("dmarc", f"_dmarc.{d}", "TXT", (ask,), RECOMMENDED, dmarc)
    yield Record("helo_spf", host, "TXT", ("v=spf1 a -all",), OPTIONAL, helo)


def authority(s: Settings) -> str:
    """The authority's name in CAA records; "" when there is none, or it is unknown."""
    return {"letsencrypt": "letsencrypt.org", "acme-url": s.acme_name}.get(s.tls, "")


def _trust(s: Settings) -> Iterable[Record]:
    only = "No other authority may sign a certificate for this server."
    told = "Large providers tell you when encrypted mail cannot reach you."
    ask = f"v=TLSRPTv1; rua=mailto:postmaster@{s.domain}"
    if name := authority(s):
        yield Record(
            "caa", s.hostname, "CAA", (f'0 issue "{name}"',), RECOMMENDED, only
        )
    yield Record("tls_reports", f"_smtp._tls.{s.domain}", "TXT", (ask,), OPTIONAL, told)


def _strict(s: Settings) -> Iterable[Record]:
    """MTA-STS: where the policy is fetched, and its edition."""
    if not s.sts:
        return
    where = "Other servers fetch here how strictly they shall encrypt."
    edition = "Other servers see here that there is a policy, and when it changed."
    name = f"{PREFIX}.{s.domain}"
    yield Record("sts_name", name, "CNAME", (f"{s.hostname}.",), OPTIONAL, where)
    yield Record("sts", f"_mta-sts.{s.domain}", "TXT", (text(s),), OPTIONAL, edition)


def _sni_names(s: Settings) -> Iterable[Record]:
    """mail.DOMAIN of another mail domain, which gets a certificate of its own."""
    name, why = (
        f"mail.{s.domain}",
        f"People of {s.domain} may type this as their server.",
    )
    if s.sni and name != s.hostname:
        yield Record("sni_name", name, "CNAME", (f"{s.hostname}.",), OPTIONAL, why)


def _programs(s: Settings) -> Iterable[Record]:
    host, d = f"{s.hostname}.", s.domain
    inside = "The door for filter rules is open to this machine alone (chapter 7)."
    pop3 = "This server does not offer POP3, so nothing may point to it."
    for name, (port, priority) in SERVICES.items():
        without = inside if name == "sieve" else pop3
        offered = name != "sieve" and (s.pop3 or not name.startswith("pop3"))
        values = (f"{priority} 1 {port} {host}",) if offered else ()
        why = f"Mail programs find port {port} by themselves." if offered else without
        yield Record(name, f"_{name}._tcp.{d}", "SRV", values, OPTIONAL, why)
    look = "Mail programs look here for their settings (chapter 17)."
    for name in ("autoconfig", "autodiscover"):
        yield Record(name, f"{name}.{d}", "CNAME", (host,), OPTIONAL, look)
