"""Proofs about DKIM signatures, and about what others think of us.

A provider elsewhere judges SPF, DKIM and DMARC, where one is known, as friend.test is
to a practice server; else they could not tell.  Sources: RFC 8601 (Authentication-Results), RFC 7489 6.6 (what a
receiver does).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from ispguide.mail.dmarc.things import policy
from ispguide.mail.dns.policies import tags
from ispguide.outside.elsewhere import Elsewhere
from ispguide.outside.names import Names, NoAnswer
from ispguide.proofs.base import CannotTell, Context, Verdict, need, proof
from ispguide.proofs.messages import SENDER_ELSEWHERE, head, message, received, token
from ispguide.proofs.submission import send

# Proofs about the seal: DKIM signatures as a stranger checks them, and reports.
#
# The signature is checked here, with dkimpy and the public key from the DNS, not by the
# server that made it.  Sources: RFC 6376 6 (verifying), RFC 7489 7.2 (reports).


def signature(mail: str, domain: str) -> str:
    """The selector of the domain's signature in a mail; "" when there is none."""
    for line in re.findall(r"^DKIM-Signature:.*", head(mail), re.M | re.I):
        found = tags(line.partition(":")[2])
        if found.get("d") == domain:
            return found.get("s", "")
    return ""


def fits(ctx: Context, mail: str) -> bool:
    """Whether the seal fits the letter, by the public key that the DNS shows now."""
    import dkim

    names = Names(ctx.resolver, ctx.host)

    def txt(name: bytes, timeout: int = 5) -> bytes:
        try:
            found = names.values(name.decode().rstrip("."), "TXT")
        except NoAnswer as error:
            raise CannotTell(f"The key could not be looked up: {error}.") from error
        ctx.lines.append(f"   TXT of {name.decode()}: {' | '.join(found) or 'nothing'}")
        return found[0].encode() if found else b""

    data = re.sub(r"\r?\n", "\r\n", mail).encode()
    try:
        return bool(dkim.verify(data, dnsfunc=txt))
    except dkim.DKIMException as error:
        ctx.lines.append(f"   {error}")
        return False


@proof
def dkim_signed(ctx: Context) -> Verdict:
    """Sent with a login, a letter is signed; one changed word breaks the signature."""
    mark, domain = token(), ctx.settings.domain
    need(send(ctx, "587", mark, ctx.address), "The letter")
    mail = received(ctx, mark)[1]
    if not mail:
        return False, "The letter did not reach the mailbox within 15 s."
    selector = signature(mail, domain)
    if not selector:
        return False, f"There is no DKIM signature of {domain} in its head."
    name = f"{selector}._domainkey.{domain}"
    if not fits(ctx, mail):
        return False, f"The DKIM signature does not fit the public key at {name}."
    top, _, text = mail.partition("\n\n")
    if fits(ctx, f"{top}\n\n{text.replace('letter', 'bill', 1)}"):
        return False, "The DKIM signature still fits after a word was changed."
    return True, f"The DKIM signature fits the public key at {name}, and broke when one word was changed."  # fmt: skip


@proof
def inbound_not_signed(ctx: Context) -> Verdict:
    """A stranger at port 25 who writes in our name is not signed, if taken at all."""
    mark, domain = token(), ctx.settings.domain
    me = f"director@{domain}"
    with ctx.inbound_smtp() as smtp:
        said = smtp.deliver(me, ctx.address, message(mark, ctx.address, sender=me))
    if not said.good:
        return True, f"It was refused: {said.text!r}"
    mail = received(ctx, mark)[1]
    if not mail:
        return None, "It was taken, and did not reach the mailbox within 15 s."
    selector = signature(mail, domain)
    if selector:
        return False, f"A stranger's letter got the signature {selector} of {domain}."
    return True, "It was taken, as the policy says, and got no DKIM signature."


@proof
def reports_taken(ctx: Context) -> Verdict:
    """Somebody brings a report: its address is taken at the door.  Nothing is sent."""
    address = f"dmarc@{ctx.settings.domain}"
    with ctx.inbound_smtp() as smtp:
        said = smtp.envelope(SENDER_ELSEWHERE, address)
        smtp.command("RSET")
    return said.good, f"<{address}> was answered {said.text!r}"


# Proofs about what others think of us: a provider elsewhere judges SPF, DKIM and DMARC.


#: What a strict provider judges.
WAYS = ("spf", "dkim", "dmarc")
#: Seconds that a letter may take to a provider elsewhere.
PATIENCE = 20


def _elsewhere(ctx: Context) -> Elsewhere:
    if ctx.elsewhere is None:
        raise CannotTell(
            "No provider is known here that tells its verdict. Write a letter to a "
            "mailbox of yours elsewhere, and look at its source: there, "
            "Authentication-Results should say spf=pass, dkim=pass and dmarc=pass."
        )
    return ctx.elsewhere


def _told(ctx: Context, found: Mapping[str, str]) -> str:
    words = ", ".join(f"{way}={found.get(way, 'none')}" for way in WAYS)
    ctx.lines.append(f"   Authentication-Results: {words}")
    return words


@proof
def authenticated_elsewhere(ctx: Context) -> Verdict:
    """A letter to a provider elsewhere passes SPF, DKIM and DMARC there."""
    other, mark = _elsewhere(ctx), token()
    with ctx.logged_in(587) as smtp:
        text = message(mark, other.address, sender=ctx.address)
        need(smtp.deliver(ctx.address, other.address, text), "The letter")
    found = other.verdict(mark, PATIENCE)
    if found is None:
        return _waiting(ctx, other.address)
    words = _told(ctx, found)
    good = all(found.get(way) == "pass" for way in WAYS)
    return good, f"A letter to {other.address} was judged {words}."


def _waiting(ctx: Context, address: str) -> Verdict:
    """Why a letter has not come: the queue knows."""
    rows = [json.loads(r) for r in ctx.tell("postqueue -j").lines if r]
    whys = [
        r.get("delay_reason", "")
        for row in rows
        if row["sender"] == ctx.address
        for r in row["recipients"]
        if r["address"] == address
    ]
    if not whys:
        return False, f"Our server took the letter, and {address} never got it."
    if not whys[0]:
        return None, (
            f"After {PATIENCE} s our server still tries to reach {address}. Chapter 2 "
            "tells whether your provider lets it call port 25 of others."
        )
    # Nobody was reached who could have said no.
    on_the_way = "connect to " in whys[0] and " said: " not in whys[0]
    return None if on_the_way else False, f"The letter still waits here: {whys[0]}"


@proof
def forgery_judged(ctx: Context) -> Verdict:
    """Somebody writes to a provider elsewhere in our name.  What becomes of his letter
    is what the DMARC record asks for: with reject, it is refused while he waits."""
    other, mark, domain = _elsewhere(ctx), token(), ctx.settings.domain
    wish = _wish(ctx, domain)
    said = other.forged(f"director@{domain}", mark)
    ctx.lines.append(f"   {said.code} {said.text}")
    if said.code == 250:
        return _taken(ctx, other, mark, wish)
    if "DMARC" not in said.text.upper():
        return None, f"It was refused for another reason: {said.code} {said.text}"
    return wish == "reject", f"As p={wish} asks, it was refused: {said.code} {said.text}"  # fmt: skip


def _wish(ctx: Context, domain: str) -> str:
    """What the DMARC record asks for."""
    name = f"_dmarc.{domain}"
    try:
        found = Names(ctx.resolver, ctx.host).values(name, "TXT")
    except NoAnswer as error:
        raise CannotTell(f"TXT of {name} could not be looked up: {error}.") from error
    ctx.lines.append(f"   TXT of {name}: {' | '.join(found) or 'nothing'}")
    wishes = [policy(text) for text in found if text.lower().startswith("v=dmarc1")]
    if len(wishes) != 1 or not wishes[0]:
        raise CannotTell(f"{domain} does not say what becomes of forgeries.")
    return wishes[0]


def _taken(ctx: Context, other: Elsewhere, mark: str, wish: str) -> Verdict:
    found = other.verdict(mark, PATIENCE)
    if found is None:
        return None, "It was taken, and did not reach the mailbox."
    words = _told(ctx, found)
    if wish == "reject":
        return False, f"It was taken ({words}), though p=reject asks to refuse it."
    seen = f"It was recognised ({words}), and taken, as p={wish} allows."
    return found.get("dmarc") == "fail", seen
