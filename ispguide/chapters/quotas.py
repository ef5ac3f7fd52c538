"""Quotas: how much a mailbox may hold, and who is told when it is full.

A letter that does not fit is refused while its sender still waits; nothing is taken
and sent back later.  Counts what lies in the mailboxes, not what goes through them.
Manuals: https://doc.dovecot.org/2.3/configuration_manual/quota/, SMTPD_POLICY_README,
RFC 9208 (quotas in IMAP), RFC 1870 (SIZE)
"""

from __future__ import annotations

from ispguide.chapters import delivery, dovecot, postfix
from ispguide.chapters.dovecot import CONF
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import Check, Directory, File, Service, User
from ispguide.mail import programs
from ispguide.mail.checks import proved
from ispguide.mail.people.things import NewMailboxLimit
from ispguide.mail.postfix import Postconf

chapter = Chapter(
    "quotas",
    "How much a mailbox may hold",
    10,
    needs=[delivery.chapter],
    learn="How a full mailbox says so at the door, early and politely, and how its owner is warned before.",
    minutes=15,
    settings=["quotas", "quota_mb"],
    former={"at_the_door": "quota_policy_service"},
)

#: Where Postfix asks, on this machine alone.
PORT = 12340
ASK = f"check_policy_service inet:127.0.0.1:{PORT}"
PROGRAM = "/usr/local/lib/ispguide/quota-door"
UNIT = "/etc/systemd/system/ispguide-quota.service"
UID = 5001
BOXES = "/etc/postfix/mysql-quota-boxes.cf"

#: An address without its +tag, in SQL: whose mailbox it is.
PLAIN = (
    "CONCAT(SUBSTRING_INDEX(SUBSTRING_INDEX(way.address, '@', 1), '+', 1), '@', "
    "SUBSTRING_INDEX(way.address, '@', -1))"
)


@chapter.step
def limit(s):
    """The limit of a mailbox is a number in the address book, in bytes, and 0 means
    none. Here stands what a new mailbox gets, whoever makes it. Mailboxes that are
    there already keep theirs: nobody wakes up to a full box."""
    yield NewMailboxLimit(s.quota)


@chapter.step
def counting(s):
    """Dovecot adds up what lies in a mailbox, in all its folders, Trash as well. It
    keeps the sum beside its index, so asking costs nothing. Mail programs that ask are
    told, and show a bar. A letter that does not fit stays in Postfix's queue and is
    tried again, rather than sent back to an address that may be forged."""
    yield File(f"{CONF}/98-ispguide-quota.conf", s)
    yield dovecot.dovecot(s, f"{CONF}/98-ispguide-quota.conf")


@chapter.step
def warnings(s):
    """At 80 and at 95 percent a letter comes, and says what to do. It is written by a
    small script that belongs to root and is started as vmail; its words lie beside it,
    and are yours to change. This one letter gets in even when the box is full."""
    yield Directory("/etc/dovecot/quota-warning")
    yield File("/etc/dovecot/quota-warning/letter.txt", s)
    yield File("/etc/dovecot/quota-warning/warn.sh", s, mode=0o755)
    yield File(f"{CONF}/98-ispguide-quota-warning.conf", s)
    yield dovecot.dovecot(s, f"{CONF}/98-ispguide-quota-warning.conf")


@chapter.step
def quota_policy_service(s):
    """Postfix asks before it takes a letter: is there room? Dovecot knows how full a
    mailbox is, and the address book which mailboxes are behind a second name. A small
    program brings the two together. If a sender says beforehand how large his letter
    is, that counts too; else it is weighed when it is here, and not yet taken. And if
    the program is down, mail is taken as if nobody had a limit: better a box too full
    than no mail at all."""
    yield File(f"{CONF}/98-ispguide-quota-status.conf", s)
    yield dovecot.dovecot(s, f"{CONF}/98-ispguide-quota-status.conf")
    yield File(BOXES, s, mode=0o640, group="postfix", plain=PLAIN)
    yield User("quotadoor", UID, "/nonexistent")
    yield from programs.modules("quota_policy")
    yield File(PROGRAM, s, mode=0o755, port=PORT)
    yield File(UNIT, s)
    yield Service(
        "ispguide-quota",
        reads=(PROGRAM, f"{programs.FOLDER}/quota_policy.py", UNIT),
        ports=(PORT,),
    )
    yield Postconf(
        smtpd_recipient_restrictions=ASK,
        smtpd_end_of_data_restrictions=ASK,
        smtpd_policy_service_default_action="DUNNO",
        smtpd_policy_service_timeout="10s",
    )
    yield postfix.postfix(BOXES)


INSIDE_ONLY = Check(
    "the quota policy service answers this machine alone",
    f"ss -Hltn 'sport = :{PORT}' | awk '{{print $4}}'",
    answer=rf"\A127\.0\.0\.1:{PORT}\n\Z",
    do="Run the step `quota_policy_service`.",
)


@chapter.proof
def prove(s):
    """A mailbox that holds very little is made for this moment, and filled. Then a
    letter must be refused at the door, with 452 and not later: one that is announced
    as too large, one that is not announced, and one through a second name. Its owner
    must have been warned, and must see the bar. Everybody else notices nothing."""
    yield Check(
        "Postfix takes mail when the quota policy service is silent",
        "postconf -h smtpd_policy_service_default_action",
        answer="^DUNNO$",
        do="Run the step `quota_policy_service`.",
    )
    yield INSIDE_ONLY
    yield proved(
        "a letter over the quota is refused in the SMTP dialogue", "full_refused"
    )
    yield proved("an alias is no way around the quota", "full_behind_alias")
    yield proved(
        "the owner is warned at 80 and at 95 percent of the quota", "warned_in_time"
    )
    yield proved("mail programs are told the quota and its usage (IMAP)", "quota_told")
