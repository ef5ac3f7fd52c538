"""From Postfix into the mailbox: LMTP, and the owner's own filter rules.

The two programs meet at a socket inside Postfix's cage; nothing of it is on the network.
Manuals: https://doc.dovecot.org/2.3/configuration_manual/protocols/lmtp_server/,
https://doc.dovecot.org/2.3/configuration_manual/sieve/, lmtp(8)
"""

from __future__ import annotations

from ispguide.chapters import dovecot, postfix
from ispguide.chapters.dovecot import CONF
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import Check, File
from ispguide.mail.checks import proved
from ispguide.mail.postfix import Postconf

chapter = Chapter(
    "delivery",
    "From Postfix into the mailbox",
    8,
    needs=[postfix.chapter, dovecot.chapter],
    learn="How a letter gets from Postfix to Dovecot, and how everybody's own filter rules are followed.",
    minutes=10,
)

SOCKET = "/var/spool/postfix/private/dovecot-lmtp"


POSTFIX_ALONE = Check(
    "only Postfix may hand mail to Dovecot (LMTP)",
    f"stat -c '%F %a %U' {SOCKET}",
    answer="^socket 600 postfix$",
    do="Run the step `lmtp`.",
)


@chapter.step
def lmtp(s):
    """LMTP is SMTP for the last yard: Postfix hands the mail over, and Dovecot says at
    once, for each recipient, whether it is safely on the disk. Until then Postfix
    keeps it, so nothing can fall between the two. They meet at a file, a socket, that
    only Postfix may open."""
    yield File(f"{CONF}/99-ispguide-lmtp.conf", s)
    yield Postconf(virtual_transport="lmtp:unix:private/dovecot-lmtp")
    yield dovecot.dovecot(s, f"{CONF}/99-ispguide-lmtp.conf")
    yield postfix.postfix()


@chapter.step
def sieve(s):
    """Sieve is the language of filter rules: mail from the list into its own folder,
    a friendly note while you are away. The rules run while mail is delivered, on the
    server, so all your devices see the same. Here the engine is switched on; the
    rules are each owner's own, and webmail will write them."""
    yield File(f"{CONF}/99-ispguide-sieve.conf", s)
    yield dovecot.dovecot(s, f"{CONF}/99-ispguide-sieve.conf")


@chapter.proof
def prove(s):
    """The socket belongs to Postfix alone. Then letters from outside: one to a second
    name, one with a tag after a plus, one that hides another inside. A catch-all is
    tried too, and must leave real mailboxes their mail."""
    yield POSTFIX_ALONE
    yield proved("mail to name+tag arrives (recipient_delimiter)", "plus_address")
    yield proved("mail to an alias arrives", "alias_delivers")
    yield proved(
        "a catch-all alias leaves mailboxes their mail", "catchall_respects_mailboxes"
    )
    yield proved(
        "no letter can be hidden in another (SMTP smuggling)", "smuggling_refused"
    )
