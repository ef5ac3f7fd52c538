"""Proofs at port 25: what a stranger may bring, and what he may not.

Sources: RFC 5321, CVE-2023-51764 and https://www.postfix.org/smtp-smuggling.html,
RFC 2505 (relaying).
"""

from __future__ import annotations

from ispguide.engine.actions import quote
from ispguide.outside.talk import NotReached, unchecked
from ispguide.proofs.base import Context, Refused, Verdict, need, proof
from ispguide.proofs.messages import (
    FOREIGN,
    SENDER_ELSEWHERE,
    arrived,
    bring,
    message,
    token,
    wait_for,
)
from ispguide.proofs.protocols import Smtp


@proof
def inbound_delivered(ctx: Context) -> Verdict:
    """Somebody from elsewhere writes to the mailbox."""
    mark = token()
    return arrived(ctx, mark, bring(ctx, mark))


@proof
def plus_address(ctx: Context) -> Verdict:
    """anna+shop@ is anna@: an address for every purpose (RFC 5233)."""
    mark = token()
    local, _, domain = ctx.address.partition("@")
    return arrived(ctx, mark, bring(ctx, mark, f"{local}+shop@{domain}"))


@proof
def alias_delivers(ctx: Context) -> Verdict:
    """A letter to the alias lies in the mailbox."""
    mark = token()
    return arrived(ctx, mark, bring(ctx, mark, ctx.mailbox.alias))


@proof
def catchall_respects_mailboxes(ctx: Context) -> Verdict:
    """A catch-all may not swallow mailboxes, so each must be its own alias first.

    Asked of the map itself: a catch-all row would touch the reader's own mail."""
    source, address = "mysql:/etc/postfix/mysql-email2email.cf", ctx.address
    if source not in ctx.tell("postconf -hx virtual_alias_maps").out:
        return False, f"virtual_alias_maps does not name {source}."
    said = ctx.tell(f"postmap -q {quote(address)} {source}")
    seen = said.out.strip() or said.err.strip() or "nothing"
    return said.out.strip() == address, f"{source} answers {seen}"


@proof
def unknown_refused(ctx: Context) -> Verdict:
    """Who does not live here is refused at the door, so that nothing bounces."""
    with ctx.inbound_smtp() as smtp:
        said = smtp.envelope(
            SENDER_ELSEWHERE, f"nobody-{token()}@{ctx.settings.domain}"
        )
    return said.text.startswith("550 5.1.1"), f"RCPT was answered {said.text!r}"


def relays(ctx: Context, address: str) -> list[tuple[str, str]]:
    """(sender, recipient) of each known way to make a server pass mail on."""
    domain, host = ctx.settings.domain, ctx.settings.hostname
    local, _, elsewhere = FOREIGN.partition("@")
    literal = f"IPv6:{address}" if ":" in address else address
    recipients = (
        FOREIGN,
        f"{local}%{elsewhere}@{domain}",
        f"{local}%{elsewhere}@{host}",
        f"{local}%{elsewhere}@[{literal}]",
        f"@{host}:{FOREIGN}",
        f'"{FOREIGN}"@{domain}',
        f"{elsewhere}!{local}@{host}",
    )
    ways = [(SENDER_ELSEWHERE, recipient) for recipient in recipients]
    return [*ways, (f"postmaster@{domain}", FOREIGN), ("", FOREIGN)]


@proof
def relay_refused(ctx: Context) -> Verdict:
    """Nobody sends through this server without a login, by no trick, for ever.

    For ever is 5xx; with 4xx the stranger's server would try again for days."""
    with ctx.inbound_smtp() as smtp:
        ways = relays(ctx, smtp.socket.getpeername()[0])
        for sender, recipient in ways:
            said = smtp.envelope(sender, recipient)
            if not 500 <= said.code <= 599:
                who = f"<{recipient}> from <{sender}>"
                return False, f"{who} was answered {said.text!r}"
            need(smtp.command("RSET"), "RSET")
    return True, f"All {len(ways)} ways were refused, the last with {said.text!r}"


#: Ends of a mail that are none, in the order of how often servers took them for one.
BROKEN_ENDS = ("\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r.\r")


@proof
def smuggling_refused(ctx: Context) -> Verdict:
    """What looks like an end of mail to others must not hide a second mail.

    A third letter, brought after all others, ends the wait for the hidden ones."""
    hidden = {end: token() for end in BROKEN_ENDS}
    taken = {end: _smuggle(ctx, end, mark) for end, mark in hidden.items()}
    last = token()
    need(bring(ctx, last), "An ordinary letter")
    with ctx.reader() as imap:
        if not wait_for(imap, last)[0]:
            return False, "The ordinary letter sent afterwards did not arrive."
        for end, mark in hidden.items():
            found = any(imap.find(folder, mark) for folder in ("INBOX", "Junk"))
            if found or taken[end] > 1:
                return False, f"A second mail got in behind {end!r}."
    return True, f"No second mail got in behind {len(hidden)} broken ends."


def _smuggle(ctx: Context, end: str, mark: str) -> int:
    """How many mails the server says it took; hanging up on us is fine."""
    to = ctx.address
    inner = message(mark, to).replace("\n", "\r\n")
    outer = message(token(), to).replace("\n", "\r\n").removesuffix("\r\n")
    trick = f"{end}MAIL FROM:<{SENDER_ELSEWHERE}>\r\nRCPT TO:<{to}>\r\nDATA\r\n"
    with ctx.inbound_smtp() as smtp:
        need(smtp.envelope(SENDER_ELSEWHERE, to), "The envelope")
        need(smtp.command("DATA"), "DATA")
        smtp.send(f"{outer}{trick}{inner}.\r\nQUIT\r\n".encode(),
                  shown=f"(a letter, then {trick!r} and another letter)")  # fmt: skip
        try:
            return _taken(smtp)
        except NotReached:
            return 0


def _taken(smtp: Smtp) -> int:
    count = 0
    while (said := smtp.reply()).code != 221:
        count += said.code == 250 and "queued" in said.text
    return count


@proof
def vrfy_silent(ctx: Context) -> Verdict:
    """VRFY tells a real address from an invented one no better than dice would."""
    names = (ctx.address, f"nobody-{token()}@{ctx.settings.domain}")
    with ctx.inbound_smtp() as smtp:
        real, invented = (
            smtp.command(f"VRFY {name}").text.replace(name, "…") for name in names
        )
    return real == invented, f"VRFY is answered {real!r} and {invented!r}"


@proof
def no_auth_on_25(ctx: Context) -> Verdict:
    """Port 25 is for servers: no login is offered there, in TLS or not, nor taken."""
    with Smtp(ctx.where, 25, ctx.lines, unchecked()) as smtp:
        for state in ("before TLS", "in TLS"):
            if " AUTH" in smtp.ehlo().whole.replace("-", " "):
                return False, f"AUTH is offered on port 25 {state}."
            if not smtp.tls:
                need(smtp.starttls(), "STARTTLS")
        said = smtp.command("AUTH PLAIN", shown="AUTH PLAIN")
    if said.code < 500:
        raise Refused(f"AUTH on port 25 was answered {said.text!r}")
    return True, f"No AUTH is offered; tried anyway, it is answered {said.text!r}"
