"""Who reads a decision: the steps that say something else when it changes.

Found by asking every step before and after, so no list has to be kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ispguide.chapter import Chapter, Step
from ispguide.chapters import GUIDE
from ispguide.dane.thing import TlsaRecord
from ispguide.dns.others import OtherDomains, records
from ispguide.dns.thing import DnsRecord
from ispguide.dns.wanted import Addresses, find
from ispguide.notebook import frame
from ispguide.settings import Settings

AT = Addresses("192.0.2.1", "2001:db8::1")


def readers(before: Settings, after: Settings) -> list[tuple[Chapter, Step]]:
    """The steps that want something else of the server than they did before."""
    return [
        (chapter, step)
        for chapter in GUIDE
        for step in chapter.steps
        if _wants(step, before) != _wants(step, after)
        and step.name != "remember_settings"  # saving did that already
    ]


def _wants(step: Step, s: Settings) -> list[Any]:
    """Services follow what others change."""
    return [_want(thing) for thing in step.things(s) if not thing.follows]


def _want(thing: Any) -> Any:
    """What a thing wants; a record carries all settings with it, and wants a few."""
    if isinstance(thing, TlsaRecord):
        return thing.question, thing.signed
    if isinstance(thing, DnsRecord):
        return find(thing.settings, AT, thing.key)
    if isinstance(thing, OtherDomains):
        return [
            _want(r) for r in records(thing.settings, "another.example", thing.keys)
        ]
    if further := getattr(thing, "further", None):
        return further.look, getattr(thing, "text", "")
    return thing


def told_html(found: Sequence[tuple[Chapter, Step]]) -> str:
    """What was kept, and where to go on."""
    if not found:
        return '<p role="status">✓ Kept on the server. No step needs to run again.</p>'
    items = "".join(
        f"<li>{frame.link(c.notebook, f'{c.number:02d} {s.title}', s.name)}</li>"
        for c, s in found
    )
    return (
        '<p role="status">✓ Kept on the server. These steps read what you changed; '
        f"run them again:</p><ul>{items}</ul>"
    )
