"""Proofs about the seal: DKIM signatures as a stranger checks them, and reports.

The signature is checked here, with dkimpy and the public key from the DNS, not by the
server that made it.  Sources: RFC 6376 6 (verifying), RFC 7489 7.2 (reports).
"""

from __future__ import annotations

import re

from ispguide.dns.tags import tags
from ispguide.dnsquery import NoAnswer
from ispguide.nameservers import Names
from ispguide.proofs.acting import CannotTell, Context, Verdict, need, proof
from ispguide.proofs.letters import STRANGER, head, letter, received, token
from ispguide.proofs.sending import send


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
def sealed(ctx: Context) -> Verdict:
    """Sent with a login, a letter is sealed; one changed word breaks the seal."""
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
        return False, f"The seal does not fit the public key at {name}."
    top, _, text = mail.partition("\n\n")
    if fits(ctx, f"{top}\n\n{text.replace('letter', 'bill', 1)}"):
        return False, "The seal still fits after a word was changed."
    return True, f"The seal fits the public key at {name}, and broke when one word was changed."  # fmt: skip


@proof
def stranger_unsealed(ctx: Context) -> Verdict:
    """A stranger at port 25 who writes in our name is not sealed, if taken at all."""
    mark, domain = token(), ctx.settings.domain
    me = f"director@{domain}"
    with ctx.stranger() as smtp:
        said = smtp.deliver(me, ctx.address, letter(mark, ctx.address, sender=me))
    if not said.good:
        return True, f"It was refused: {said.text!r}"
    mail = received(ctx, mark)[1]
    if not mail:
        return None, "It was taken, and did not reach the mailbox within 15 s."
    selector = signature(mail, domain)
    if selector:
        return False, f"A stranger's letter got the seal {selector} of {domain}."
    return True, "It was taken, as the policy says, and got no seal."


@proof
def reports_taken(ctx: Context) -> Verdict:
    """Somebody brings a report: its address is taken at the door.  Nothing is sent."""
    address = f"dmarc@{ctx.settings.domain}"
    with ctx.stranger() as smtp:
        said = smtp.envelope(STRANGER, address)
        smtp.command("RSET")
    return said.good, f"<{address}> was answered {said.text!r}"
