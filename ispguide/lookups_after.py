"""Facts about what the server said: its keys, its domains, its further names.

Asked after the server has answered; see `facts.after`.  Nothing here judges.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from ispguide.dkim import keys
from ispguide.dns import others
from ispguide.dns.thing import kept
from ispguide.dnsquery import Answer, NoAnswer
from ispguide.facts import failed_answer
from ispguide.further import seen as further
from ispguide.lookups import QUESTIONS, record
from ispguide.nameservers import Names


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
    asked = further.named(answer)

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
