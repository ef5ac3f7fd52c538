"""The facts of the DNS coach: each a few questions to name servers, put together.

Every answer is plain data, {…} or {error}; nothing here judges.  What depends on the
server's own words is asked after it has answered (`ABOUT`).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from typing import Any

from ispguide.engine.facts import failed_answer
from ispguide.mail import sni
from ispguide.mail.dkim import keys
from ispguide.mail.dns import others, spf
from ispguide.mail.dns.thing import kept
from ispguide.outside.names import Answer, Names, NoAnswer, Server, absolute, ask, read


def answered(
    build: Callable[..., Answer],
) -> Callable[..., Answer]:
    """Decorator: a question that failed is an answer that says so."""

    @wraps(build)
    def told(names: Names, name: str, *more: str) -> Answer:
        try:
            return build(names, name, *more)
        except NoAnswer as error:
            return {"error": str(error)}

    return told


def record(names: Names, name: str, kind: str) -> Answer:
    """{zone, ttl, servers: {label: {values, ttl, alias} or {error}}}.

    Where none of the zone's own servers can be asked (some networks let nobody out
    to port 53), the resolver's word is taken, under its own label."""
    try:
        zone = names.zone(name)
    except NoAnswer as error:
        return {"error": str(error)}

    def one(server: Server) -> Answer:
        try:
            return _with_values(
                names, read(ask(server, name, kind, own=True), kind), kind
            )
        except NoAnswer as error:
            return {"error": str(error)}

    with ThreadPoolExecutor(len(zone.servers)) as pool:
        told = dict(
            zip(zone.servers, pool.map(one, zone.servers.values()), strict=True)
        )
    if all("error" in said for said in told.values()):
        told["the resolver"] = names.through(absolute(name), kind)
    return {"zone": zone.name, "ttl": zone.ttl, "servers": told}


def _with_values(names: Names, said: Answer, kind: str) -> Answer:
    """An alias may lead into another zone, which this server does not know."""
    if said["alias"] and not said["values"]:
        said["values"] = names.values(said["alias"], kind)
    return said


@answered
def reverse(names: Names, host: str) -> Answer:
    """{address: record of its PTR}, for where the name leads and where the server is."""
    found = {a for kind in ("A", "AAAA") for a in _told(record(names, host, kind))}
    if names.host:
        found.add(names.address(names.host))
    with ThreadPoolExecutor(4) as pool:
        told = pool.map(lambda a: record(names, a, "PTR"), sorted(found))
        return dict(zip(sorted(found), told, strict=True))


def _told(answer: Answer) -> list[str]:
    servers = answer.get("servers", {}).values()
    return [value for said in servers for value in said.get("values", ())]


@answered
def targets(names: Names, domain: str) -> Answer:
    """{name in MX: {addresses, alias} or {error}}."""
    rows = [value.split() for value in set(_told(record(names, domain, "MX")))]
    hosts = {row[1].rstrip(".").lower() for row in rows if len(row) == 2}
    return {host: _target(names, host) for host in sorted(hosts - {""})}


@answered
def _target(names: Names, host: str) -> Answer:
    four, six = (read(names.resolve(host, kind), kind) for kind in ("A", "AAAA"))
    return {"addresses": four["values"] + six["values"], "alias": four["alias"]}


@answered
def sender(names: Names, domain: str, *words: str) -> Answer:
    """The SPF record of a name, followed to its addresses; {} when there is not one.

    `others`: each of these words, which might not be in it, followed likewise."""
    texts = {text for text in _told(record(names, domain, "TXT")) if spf.is_spf(text)}
    if len(texts) != 1:
        return {}

    def lookup(name: str, kind: str) -> list[str]:
        try:
            return names.values(name, kind)
        except NoAnswer as error:
            raise spf.Unanswered(str(error)) from error

    others = {w: spf.expand(domain, f"v=spf1 {w}", lookup) for w in words}
    found = spf.expand(domain, texts.pop(), lookup)
    return {**found, "others": {w: node["terms"] for w, node in others.items()}}


def caa(names: Names, host: str) -> Answer:
    """The CAA records that count for a name: its own, else the next above (RFC 8659)."""
    own = record(names, host, "CAA")
    labels = host.split(".")
    for up in range(1, len(labels) - 1):
        if "error" in own or _told(own):
            return own
        above = ".".join(labels[up:])
        if _told(higher := record(names, above, "CAA")):
            return _at(higher, above)
    return own


def _at(answer: Answer, name: str) -> Answer:
    servers = {n: {**said, "at": name} for n, said in answer["servers"].items()}
    return {**answer, "servers": servers}


@answered
def signed(names: Names, host: str) -> Answer:
    """{zone, signed}: whether the zone above vouches for this one's signatures (DS)."""
    zone = names.zone(host)
    return {"zone": zone.name, "signed": bool(names.values(f"{zone.name}.", "DS"))}


def address(names: Names, *_: str) -> Answer:
    """{address} at which this computer reaches the server."""
    try:
        return {"address": names.address(names.host)}
    except NoAnswer as error:
        return {"error": str(error)}


#: The questions by the second word of their fact.
QUESTIONS: dict[str, Callable[..., Any]] = {
    "dns": Names.through,
    "record": record,
    "reverse": reverse,
    "targets": targets,
    "sender": sender,
    "caa": caa,
    "signed": signed,
    "address": address,
}


# Facts about what the server said: its keys, its domains, its further names.
#
# Asked after the server has answered; see `facts.after`.  Nothing here judges.


def key_records(names: Names, answer: Answer) -> Answer:
    """{name: as `record` tells it} for every DKIM key that the server has."""
    signers = keys.read(answer)
    if signers is None:
        return {"error": "the server could not tell which keys it has"}
    asked = [key.name for key in signers.keys if key.public]
    with ThreadPoolExecutor(8) as pool:
        told = pool.map(lambda name: record(names, name, "TXT"), asked)
        return dict(zip(asked, told, strict=True))


def domain_records(names: Names, answer: Answer) -> Answer:
    """{told: [[fact, answer], …]} about each mail domain that the server named."""
    if why := failed_answer(answer):
        return {"error": why}
    domains = [name for (name,) in answer["rows"]]
    with ThreadPoolExecutor(16) as pool:
        alone = dict(
            zip(domains, pool.map(partial(_unkept, names), domains), strict=True)
        )
        asked = [(f, alone[d]) for d in domains for f in others.asked_about(d)]
        told = pool.map(lambda q: q[1] or QUESTIONS[q[0][1]](names, *q[0][2:]), asked)
        return {"told": [[list(f), a] for (f, _), a in zip(asked, told, strict=True)]}


def _unkept(names: Names, domain: str) -> Answer:
    """{error} when nobody keeps a zone for a domain: nothing below it need be asked
    (RFC 8020).  Else {}; also when it could not be told, for each record to say why."""
    try:
        zone = names.zone(domain).name
    except NoAnswer:
        return {}
    found: Answer = kept({"zone": zone}, domain)
    return found if failed_answer(found) else {}


def leading(names: Names, answer: Answer) -> Answer:
    """{name: [addresses] or {error}} of each further name that the server told."""
    asked = sni.named(answer)

    def one(name: str) -> Any:
        try:
            absent = names.absent(name.partition(".")[2])
            return [] if absent else list(names.addresses(name))
        except NoAnswer as error:
            return {"error": str(error)}

    with ThreadPoolExecutor(8) as pool:
        return dict(zip(asked, pool.map(one, asked), strict=True))


#: Questions about what the server said, by the third word of their fact.
ABOUT: dict[str, Callable[[Names, Answer], Answer]] = {
    "keys": key_records,
    "domains": domain_records,
    "leading": leading,
}
