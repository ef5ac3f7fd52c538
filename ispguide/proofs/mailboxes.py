"""Proofs about mailboxes: new ones, locked ones, full ones.

Each works with a mailbox that exists for this moment.
Sources: RFC 5321 4.2.3 (452), RFC 1870 (SIZE), RFC 9208 (quotas in IMAP).
"""

from __future__ import annotations

import json
import re
import time

from ispguide.engine.actions import quote
from ispguide.proofs.base import Context, Refused, Verdict, last_proof, need, proof
from ispguide.proofs.messages import (
    SENDER_ELSEWHERE,
    arrived,
    bring,
    message,
    token,
    wait_for,
)
from ispguide.proofs.protocols import Reply

# Proofs about people who come and go: new, locked.
#
# Sources: https://doc.dovecot.org/2.3/configuration_manual/authentication/ (one row, or none).


@proof
def works_at_once(ctx: Context) -> Verdict:
    """A mailbox that was made a second ago is opened, and gets its first letter."""
    with ctx.apart() as new:
        mark = token()
        ok, seen = arrived(new, mark, bring(new, mark))
    return ok, f"Made, opened and written to within seconds. {seen}"


@last_proof
def locked_takes_mail(ctx: Context) -> Verdict:
    """The right password is refused, and a letter is taken and kept.

    One door speaks for all of them, as they ask the same Dovecot; each more would be
    one more guess for its penalty."""
    with ctx.apart(locked=True) as shut:
        _, said = shut.tried(993, shut.mailbox.password)
        if said.good:
            return False, "Port 993 let the owner of a locked mailbox in."
        need(bring(shut, token()), "A letter to a locked mailbox")
        kept = f"doveadm mailbox status -u {quote(shut.address)} -t messages '*'"
        end = time.monotonic() + 15
        while time.monotonic() < end:
            if "messages=1" in shut.tell(kept).out:
                return True, f"It says {said.brief!r}, and its letter is kept."
            time.sleep(0.25)
    return False, "The letter was taken, and did not reach the mailbox."


# Proofs about full mailboxes: refused at the door, warned before, told on request.


#: Bytes that the small mailbox holds.
SMALL = 300_000
#: On the wire, and in Dovecot's sum, each line ends with two bytes.
LINE = "A line of words that fills the letter, and nothing else at all.\n"


def long(size: int) -> str:
    """A text of so many bytes, up to a line."""
    return LINE * (size // (len(LINE) + 1))


def put(ctx: Context, size: int) -> None:
    """A letter of so many bytes lies in the mailbox afterwards."""
    mark = token()
    need(bring(ctx, mark, text=long(size)), f"A letter of {size} bytes")
    with ctx.reader() as imap:
        if not wait_for(imap, mark)[0]:
            raise Refused(f"A letter of {size} bytes was taken, and did not arrive.")


def knock(ctx: Context, to: str, size: int = 0) -> Reply:
    """A stranger asks at the door; he announces `size` bytes, or nothing."""
    told = f" SIZE={size}" if size else ""
    with ctx.inbound_smtp() as smtp:
        need(smtp.command(f"MAIL FROM:<{SENDER_ELSEWHERE}>{told}"), "MAIL FROM")
        return smtp.command(f"RCPT TO:<{to}>")


def unannounced(ctx: Context, size: int) -> Reply:
    """He says nothing about its size, and brings a letter of so many bytes."""
    with ctx.inbound_smtp() as smtp:
        mail = message(token(), ctx.address, text=long(size))
        return smtp.deliver(SENDER_ELSEWHERE, ctx.address, mail)


def full(said: Reply) -> bool:
    """Not now, because the mailbox is full."""
    return said.text.startswith("452 4.2.2")


def waiting(ctx: Context, *addresses: str) -> bool:
    """Whether a letter for one of them was taken and lies in the queue."""
    rows = [json.loads(r) for r in ctx.tell("postqueue -j").lines if r]
    return any(r["address"] in addresses for row in rows for r in row["recipients"])


@proof
def full_refused(ctx: Context) -> Verdict:
    """What does not fit is refused while its sender waits: announced as too large,
    found too large at its end, or brought to a mailbox that is full already."""
    with ctx.apart(SMALL) as small:
        me = small.address
        if not full(said := knock(small, me, 2 * SMALL)):
            return False, f"Twice the limit, announced, was answered {said.text!r}"
        if not full(said := unannounced(small, SMALL + 10_000)):
            return False, f"Too large, not announced: it was answered {said.text!r}"
        put(small, SMALL - 9_000)
        if not full(said := knock(small, me)):
            return False, f"The mailbox is full, and RCPT was answered {said.text!r}"
        if waiting(ctx, me):
            return (
                False,
                "A letter that does not fit was taken, and waits in the queue.",
            )
        return True, f"It is answered {said.text!r}, and nothing waits in the queue."


@proof
def full_behind_alias(ctx: Context) -> Verdict:
    """A forwarding and a +tag lead to the same mailbox, and so to the same answer."""
    with ctx.apart(SMALL) as small:
        local, _, domain = small.address.partition("@")
        for to in (small.mailbox.alias, f"{local}+tag@{domain}"):
            if not knock(small, to).good:
                return False, f"<{to}> was refused though there is room."
            if not full(said := knock(small, to, 2 * SMALL)):
                return False, f"<{to}> was answered {said.text!r}"
    return True, f"Both ways are answered {said.text!r}"


@proof
def warned_in_time(ctx: Context) -> Verdict:
    """A letter at 80 percent, another at 95."""
    seen = []
    with ctx.apart(SMALL) as small:
        for size, percent in ((SMALL * 81 // 100, 80), (SMALL * 14 // 100, 95)):
            put(small, size)
            with small.reader() as imap:
                if not wait_for(imap, f"{percent} % full", "INBOX")[0]:
                    return False, f"No letter came at {percent} percent."
            seen.append(f"{percent} %")
    return True, f"A letter came at {' and at '.join(seen)}."


@proof
def quota_told(ctx: Context) -> Verdict:
    """A mail program that asks is told the limit (in units of 1024 bytes)."""
    with ctx.apart(SMALL) as small, small.reader() as imap:
        said = imap.command("GETQUOTAROOT INBOX").whole
    told = re.search(r"^\* QUOTA .*\(STORAGE \d+ (\d+)\)", said, re.M)
    if not told or abs(int(told[1]) * 1024 - SMALL) >= 1024:
        return False, f"GETQUOTAROOT was answered {said!r}"
    return True, f"It is told {told[0]!r}"
