"""Proofs about mail that is sent: with a login (ports 587 and 465), through a smarthost.

Through a smarthost, the letter goes to the owner of the login at the smarthost, so nobody else is bothered;
it is the one thing that this proof leaves behind.  One that cannot leave is taken out
of the queue again; letters of others stay in it.
Sources: postconf(5) relayhost, smtp(8), postsuper(1), RFC 4954 6 (535).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from ispguide.engine.gaps import Gap
from ispguide.mail.smarthost import host_of, port_of
from ispguide.proofs.base import CannotTell, Context, Verdict, need, proof
from ispguide.proofs.messages import (
    FOREIGN,
    SENDER_ELSEWHERE,
    arrived,
    head,
    message,
    received,
    token,
)
from ispguide.proofs.protocols import Reply

#: Seconds until the queue should have something to tell.
PATIENCE = 20
TEXT = "This letter shows that mail leaves through the smarthost. You may delete it.\n"
AGAIN = "Type them again into the form of chapter 12, or run ./guide smarthost."

#: What the queue's words mean, in the order in which they are looked for: the kind of
#: gap, and the sentence.
MEANS = {
    r"SASL authentication failed|\b535\b": (
        "wrong-password",
        "{hop} refuses the login of {user} ({said}). "
        "It should take this name and this password. " + AGAIN,
    ),
    r"no worthy mechs|mechanism": (
        "differs",
        "{hop} and this server know no common way to log in "
        "({said}). Both should know PLAIN or LOGIN. Run the step smarthost again.",
    ),
    r"certificate|TLS": (
        "untrusted",
        "{hop} does not prove its name ({said}). It should show a "
        "certificate for that name, signed by an authority that Debian knows. Ask your "
        "provider for the right name.",
    ),
    r"timed out|refused|unreachable|No route|not found|look up": (
        "not-reached",
        "{hop} cannot be reached "
        "({said}). It should answer at this port. Ask your provider for name and port.",
    ),
}
OTHERWISE = (
    "not-taken",
    "{hop} did not take the letter ({said}). It should take letters from your people to "
    "anybody. Ask your provider which senders it takes from {user}.",
)


@dataclass(frozen=True)
class Line:
    """What the queue says of a letter."""

    relay: str
    status: str
    said: str


def line_of(text: str) -> Line | None:
    """The last line of the log that tells what became of it."""
    found = re.findall(r"relay=([^,]+),.* status=(\w+) \((.*)\)", text)
    return Line(*found[-1]) if found else None


@proof
def leaves_through_smarthost(ctx: Context) -> Verdict:
    """A letter to a foreign address is taken by the smarthost, and by nobody else."""
    number = _sent(ctx, _receiver(ctx))
    told = _awaited(ctx, number)
    if told is None or told.status == "deferred":
        ctx.tell(f"postsuper -d {number}")
    return judged(told, ctx.settings.smarthost, ctx.settings.smarthost_user)


def judged(told: Line | None, smarthost: str, user: str) -> Verdict:
    """What the queue's line means, for this smarthost and this login."""
    host, port = host_of(smarthost), port_of(smarthost)
    hop = f"{host}:{port}"
    if told is None:
        told = Line("none", "deferred", f"no answer found within {PATIENCE} s")
    if told.status != "sent":
        meant = (what for key, what in MEANS.items() if re.search(key, told.said))
        kind, words = next(meant, OTHERWISE)
        return False, Gap(kind, words.format(hop=hop, user=user, said=told.said))
    if not (told.relay.startswith(f"{host}[") and told.relay.endswith(f":{port}")):
        words = f"The letter left through {told.relay}, and not through {hop}."
        return False, Gap("elsewhere", words)
    return True, f"relay={told.relay}, status=sent ({told.said})"


def _receiver(ctx: Context) -> str:
    """The owner of the login, if that is an address and not one of ours."""
    user = ctx.settings.smarthost_user
    if user.rpartition("@")[2] not in ("", user, ctx.settings.domain):
        return user
    raise CannotTell(
        f"The login {user} is no address elsewhere, so a trial would bother somebody. "
        "Write to an address of yours at another provider, and look for relay= in "
        "journalctl -t postfix/smtp."
    )


def _sent(ctx: Context, to: str) -> str:
    """The number of a letter in the queue, handed in as a user does."""
    mark, me = token(), ctx.address
    text = message(mark, to, TEXT, sender=me)
    with ctx.logged_in(587) as smtp:
        said = need(smtp.deliver(me, to, text), "The letter")
    found = re.search(r"queued as (\w+)", said.text)
    if not found:
        raise CannotTell(f"The server did not tell the letter's number: {said.text!r}.")
    return found[1]


def _awaited(ctx: Context, number: str) -> Line | None:
    """What the queue says of it, asked twice a second; None when it says nothing."""
    look = "journalctl -q --no-pager -o cat -t postfix/smtp --since -5min"
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        said = ctx.tell(f"{look} | grep -F '{number}: ' || true")
        if told := line_of(said.out):
            return told
        time.sleep(0.5)
    return None


# Proofs about sending with a login: ports 587 and 465.
#
# Sources: RFC 6409 and 8314 (submission), postconf(5) smtpd_sender_login_maps.


def send(ctx: Context, port: str, mark: str, sender: str, ehlo: str = "") -> Reply:
    """The mailbox's owner writes to himself, as `sender`."""
    to = ctx.address
    with ctx.logged_in(int(port)) as smtp:
        if ehlo:
            need(smtp.command(f"EHLO {ehlo}"), "EHLO")
        reply: Reply = smtp.deliver(sender, to, message(mark, to, sender=sender))
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
        for sender in (neighbour, SENDER_ELSEWHERE):
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
