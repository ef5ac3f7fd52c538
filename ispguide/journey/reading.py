"""The last hops: the letter is found in the mailbox, and tells its own story.

Sources: RFC 9051 (IMAP), RFC 5321 4.4 (trace lines), doveadm-fetch(1)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ispguide import facts
from ispguide.actions import quote
from ispguide.journey.hop import Hop
from ispguide.journey.record import Record
from ispguide.proofs import Context
from ispguide.proofs.acting import CannotTell
from ispguide.proofs.letters import head, wait_for

#: Header lines that tell of the way, and what the writer himself wrote.
TRACE = (
    "Return-Path", "Delivered-To", "Received", "X-Spamd-Result", "X-Spam",
    "From", "To", "Subject", "Date", "Message-ID",
)  # fmt: skip


def over_imap(context: Context, record: Record, mark: str) -> Iterator[Hop]:
    """The owner of the mailbox comes with a password, finds it and reads it."""
    at, begin = record.now, len(record)
    with context.reader() as imap:
        words = (
            "A mail program comes to port 993, encrypted from the first byte, with a "
            "name and a password. The password is asked of the address book."
        )
        yield Hop(at, "reader", "logs in over IMAP", words, _said(record, begin))
        at, begin = record.now, len(record)
        folder, uid = wait_for(imap, mark)
        if not folder:
            raise CannotTell("the letter is in no folder that IMAP shows.")
        words = "The mail program asks what is new. The letter stays on the server."
        yield Hop(at, "reader", f"finds it in {folder}", words, _said(record, begin))
        at = record.now
        yield _read(at, imap.fetch(uid))


def on_the_server(
    context: Context, record: Record, mark: str, to: str
) -> Iterator[Hop]:
    """A mailbox whose password is its owner's business: the server looks itself."""
    at = record.now
    fact = facts.run(_search(mark))
    said = context.ask([fact])[fact]
    where = re.search(r"^mailbox: (.*)$", said.get("out", ""), re.M)
    if not where:
        raise CannotTell("the letter is in no folder that Dovecot shows.")
    words = (
        f"The letter waits in {where[1]}. It is not removed: look for it with your mail "
        "program, and delete it there."
    )
    yield Hop(at, "reader", f"can read it at {to}", words)
    yield _read(record.now, said["out"].partition("hdr:\n")[2])


def _search(mark: str) -> str:
    """Whoever has it: an alias may have led it to several people."""
    return f"doveadm -f pager fetch -A 'mailbox hdr' HEADER Message-ID {quote(mark)}"


def _read(at: float, mail: str) -> Hop:
    words = (
        "Everybody who had the letter in his hands left a line on top of it. Read from "
        "below: what the writer wrote, what rspamd thought, who received it when, and "
        "for whom it was laid down."
    )
    return Hop(
        at, "reader", "reads what the letter tells", words, "\n".join(trace(mail))
    )


def trace(mail: str) -> list[str]:
    """The lines of the header that tell of the way, as they stand there."""
    rows = head(mail.replace("\r\n", "\n")).splitlines()
    wanted = tuple(f"{name}:".lower() for name in TRACE)
    return [" ".join(row.split()) for row in rows if row.lower().startswith(wanted)]


def _said(record: Record, begin: int) -> str:
    return "\n".join(record[begin:])
