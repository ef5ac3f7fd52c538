"""Proofs about logging in and reading: IMAP and POP3, passwords, folders.

Sources: RFC 9051 6.2.3 and 2595 2 (no password without TLS), 6154 (special folders).
"""

from __future__ import annotations

import re

from ispguide.engine.settings import Secret
from ispguide.proofs.base import Context, Verdict, last_proof, need, proof
from ispguide.proofs.messages import TEXT, bring, token, wait_for
from ispguide.proofs.protocols import Imap, Pop3

PORTS = {"imap": 993, "pop3": 995, "submission": 587, "submissions": 465}

#: The same wrong one every time: Dovecot's penalty grows with new guesses only.
WRONG = Secret("certainly-not-the-password")


@proof
def plaintext_refused(ctx: Context, service: str) -> Verdict:
    """Before TLS no password is taken.  The one tried here is a wrong one."""
    user = ctx.address
    if service == "pop3":
        with Pop3(ctx.where, 110, ctx.lines) as pop:
            said = pop.command(f"USER {user}")
        return not said.good, f"USER without TLS was answered {said.text!r}"
    with Imap(ctx.where, 143, ctx.lines) as imap:
        offers = imap.command("CAPABILITY").whole
        said = imap.command(f"LOGIN {user} wrong", shown=f"LOGIN {user} •••")
    early = "PRIVACYREQUIRED" in said.text or "LOGINDISABLED" in offers
    return early and not said.good, f"LOGIN without TLS was answered {said.text!r}"


@proof
def login_works(ctx: Context, service: str) -> Verdict:
    """The right password opens the mailbox."""
    talk, said = ctx.tried(PORTS[service], ctx.mailbox.password)
    talk.socket.close()
    return said.good, f"The right password was answered {said.brief!r}"


@last_proof
def wrong_password_refused(ctx: Context, service: str) -> Verdict:
    """A wrong password opens nothing, and is refused as such, not by accident."""
    talk, said = ctx.tried(PORTS[service], WRONG)
    talk.socket.close()
    meant = re.match(r"535|-ERR|a\d+ NO \[AUTHENTICATIONFAILED]", said.text)
    return bool(meant), f"A wrong password was answered {said.text!r}"


@proof
def reads_mail(ctx: Context, service: str) -> Verdict:
    """A letter that came by port 25 is read back as it was written."""
    mark = token()
    text = f"{TEXT}Grüße, {mark}\n.\n..two dots\n"
    need(bring(ctx, mark, text=text), "The letter")
    with ctx.reader() as imap:
        folder, uid = wait_for(imap, mark)
        if not folder:
            return False, "The letter did not reach the mailbox within 15 s."
        if service == "pop3" and folder != "INBOX":
            return None, f"The letter was put into {folder}, where POP3 cannot see it."
        mail = imap.fetch(uid) if service == "imap" else _popped(ctx, mark)
    body = mail.partition("\n\n")[2]
    if body.rstrip() != text.rstrip():
        return False, f"Read back over {service}, the body is {body[:80]!r}"
    return True, f"Read back whole over {service}: {len(body)} characters."


def _popped(ctx: Context, mark: str) -> str:
    with ctx.logged_in(995) as pop:
        numbers = [line.split()[0] for line in pop.many("LIST").lines]
        for number in reversed(numbers):
            mail = "\n".join(pop.many(f"RETR {number}").lines)
            if f"Message-ID: <{mark}@" in mail:
                return mail
    return ""


@proof
def special_folders(ctx: Context) -> Verdict:
    """Mail programs are told which folder is for what (RFC 6154)."""
    with ctx.reader() as imap:
        listed = imap.command('LIST "" "*" RETURN (SPECIAL-USE)').whole
    wanted = (r"\Drafts", r"\Junk", r"\Sent", r"\Trash")
    missing = [flag for flag in wanted if flag not in listed]
    if missing:
        return False, f"No folder is marked {' or '.join(missing)}."
    return True, f"Folders are marked {', '.join(wanted)}."
