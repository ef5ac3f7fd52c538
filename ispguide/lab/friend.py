"""friend.test, a provider elsewhere: read its mailbox, send as its owner.

Everything is done as a mail program would do it, over IMAP and submission, with the
mailbox's own password.  Its verdict on what it took stands in each letter's
Authentication-Results (RFC 8601).  Refuses nothing itself; see the Postfix there.
"""

from __future__ import annotations

import email
import imaplib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any, TypeVar

from ispguide.lab import spammer
from ispguide.lab.engine import LabProblem
from ispguide.lab.filling import Status
from ispguide.lab.practice import awake
from ispguide.lab.world import wait_for

T = TypeVar("T")

HOSTNAME = "mail.friend.test"
DOMAIN = "friend.test"
BEN = f"ben@{DOMAIN}"


@dataclass(frozen=True)
class Message:
    """A letter as it lies in the mailbox."""

    content: EmailMessage

    def __str__(self) -> str:
        return self.content.as_string()

    @property
    def subject(self) -> str:
        """The subject, one line."""
        return str(self.content["Subject"] or "")

    @property
    def to(self) -> str:
        """Whom the envelope named; the mailbox takes letters for everybody."""
        return str(self.content["X-Original-To"] or "")

    @property
    def verdict(self) -> dict[str, str]:
        """{"spf": "pass", "dkim": "none", "dmarc": "fail"}: what friend.test found.

        Only its own lines count: anybody can write others into a letter."""
        lines = self.content.get_all("Authentication-Results", [])
        plain = [re.sub(r"\(.*?\)", "", str(line)) for line in lines]
        own = [line for line in plain if line.split(";")[0].strip() == HOSTNAME]
        return dict(re.findall(r";\s*(\w+)=(\w+)", " ".join(own)))


def inbox(containing: str = "") -> list[Message]:
    """The letters in the mailbox, oldest first; those with this text in them."""
    with _mailbox() as box:
        numbers = _found(box, containing) if containing else box.search(None, "ALL")[1]
        return [Message(_fetched(box, n.decode())) for n in numbers[0].split()]


def message(containing: str, seconds: float = 30) -> Message:
    """The first letter with this text in it, waited for; LabProblem when none comes."""
    return wait_for(
        f"A letter with {containing!r}", lambda: inbox(containing), seconds
    )[0]


def send(to: str, subject: str, text: str = "", sender: str = BEN) -> str:
    """Send a letter as Ben does, signed by his provider; its Message-ID."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=DOMAIN)
    message.set_content(text or "Dear Anna, shall we have tea on Sunday?\n")
    return post(message)


def post(message: EmailMessage) -> str:
    """Send a whole letter from somebody at friend.test; its Message-ID."""
    try:
        _submit(message)
    except smtplib.SMTPException as error:
        raise LabProblem(
            f"friend.test did not take the letter to {message['To']}.",
            "It takes letters from its own people to every well-formed address.",
            "Look at the address.",
            str(error),
        ) from error
    return str(message["Message-ID"])


def _submit(message: EmailMessage) -> None:
    where = _where()
    with _answering(smtplib.SMTP, where["address"], 587, "laptop") as line:
        vars(line)["_host"] = HOSTNAME  # the name to be proved
        line.starttls(context=_trust(where))
        line.login(where["user"], _password(where))
        line.send_message(message)


def discard(containing: str) -> None:
    """Throw away the letters with this text in them."""
    with _mailbox() as box:
        for number in _found(box, containing)[0].split():
            box.store(number.decode(), "+FLAGS", r"\Deleted")
        box.expunge()


def empty() -> None:
    """Throw away what is in the mailbox."""
    with _mailbox() as box:
        # By UID: the numbers of an empty mailbox cannot be named.
        box.uid("STORE", "1:*", "+FLAGS", r"(\Deleted)")
        box.expunge()


@contextmanager
def _mailbox() -> Iterator[imaplib.IMAP4]:
    where = _where()
    trust = _trust(where)
    with _answering(_Imap, where["address"], 993, ssl_context=trust) as box:
        box.login(where["user"], _password(where))
        box.select("INBOX")
        yield box


def _answering(kind: Callable[..., T], *words: Any, **named: Any) -> T:
    """The line to friend.test, which opens a moment after the world around it."""
    return wait_for("friend.test", lambda: kind(*words, timeout=30, **named), 10)


class _Imap(imaplib.IMAP4_SSL):
    """Called by its address, proved by its name."""

    def _create_socket(self, timeout: float | None) -> ssl.SSLSocket:
        line = socket.create_connection((self.host, self.port), timeout)
        proved: ssl.SSLSocket = self.ssl_context.wrap_socket(
            line, server_hostname=HOSTNAME
        )
        return proved


def _found(box: imaplib.IMAP4, text: str) -> list[bytes]:
    """Where the text is, whatever signs it has: as a literal it needs no quotes."""
    vars(box)["literal"] = text.encode()
    found: list[bytes] = box.search("UTF-8", "TEXT")[1]
    return found


def _fetched(box: imaplib.IMAP4, number: str) -> EmailMessage:
    # News of other letters, whose flags somebody changes, may stand before it.
    rows = box.fetch(number, "(BODY.PEEK[])")[1]
    whole = [row for row in rows if isinstance(row, tuple)]
    if not whole:
        raise TypeError(f"no letter {number} in {rows!r}")
    return email.message_from_bytes(whole[0][1], policy=default)


def _where() -> dict[str, Any]:
    lab = awake()
    return dict(Status(True, lab.place, lab.network()).as_dict()["friend"])


def _trust(where: dict[str, Any]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=where["ca_file"])


def _password(where: dict[str, Any]) -> str:
    return Path(where["password_file"]).read_text()


# friend.test as the guide's proofs meet it: its verdict on a letter, and on a forged one.
#
# What it took is thrown away when its verdict has been read.  Decides nothing.


class FriendTest:
    """Ben, and his strict provider."""

    address = BEN

    def verdict(self, mark: str, seconds: float) -> dict[str, str] | None:
        """What friend.test found; None when the letter does not come in time."""
        end = time.monotonic() + seconds
        while not (found := inbox(mark)):
            if time.monotonic() > end:
                return None
            time.sleep(0.25)
        discard(mark)
        return found[0].verdict

    def forged(self, sender: str, mark: str) -> spammer.Said:
        """Sent from an address of spammer.test that is otherwise as it should be."""
        return spammer.forge(self.address, sender, subject=f"Your invoice, {mark}")

    def brute_forced(self, service: str, tries: int) -> spammer.BruteForced:
        """From the address of spammer.test that has no reverse name."""
        return spammer.brute_force(service, tries)
