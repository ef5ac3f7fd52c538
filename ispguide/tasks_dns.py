"""The tasks of the DNS coach: look, publish, follow, write the zone file.

Exported from `tasks.py`.  What they return is data; notebook and command line show it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fabric import task

from ispguide.dns import coach
from ispguide.dns.coach import Note, Row
from ispguide.dns.meaning import RIGHT, UNKNOWN
from ispguide.dns.records import zone_file
from ispguide.errors import GuideError
from ispguide.guide import Guide
from ispguide.opening import PRACTICE, open_guide
from ispguide.publishing import Key, NotPublished

#: Resolvers that half the world asks (Quad9, Cloudflare, Google): what they still
#: remember is what other people get.  Asked for a real server only.
PUBLIC = ("9.9.9.9", "1.1.1.1", "8.8.8.8")


@dataclass(frozen=True)
class Spread:
    """Who knows what: notes, and when they were taken (seconds since 1970)."""

    notes: tuple[Note, ...]
    time: float


@task(iterable=["keys"])
def dns_records(
    c: Any, keys: Sequence[str] = (), server: str = PRACTICE, sudo: Any = None
) -> list[Row]:
    """Every record the server needs, with what is there; changes nothing."""
    guide = open_guide(server, sudo)
    with guide.server:
        return [row for row in _rows(guide) if not keys or row.record.key in keys]


@task(iterable=["keys"])
def dns_publish(
    c: Any,
    keys: Sequence[str] = (),
    server: str = PRACTICE,
    sudo: Any = None,
    key: Key | None = None,
) -> list[Row]:
    """Publish what is missing or wrong (all of it, or these), and look again.

    `key`: for a zone that takes dynamic updates; a practice zone needs none."""
    guide = open_guide(server, sudo, key)
    with guide.server:
        before = _rows(guide)
        open_ = {
            row.record.key
            for row in before
            if row.verdict.state not in (RIGHT, UNKNOWN)
            and (row.record.key in keys or not keys)
        }
        todo = [t for t in coach.things(guide.settings, guide.have) if t.key in open_]
        do = [action for thing in todo for action in thing.fix(guide.have)]
        if open_ and not do:
            raise NotPublished(
                "Nothing was published.",
                "There should be a key for a zone that takes changes.",
                "Type it in, or copy the records into the form of your provider.",
                kind="no-zone-key",
            )
        if do:
            _publish(guide, do)
        return _rows(guide)


def _publish(guide: Guide, do: Sequence[Any]) -> None:
    done = guide.exchange(do, step="dns.coach").done
    if done and not done["ok"]:
        raise NotPublished(
            "The change was not published.",
            "The name server should take it.",
            "Read its answer below; or copy the records into the form of your provider.",
            done["evidence"],
        )


@task
def dns_spread(c: Any, server: str = PRACTICE, sudo: Any = None) -> Spread:
    """What the zone's own servers and the resolvers say of each record."""
    guide = open_guide(server, sudo)
    with guide.server:
        _rows(guide)
        whom = resolvers(guide)
        guide.exchange(tell=coach.asked_of(guide.settings, guide.have, whom))
        return Spread(tuple(coach.notes(guide.settings, guide.have, whom)), time.time())


def resolvers(guide: Guide) -> list[str]:
    """Whom to ask besides: the practice internet's, or this computer's and PUBLIC."""
    from ispguide.nameservers import own_resolvers

    profile = guide.server.profile
    if profile.replay:  # a recording knows what the zone's own servers said
        return []
    if profile.resolver:
        return [profile.resolver, *profile.others.split()]
    return list(dict.fromkeys([*own_resolvers(), *PUBLIC]))


@task
def dns_zone(c: Any, server: str = PRACTICE, sudo: Any = None) -> str:
    """The records as a zone file, to be imported at a provider."""
    rows = dns_records(c, (), server, sudo)
    if not rows:
        raise GuideError(
            "The server's own addresses could not be told.",
            "They stand in half of the records.",
            "Look whether the server has a way to the internet, then try again.",
            kind="no-answer",
        )
    zone = next(row.zone for row in rows if row.record.key == "mx")
    return zone_file([row.proposed for row in rows], zone)


def _rows(guide: Guide) -> list[Row]:
    steps = guide.select("dns", "dkim.public_keys")
    guide.look([step for step in steps if not step.proves])
    return coach.rows(guide.settings, guide.have)
