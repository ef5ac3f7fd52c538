"""Dovecot keeps the mailboxes and lets their owners in.

Where mail lies, who may log in and how, under which encryption.
Takes no mail yet; that is chapter 8.
Manuals: https://doc.dovecot.org/2.3/configuration_manual/
"""

from __future__ import annotations

from collections.abc import Iterator

from ispguide.chapters import database, tls
from ispguide.chapters.tls import CIPHERS
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import Check, Directory, File, Once, Proof, Service, User
from ispguide.mail.checks import proved

chapter = Chapter(
    "dovecot",
    "Dovecot keeps the mailboxes",
    7,
    needs=[tls.chapter, database.chapter],
    learn="How people log in, where their letters lie, and why no password travels in the open.",
    minutes=15,
    settings=["pop3"],
)

CONF = "/etc/dovecot/conf.d"
ID = 5000


def dovecot(s, *reads: str) -> Service:
    """Dovecot, which must have read these files of a step; a reload cuts nobody off.

    The last step that has to do with it (spam) looks at the whole directory."""
    return Service(
        "dovecot",
        reads=reads,
        test="doveconf -n >/dev/null",
        reload=True,
        ports=(143, 993, *((110, 995) if s.pop3 else ())),
    )


NO_SYSTEM_LOGINS = Once(
    "users of the machine (PAM) cannot log in to mailboxes",
    command=f"sed -i 's/^!include auth-system/# ispguide, chapter 07: not for mail. &/' "
    f"{CONF}/10-auth.conf",
    unless=f"! grep '^ *!include auth-system' {CONF}/10-auth.conf",
    touches=(f"{CONF}/10-auth.conf",),
)

SQL_ALONE = Check(
    "Dovecot asks the user database and nobody else",
    "doveconf -n passdb | grep driver | sort -u | tr -d ' \\n'",
    answer="^driver=sql$",
    do="Run the step `logins`.",
)


def passwords_judged(s) -> Iterator[Proof]:
    """Each way to read: the right password, a wrong one, none in plain text."""
    for service in ("imap", "pop3") if s.pop3 else ("imap",):
        name = service.upper()
        yield proved(
            f"{name} refuses a login without TLS", "plaintext_refused", service
        )
        yield proved(f"{name} takes the right password", "login_works", service)
        yield proved(f"{name} refuses a wrong one", "wrong_password_refused", service)


def encrypted_well(s) -> Iterator[Proof]:
    """Each port: whose certificate, and how old a TLS."""
    for port in ("143", "993", *(("110", "995") if s.pop3 else ())):
        yield proved(
            f"port {port} shows the certificate on the disk", "served_certificate", port
        )
        yield proved(f"port {port} refuses TLS 1.0 and 1.1", "tls_floor", port)


@chapter.step
def mail_user(s):
    """All mail belongs to one user, vmail, who can do nothing else: no login, no
    shell, no home to speak of. Your people are lines in the address book, not users of
    the machine, so a stolen mail password opens a mailbox and not the server."""
    yield User("vmail", ID, "/var/vmail")
    yield Directory("/var/vmail", mode=0o750, owner="vmail", group="vmail")


@chapter.step
def logins(s):
    """Who may come in? Whoever the address book knows, and nobody else. Debian's
    Dovecot also lets users of the machine log in with their system password; one line
    in its file says so, no file beside it can take that back, so this one line we
    change. POP3 comes along only if you want it, and the door for filter rules stays
    inside: webmail runs on this machine, and nobody else needs it."""
    yield NO_SYSTEM_LOGINS
    yield File("/etc/dovecot/ispguide-sql.conf.ext", s, mode=0o600, uid=ID)
    yield File(f"{CONF}/99-ispguide-logins.conf", s)
    yield dovecot(
        s,
        f"{CONF}/10-auth.conf",
        f"{CONF}/99-ispguide-logins.conf",
        "/etc/dovecot/ispguide-sql.conf.ext",
    )


@chapter.step
def mail_location(s):
    """Each mailbox is a folder, /var/vmail/DOMAIN/NAME/Maildir, and each mail in it a
    file: nothing to repair, easy to back up. Four folders are there from the start,
    each with a sign that tells every mail program what it is for, so that your phone
    and your laptop put sent mail into the same one."""
    yield File(f"{CONF}/99-ispguide-mailboxes.conf", s)
    yield dovecot(s, f"{CONF}/99-ispguide-mailboxes.conf")


@chapter.step
def encryption(s):
    """A password never travels in the open: without TLS nobody can even try to log in.
    Port 993 is encrypted from the first byte, 143 after the client asks for it. The
    certificate is the one of chapter 4, the ciphers are Mozilla's intermediate."""
    yield File(f"{CONF}/99-ispguide-tls.conf", s, ciphers=CIPHERS)
    yield dovecot(s, f"{CONF}/99-ispguide-tls.conf", s.cert_dir)


@chapter.proof
def prove(s):
    """We come from outside with a mailbox that exists only for this moment: the right
    password opens it, a wrong one does not, and none at all is taken in plain text.
    Asking from the server itself would prove nothing: Dovecot trusts its own house."""
    yield SQL_ALONE
    yield from passwords_judged(s)
    yield from encrypted_well(s)
    yield proved("the special-use folders are there", "special_folders")
    yield proved(
        "the port for filter rules (ManageSieve) is closed", "sieve_closed_outside"
    )
