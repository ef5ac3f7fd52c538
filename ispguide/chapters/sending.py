"""Sending: your own people log in, and send to the whole world.

Ports 587 and 465 for people, port 25 for servers; the two never mix.
Manuals: master(5), SASL_README, RFC 8314 (implicit TLS), header_checks(5)
"""

from __future__ import annotations

from collections.abc import Iterator

from ispguide.chapters import delivery, dovecot, postfix, webmail
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import File, Proof, Service
from ispguide.mail.checks import proved
from ispguide.mail.postfix import MasterService, Postconf
from ispguide.mail.smarthost import LOGIN, tried, way_out

chapter = Chapter(
    "sending",
    "Sending mail",
    12,
    needs=[delivery.chapter],
    learn="How your people send to the whole world, and why nobody else can use your server for that.",
    minutes=15,
    settings=["smarthost", "smarthost_user", "smarthost_spf"],
)

SUBMISSION = "submission inet n - y - - smtpd"
SUBMISSIONS = "submissions inet n - y - - smtpd"


def people(door: str) -> dict[str, str]:
    """What both doors for people have in common: log in first, with Dovecot's help, write
    in a name that is yours, and leave through the cleaning service of `privacy`."""
    return {
        "syslog_name": f"postfix/{door}",
        "smtpd_sasl_auth_enable": "yes",
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_path": "private/auth",
        "smtpd_sasl_security_options": "noanonymous",
        "smtpd_reject_unlisted_recipient": "no",
        "smtpd_relay_restrictions": "permit_sasl_authenticated,reject",
        "smtpd_sender_restrictions": "reject_sender_login_mismatch",
        "cleanup_service_name": "cleanup-sending",
        "milter_macro_daemon_name": "ORIGINATING",
    }


def sending(*reads: str, ports: tuple[int, ...] = (587, 465)) -> Service:
    """Postfix with the doors for people open."""
    return postfix.postfix(*reads, ports=(25, *ports))


@chapter.step
def logins_for_postfix(s):
    """Postfix keeps no passwords. It asks Dovecot, who already knows everybody, over a
    socket of its own. So there is one password for reading and sending, in one place,
    checked by one program."""
    yield File("/etc/dovecot/conf.d/99-ispguide-postfix-auth.conf", s)
    yield dovecot.dovecot(s, "/etc/dovecot/conf.d/99-ispguide-postfix-auth.conf")


@chapter.step
def submission(s):
    """Port 587 is the door for your own people. It begins in plain text, and then
    nothing but STARTTLS is listened to until the line is encrypted. Whoever logs in
    may send anywhere; whoever does not, nowhere. Until the steps `senders` and
    `privacy` have done their part, the door exists and lets no mail through."""
    encrypt = {"smtpd_tls_security_level": "encrypt"}
    yield MasterService(
        "submission/inet", SUBMISSION, {**encrypt, **people("submission")}
    )
    yield sending(ports=(587,))


@chapter.step
def submissions(s):
    """Port 465 is the same door, encrypted from the first byte. It is the one to
    recommend: there is no moment of plain text in which somebody on the way could
    pretend that the server knows no encryption."""
    wrapped = {"smtpd_tls_wrappermode": "yes"}
    yield MasterService(
        "submissions/inet", SUBMISSIONS, {**wrapped, **people("submissions")}
    )
    yield sending()


@chapter.step
def senders(s):
    """Anna may send as Anna, and as every address that is forwarded to her, but not as
    Bob. Without this, one stolen password could write in the name of everybody in the
    house. The two doors already ask whose name it is; here they learn where to look.
    A mail with an empty sender is let through: mail programs use it to say "I have
    read your letter", and no name can be forged with it."""
    yield postfix.locked("/etc/postfix/mysql-sender-logins.cf", s)
    yield Postconf(smtpd_sender_login_maps="mysql:/etc/postfix/mysql-sender-logins.cf")
    yield sending("/etc/postfix/mysql-sender-logins.cf")


@chapter.step
def privacy(s):
    """Each server notes on a mail from whom it got it. For mail from your own people
    that would be the address at home, or in the hotel, for every receiver to read. A
    cleaning service of its own takes it out, for these two doors alone; the time and
    our queue number stay, so a mail can still be traced. Mails inside mails are left
    as they are, so that no signature on them breaks."""
    checks = {"header_checks": "regexp:/etc/postfix/ispguide-sending-headers"}
    yield File("/etc/postfix/ispguide-sending-headers", s)
    yield MasterService(
        "cleanup-sending/unix", "cleanup-sending unix n - y - 0 cleanup", checks
    )
    yield Postconf(mime_header_checks="", nested_header_checks="")
    yield sending("/etc/postfix/ispguide-sending-headers")


@chapter.step
def smarthost(s):
    """Many providers close port 25 towards the world, because spammers rent servers
    too. Then mail leaves through another server which takes letters from those who
    log in: a smarthost. It gets every letter and a password of yours, so it must
    prove its name first, by a certificate. What does not reach it waits in the queue.
    Without a smarthost each letter goes straight to its receiver's server, and no
    password is kept."""
    yield from way_out(s)
    yield sending(LOGIN)


def behaves(port: str, service: str) -> Iterator[Proof]:
    """One door for sending: who gets in, in whose name, and what is told of him."""
    yield proved(f"{port} sends with a login", "sends", port)
    yield proved(f"{port} sends nothing without", "needs_login", port)
    yield proved(f"{port} refuses a wrong password", "wrong_password_refused", service)
    yield proved(
        f"{port} refuses another's sender address", "forged_sender_refused", port
    )
    yield proved(f"{port} lets an alias send", "alias_may_send", port)
    yield proved(
        f"{port} tells not where it was written (Received)", "no_client_address", port
    )
    yield proved(f"{port} shows the right certificate", "served_certificate", port)
    yield proved(f"{port} refuses TLS 1.0 and 1.1", "tls_floor", port)


@chapter.proof
def prove(s):
    """A mailbox made for this moment sends through both doors. Then we misbehave:
    without login, with a wrong password, in somebody else's name. And what arrives
    does not tell where it was written. The browser sends too. With a smarthost, a
    letter to the owner of the login there shows that mail really leaves."""
    yield from behaves("587", "submission")
    yield from behaves("465", "submissions")
    yield proved("port 25 still offers no login (AUTH)", "no_auth_on_25")
    yield from webmail.sends(s)
    yield tried(s)
