"""Proofs about the fences: the firewall, who is shut out, and how much one may send.

Somebody else must do the guessing: our own address is never shut out.  Around a
practice server there is one; for a real one nobody is known, and it could not be told.
Manuals: nft(8), fail2ban-client(1), https://docs.rspamd.com/modules/ratelimit
"""

from __future__ import annotations

import re

from ispguide.engine.actions import quote
from ispguide.engine.facts import TEMPFAIL
from ispguide.mail.firewall import SSH_CONNECTION
from ispguide.outside.talk import NotReached, Talk
from ispguide.proofs.base import CannotTell, Context, Verdict, need, proof
from ispguide.proofs.messages import message, token
from ispguide.proofs.protocols import Reply
from ispguide.proofs.submission import send

#: A program answers at some high port, by both kinds of address, for some seconds; the
#: machine itself reaches it, and its port is said.
OPEN = """port=$(shuf -i 20000-29999 -n 1)
systemd-run -q --collect -u ispguide-proof-port -p Type=exec -p RuntimeMaxSec=20 \\
  systemd-socket-activate --accept -l $port true || exit
for try in $(seq 40); do
  timeout 2 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" 2>/dev/null &&
    { echo $port; exit; }
  sleep 0.05
done; exit 1"""
CLOSE = "systemctl stop ispguide-proof-port"

#: Above this, a proof would need more receivers than one letter may have.
MOST = 1000


@proof
def unlisted_port_closed(ctx: Context) -> Verdict:
    """A program answers at a port that nobody listed: from here, nobody is there."""
    said = ctx.tell(OPEN)
    if not said.ok:
        raise CannotTell(f"No program could be put behind a port: {said.err}")
    port = int(said.out)
    try:
        Talk(ctx.where, port, ctx.lines).socket.close()
    except NotReached as stop:
        return True, f"The server itself reaches port {port}, and from here: {stop}."
    finally:
        ctx.tell(CLOSE)
    return False, f"Port {port}, which is on no list, lets this computer in."


@proof
def watched_ports(ctx: Context) -> Verdict:
    """fail2ban reads the diary of every service that asks for a password."""
    webmail = ["roundcube-auth"] if getattr(ctx.settings, "webmail", False) else []
    wanted = ["sshd", "postfix-sasl", "dovecot", *webmail]
    said = ctx.tell("fail2ban-client status")
    found = re.findall(r"[\w-]+", said.out.rpartition("Jail list:")[2])
    if missing := [name for name in wanted if name not in found]:
        return False, f"fail2ban does not watch {', '.join(missing)}. {said.err}"
    return True, f"fail2ban watches {', '.join(found)}."


@proof
def own_address_spared(ctx: Context) -> Verdict:
    """fail2ban asks the same program before it counts a wrong guess of ours."""
    said = ctx.tell(
        f"address=$({SSH_CONNECTION} | cut -d' ' -f1); [ \"$address\" ] || exit 75\n"
        '/etc/fail2ban/ispguide-let-in.sh "$address"'
    )
    if said.rc == TEMPFAIL:
        raise CannotTell("The server does not see from which address we came.")
    if not said.ok:
        return False, f"Wrong guesses from your address would count. {said.err}"
    return True, "Wrong guesses from the address you are connected from do not count."


@proof
def brute_force_banned(ctx: Context) -> Verdict:
    """Somebody else guesses at IMAP until nobody answers him any more; then he is let
    in again, as nothing is to be left behind."""
    if ctx.elsewhere is None:
        raise CannotTell(
            "Nobody elsewhere is known who would guess. Mistype a password often "
            "enough yourself, on a telephone in the mobile network."
        )
    seen = ctx.elsewhere.brute_forced("imaps", ctx.settings.ban_tries)
    lifted = ctx.tell(f"fail2ban-client unban {quote(seen.address)}").out.strip()
    if not seen.shut:
        return False, f"After {seen.tries} wrong passwords he is still answered."
    if lifted == "0":
        return False, f"{seen.address} is not answered, and fail2ban did not do that."
    again = ctx.elsewhere.brute_forced("imaps", 0)
    if again.shut:
        return False, f"{seen.address} is still shut out after it was let in again."
    return True, f"After {seen.tries} wrong passwords nobody answers him; let in again, he is answered."  # fmt: skip


@proof
def limit_holds(ctx: Context) -> Verdict:
    """One letter is taken; one to as many people as may be written to in an hour is
    one too many, and told to wait; an ordinary one is taken even then."""
    most = ctx.settings.mails_per_hour
    if not 1 < most <= MOST:
        raise CannotTell(f"A limit of {most} letters an hour is not tried.")
    need(send(ctx, "587", token(), ctx.address), "An ordinary letter")
    said = _to_many(ctx, most)
    if said.code != 451:
        return False, f"A letter to {most} people more was answered {said.text!r}"
    need(send(ctx, "587", token(), ctx.address), "An ordinary letter after it")
    return True, f"A letter to {most} people more was answered {said.text!r}"


def _to_many(ctx: Context, number: int) -> Reply:
    """A letter with the mailbox named so many times; it would be delivered once."""
    me = ctx.address
    with ctx.logged_in(587) as smtp:
        need(smtp.command(f"MAIL FROM:<{me}>"), "The sender")
        for _ in range(number):
            need(smtp.command(f"RCPT TO:<{me}>"), "A receiver")
        need(smtp.command("DATA"), "DATA")
        reply: Reply = smtp.hand_over(message(token(), me, sender=me))
        return reply
