"""Letters that can be told apart, and how they are found again.

Each carries a token, a random word, in its subject and Message-ID; a wait for one
has a deadline and looks four times a second.
Sources: RFC 5322 (the form of a mail).
"""

from __future__ import annotations

import secrets
import time
from email.utils import formatdate

from ispguide.proofs.base import Context, Verdict
from ispguide.proofs.protocols import Imap, Reply

#: Names below .test belong to nobody (RFC 2606), so nobody is bothered.
SENDER_ELSEWHERE = "stranger@elsewhere.test"
FOREIGN = "someone@elsewhere.test"

TEXT = "A short letter to see whether the mail server does what it should.\n"


def token() -> str:
    """A word nobody has written before."""
    return "proof" + secrets.token_hex(8)


def message(
    mark: str, to: str, text: str = TEXT, sender: str = SENDER_ELSEWHERE, more: str = ""
) -> str:
    """A mail in good shape.  `more`: header lines, each with its end."""
    return (
        f"Date: {formatdate(localtime=True)}\n"
        f"From: A Stranger <{sender}>\nTo: <{to}>\n"
        f"Subject: A letter, {mark}\nMessage-ID: <{mark}@elsewhere.test>\n"
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
        f"{more}\n{text}"
    )


def bring(ctx: Context, mark: str, to: str = "", **how: str) -> Reply:
    """A stranger brings a letter to `to` (else the mailbox) at port 25."""
    to = to or ctx.address
    with ctx.inbound_smtp() as smtp:
        return smtp.deliver(SENDER_ELSEWHERE, to, message(mark, to, **how))


def wait_for(
    imap: Imap, mark: str, *folders: str, key: str = "SUBJECT"
) -> tuple[str, str]:
    """(folder, UID) once it is there; ("", "") when the conversation has to end."""
    while imap.left > 2:  # what is found must still be read
        for folder in folders or ("INBOX", "Junk"):
            if uids := imap.find(folder, mark, key):
                return folder, uids[0]
        time.sleep(0.25)
    return "", ""


def arrived(ctx: Context, mark: str, said: Reply) -> Verdict:
    """Taken with 250, and in the mailbox soon after."""
    if said.code != 250:
        return False, f"The server answered {said.text!r}."
    with ctx.reader() as imap:
        folder, _ = wait_for(imap, mark)
    if not folder:
        return False, f"Taken ({said.text!r}), but not in the mailbox within 15 s."
    return True, f"Taken ({said.text!r}) and found in {folder} over IMAP."


def received(ctx: Context, mark: str, key: str = "SUBJECT") -> tuple[str, str]:
    """(folder, the mail as it lies there), both "" when it does not come."""
    with ctx.reader() as imap:
        folder, uid = wait_for(imap, mark, key=key)
        return (folder, imap.fetch(uid)) if folder else ("", "")


def head(mail: str) -> str:
    """Its header, with folded lines put together (RFC 5322 2.2.3)."""
    return mail.partition("\n\n")[0].replace("\n ", " ").replace("\n\t", " ")
