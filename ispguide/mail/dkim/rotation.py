"""Rotation: how one key follows another without a letter going out unsigned.

Where a domain stands follows from what is there: the keys on the server, rspamd's
list, the records in the DNS, and the letters that still wait.  Nothing is remembered
anywhere else, so it can be left at any moment, and gone on with from another computer.
Pure.  Sources: RFC 6376 3.1 and 4.2 (old keys stay for a while), M3AAWG DKIM Key
Rotation Best Common Practices.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ispguide.engine import facts
from ispguide.engine.actions import Action, Run, Start, Write, quote
from ispguide.engine.facts import Have, Ran
from ispguide.engine.settings import Settings
from ispguide.mail.dkim.keys import MAP, Entry, Key, Signers, seen, with_entries
from ispguide.mail.dkim.records import KeyRecord
from ispguide.mail.dkim.things import make
from ispguide.mail.dns.compare import RIGHT, UNKNOWN

#: Letters that wait, one a line of JSON (postqueue(1)).
QUEUE = facts.run("postqueue -j")
DAY = 86400

#: What may be done next, in order, and what it is called.
STAGES = {
    "make": "make a new key",
    "publish": "put its public half into the DNS",
    "sign": "sign with the new key",
    "wait": "wait until nobody needs the old key",
    "withdraw": "take the old key out of the DNS",
    "destroy": "destroy the old key",
}
#: Not a stage of a rotation: something else comes first.
FIRST, LOOK_AGAIN = "first", "look"


@dataclass(frozen=True)
class Turn:
    """Where the rotation of a domain stands.

    `next`: one of STAGES, or FIRST or LOOK_AGAIN.  `why`: what is so, what to do.
    `wait`: seconds until the next stage may be done.  `by_itself`: whether it can be
    done from here; else `why` says what to type at the provider."""

    domain: str
    next: str
    why: str
    signing: Key | None = None
    since: int = 0
    new: Key | None = None
    old: Key | None = None
    wait: int = 0
    by_itself: bool = True

    @property
    def doable(self) -> bool:
        return self.next in STAGES and self.by_itself and self.next != "wait"

    @property
    def resting(self) -> bool:
        """Whether no rotation is under way."""
        return self.next == "make"


def spoken(seconds: int) -> str:
    """A time to wait, in words."""
    for name, size in (("days", DAY), ("hours", 3600), ("minutes", 60)):
        if seconds > 2 * size:
            return f"{-(-seconds // size)} {name}"
    return f"{seconds} seconds"


def turns(have: Have, s: Settings) -> list[Turn]:
    """Where each domain stands; empty when it could not be told."""
    signers = seen(have)
    return [turn(have, signers, d, s) for d in signers.domains] if signers else []


def turn(have: Have, signers: Signers, domain: str, s: Settings) -> Turn:
    """Where this one stands."""
    now = signers.signing(domain)
    if now is None:
        return Turn(domain, FIRST, "No key signs for this domain yet. First run the steps of this chapter.")  # fmt: skip
    newer, older = signers.newer(domain), signers.older(domain)
    base = Turn(domain, "make", "", now, signers.since(domain))
    if newer:
        return _coming(have, base, newer[-1], s.domain)
    if older:
        return _going(have, signers, base, older[0], s)
    days = (signers.now - base.since) // DAY
    why = f"It has signed for {days} days. Once or twice a year is often enough to change it."
    return _with(base, "make", why)


def _with(base: Turn, next_: str, why: str, **more: object) -> Turn:
    return replace(base, next=next_, why=why, **more)  # type: ignore[arg-type]


def _coming(have: Have, base: Turn, new: Key, home: str) -> Turn:
    """A key waits for its turn."""
    record = KeyRecord(new, home)
    state = record.verdict(have).state
    if not new.usable:
        return _with(base, FIRST, f"The new key {new.selector} cannot be used. The step `keys` mends it.", new=new)  # fmt: skip
    if state == RIGHT:
        return _with(base, "sign", "All name servers of the zone show the public half of the new key.", new=new)  # fmt: skip
    if state == UNKNOWN:
        return _with(base, LOOK_AGAIN, record.gap(have), new=new)
    able = record.publishable(have)
    why = "The world cannot see the new key yet." if able else record.gap(have)
    return _with(base, "publish", why, new=new, by_itself=able)


def _going(have: Have, signers: Signers, base: Turn, old: Key, s: Settings) -> Turn:
    """A key has had its turn."""
    record = KeyRecord(old, s.domain)
    if record.verdict(have).state == UNKNOWN:
        return _with(base, LOOK_AGAIN, record.gap(have), old=old)
    due = base.since + s.dkim_overlap_days * DAY + _remembered(have, record)
    if (wait := due - signers.now) > 0:
        why = "Letters signed with the old key may still be on their way, and resolvers remember its record."
        return _with(base, "wait", why, old=old, wait=wait)
    if waiting := messages_before(have, base.since, base.domain):
        return _with(base, "wait", waiting, old=old)
    if not record.values(have):
        why = "Its public half is out of the DNS, so the old key can vouch for nothing any more."
        return _with(base, "destroy", why, old=old)
    able = record.publishable(have)
    why = "Nobody needs the old key any more." if able else (
        "Nobody needs the old key any more. In the form of your DNS provider: "
        f"remove the TXT record {old.name}."
    )  # fmt: skip
    return _with(base, "withdraw", why, old=old, by_itself=able)


def _remembered(have: Have, record: KeyRecord) -> int:
    """Seconds that resolvers may remember the record."""
    servers = record.answer(have).get("servers", {}).values()
    return max((said.get("ttl", 0) for said in servers), default=0)


def messages_before(have: Have, moment: int, domain: str) -> str:
    """A sentence about letters of the domain that wait since before that moment."""
    queue = Ran.of(have[QUEUE])
    if not queue.ok:
        return "It could not be told whether letters with the old signature still wait."
    rows = [json.loads(line) for line in queue.lines if line]
    mine = [r for r in rows if r["sender"].endswith(f"@{domain}")]
    old = [r for r in mine if r["arrival_time"] <= moment]
    if not old:
        return ""
    return (
        f"{len(old)} letters with the old signature still wait in the queue (`mailq`)."
    )


def actions(have: Have, now: Turn, s: Settings) -> Sequence[Action]:
    """What the next stage does."""
    signers = seen(have)
    if signers is None or not now.doable:
        return ()
    if now.next == "make":
        return [make(now.domain)]
    if now.next == "publish" and now.new:
        return KeyRecord(now.new, s.domain).fix(have)
    if now.next == "sign" and now.new:
        entry = Entry(now.domain, now.new.selector, signers.now)
        return [Write(MAP, with_entries(signers.list_, [entry])), reload()]
    if now.next == "withdraw" and now.old:
        return KeyRecord(now.old, s.domain).withdraw(have)
    assert now.next == "destroy" and now.old
    return [Run(f"rm {quote(now.old.path)}")]


def reload() -> Start:
    """rspamd reads its list anew; its door stays open meanwhile."""
    test = "rspamadm configtest"
    return Start("rspamd", "reload", test, "rspamd", enable=False, ports=(11332,))
