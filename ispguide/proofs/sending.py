"""Proofs about sending with a login: ports 587 and 465.

Sources: RFC 6409 and 8314 (submission), postconf(5) smtpd_sender_login_maps.
"""

from __future__ import annotations

import re

from ispguide.proofs.acting import Context, Verdict, need, proof
from ispguide.proofs.letters import (
    FOREIGN,
    STRANGER,
    arrived,
    head,
    letter,
    received,
    token,
)
from ispguide.proofs.protocols import Reply


def send(ctx: Context, port: str, mark: str, sender: str, ehlo: str = "") -> Reply:
    """The mailbox's owner writes to himself, as `sender`."""
    to = ctx.address
    with ctx.logged_in(int(port)) as smtp:
        if ehlo:
            need(smtp.command(f"EHLO {ehlo}"), "EHLO")
        reply: Reply = smtp.deliver(sender, to, letter(mark, to, sender=sender))
        return reply


@proof
def sends(ctx: Context, port: str) -> Verdict:
    """Who is logged in sends, and it arrives."""
    mark = token()
    return arrived(ctx, mark, send(ctx, port, mark, ctx.address))


@proof
def alias_may_send(ctx: Context, port: str) -> Verdict:
    """The owner of a mailbox may write as one of its aliases."""
    mark = token()
    return arrived(ctx, mark, send(ctx, port, mark, ctx.mailbox.alias))


@proof
def needs_login(ctx: Context, port: str) -> Verdict:
    """Without a login nothing is taken here, not even mail for our own mailbox."""
    me = ctx.address
    with ctx.user(int(port)) as smtp:
        for recipient in (FOREIGN, me):
            said = smtp.envelope(me, recipient)
            if not 500 <= said.code <= 599:
                return False, f"<{recipient}> without a login: {said.text!r}"
            need(smtp.command("RSET"), "RSET")
    return True, f"Without a login it says {said.text!r}"


@proof
def forged_sender_refused(ctx: Context, port: str) -> Verdict:
    """Who is logged in writes only as himself: not as a neighbour, not as a bank."""
    neighbour = f"neighbour-{token()}@{ctx.settings.domain}"
    with ctx.logged_in(int(port)) as smtp:
        for sender in (neighbour, STRANGER):
            said = smtp.envelope(sender, ctx.address)
            if said.code != 553:
                return False, f"<{sender}> as sender was answered {said.text!r}"
            need(smtp.command("RSET"), "RSET")
    return True, f"A foreign sender is answered {said.text!r}"


@proof
def no_client_address(ctx: Context, port: str) -> Verdict:
    """A mail does not tell where its writer sat: neither address nor name of his
    computer.  Behind NAT the server sees another address than ours, so every
    address in brackets counts that is not the server's own."""
    mark, name = token(), f"laptop-{token()}.elsewhere.test"
    need(send(ctx, port, mark, ctx.address, ehlo=name), "The mail")
    header = head(received(ctx, mark)[1])
    if mark not in header:
        return False, "The mail did not reach the mailbox within 15 s."
    with ctx.user(int(port)) as talk:
        ours, server = (
            s()[0] for s in (talk.socket.getsockname, talk.socket.getpeername)
        )
    lines = re.findall(r"^Received:.*|^X-Originating-IP:.*", header, re.M | re.I)
    found = set(re.findall(r"\[(?:IPv6:)?([0-9a-fA-F.:]{3,})\]", "\n".join(lines)))
    foreign = found - {server, "127.0.0.1", "::1"}
    if foreign or name in header or f"[{ours}]" in header:
        return False, f"The header tells {', '.join(foreign) or name}."
    return True, "The header names neither our address nor our computer."
