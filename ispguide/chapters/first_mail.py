"""The first mail: a stranger sends it, you read it.

Changes nothing on the server: all that is needed is there by now.
Manuals: RFC 5321 (SMTP), RFC 9051 (IMAP), RFC 1939 (POP3)
"""

from __future__ import annotations

from collections.abc import Iterator

from ispguide.chapters import delivery
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import Proof
from ispguide.mail.checks import proved

chapter = Chapter(
    "first_mail",
    "The first mail",
    9,
    needs=[delivery.chapter],
    learn="What really happens to a letter, watched with your own eyes from the door to the file.",
    minutes=20,
)


def read_over_pop3(s) -> Iterator[Proof]:
    """Only where POP3 is wanted."""
    if s.pop3:
        yield proved("it can be read over POP3", "reads_mail", "pop3")


@chapter.proof
def send_one_in(s):
    """A stranger knocks at port 25 with a letter for a mailbox that was made for this
    moment. Postfix must take it, Dovecot must store it, and it must be found again
    with every word it was sent with."""
    yield proved("a stranger's mail arrives (SMTP, LMTP)", "inbound_delivered")


@chapter.proof
def read_it(s):
    """The same letter, read the way a mail program reads it: over IMAP, which leaves
    mail on the server, and over POP3, if you chose to have it, which fetches it. If
    this works from here, it works from a phone."""
    yield proved("it can be read over IMAP", "reads_mail", "imap")
    yield from read_over_pop3(s)
