"""Postfix asks the address book: whose mail is it, and where does it go?

Sets up the door to the world, port 25. People who send come in chapter 12.
Manuals: postconf(5), mysql_table(5), VIRTUAL_README, SMTPD_ACCESS_README,
TLS_README, https://www.postfix.org/smtp-smuggling.html
"""

from __future__ import annotations

from ispguide.chapters import database, tls
from ispguide.chapters.tls import CIPHERS
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import File, Once, Service
from ispguide.mail.checks import asks, proved
from ispguide.mail.postfix import Postconf

chapter = Chapter(
    "postfix",
    "Postfix asks the address book",
    6,
    needs=[tls.chapter, database.chapter],
    learn="How Postfix decides whose mail it takes, and how it refuses the rest politely and at once.",
    minutes=15,
    settings=["message_size_mb"],
)

DOMAINS = "mysql:/etc/postfix/mysql-virtual-mailbox-domains.cf"
MAILBOXES = "mysql:/etc/postfix/mysql-virtual-mailbox-maps.cf"
ALIASES = "mysql:/etc/postfix/mysql-virtual-alias-maps.cf"
ITSELF = "mysql:/etc/postfix/mysql-email2email.cf"
SYSTEM = "regexp:/etc/postfix/ispguide-system-mail"

#: What main.cf begins with.  Postfix came without one: every line is a step's of ours.
EMPTY = """# Written by ispguide, chapter 06 and later: the settings of Postfix.
# `postconf -n` shows them; what is not here is as `postconf -d` says.
# postconf(5) explains each one.
compatibility_level = 3.6
"""

MAIN_CF = Once(
    "there is a main.cf for the settings of Postfix",
    command=f"cat > /etc/postfix/main.cf <<'END'\n{EMPTY}END",
    unless="[ -s /etc/postfix/main.cf ]",
    touches=("/etc/postfix/main.cf",),
)


def root_goes_to(address: str) -> Once:
    """A line in /etc/aliases; the lines of others stay."""
    return Once(
        f"mail to root goes to {address}",
        command="touch /etc/aliases && sed -i '/^root:/d' /etc/aliases && "
        f"echo 'root: {address}' >> /etc/aliases && newaliases",
        unless=f"grep -xF 'root: {address}' /etc/aliases && [ -s /etc/aliases.db ] && "
        f"postalias -q root hash:/etc/aliases | grep -xF '{address}'",
        touches=("/etc/aliases", "/etc/aliases.db"),
    )


def postfix(*reads: str, reload: bool = True, ports=(25,)) -> Service:
    """Postfix, which must have read these files of a step.

    Its real unit is postfix@-.  main.cf belongs to many steps; the last one (spam)
    looks whether Postfix has read it since it was changed."""
    return Service(
        "postfix",
        reads=reads,
        test="postfix check",
        watch="postfix@-",
        reload=reload,
        ports=ports,
    )


def locked(path: str, s) -> File:
    """A file with the reader's password: for root and for Postfix, nobody else."""
    return File(path, s, mode=0o640, group="postfix")


@chapter.step
def identity(s):
    """Postfix must know its own name, and which mail is for the machine itself: only
    what goes to `localhost`. Neither the server's name nor a mail domain stands in
    `mydestination`, because a domain can be in one class only, and ours are in the
    address book. Mail to root goes to you. The greeting tells the name and no more."""
    yield MAIN_CF
    yield Postconf(
        compatibility_level="3.6",
        myhostname=s.hostname,
        myorigin="$myhostname",
        mydestination="localhost",
        mynetworks="127.0.0.0/8 [::1]/128",
        inet_interfaces="all",
        inet_protocols="all",
        smtpd_banner="$myhostname ESMTP",
        biff="no",
        append_dot_mydomain="no",
        recipient_delimiter="+",
        message_size_limit=str(s.message_size_mb * 1024 * 1024),
        mailbox_size_limit="0",
        alias_maps="hash:/etc/aliases",
    )
    yield root_goes_to(s.postmaster)
    yield postfix(reload=False)  # its addresses it learns at a start alone


@chapter.step
def virtual_domains(s):
    """The first question at the door: is this domain ours? Postfix asks the address
    book anew for each mail, so a new domain works at once. What the answer says does
    not matter, only that there is one. The file holds a password, hence mode 0640."""
    yield locked("/etc/postfix/mysql-virtual-mailbox-domains.cf", s)
    yield Postconf(virtual_mailbox_domains=DOMAINS)
    yield postfix("/etc/postfix/mysql-virtual-mailbox-domains.cf")


@chapter.step
def mailboxes(s):
    """The second question: does this mailbox exist? It is asked while the stranger
    still stands at the door, so a wrong address is refused to his face, and we never
    write a bounce to somebody whose name was forged. Mail that is taken goes on to
    Dovecot; until chapter 8 opens that door, it waits in the queue, and none is lost."""
    yield locked("/etc/postfix/mysql-virtual-mailbox-maps.cf", s)
    yield Postconf(virtual_mailbox_maps=MAILBOXES)
    yield Postconf(virtual_transport="lmtp:unix:private/dovecot-lmtp")
    yield postfix("/etc/postfix/mysql-virtual-mailbox-maps.cf")


@chapter.step
def aliases(s):
    """The third question: has somebody moved, or is the address only a second name? A
    line with `@domain` is a catch-all. Postfix looks here before it looks for
    mailboxes, so each mailbox also leads to itself; else a catch-all would take all
    mail. And what the machine writes to its own users, root first, comes to you."""
    yield locked("/etc/postfix/mysql-virtual-alias-maps.cf", s)
    yield locked("/etc/postfix/mysql-email2email.cf", s)
    yield File("/etc/postfix/ispguide-system-mail", s)
    yield Postconf(virtual_alias_maps=f"{SYSTEM} {ALIASES} {ITSELF}")
    yield postfix(
        "/etc/postfix/mysql-virtual-alias-maps.cf",
        "/etc/postfix/mysql-email2email.cf",
        "/etc/postfix/ispguide-system-mail",
    )


@chapter.step
def safety(s):
    """What a doorman does not do. He carries no letters between strangers, and says so
    for good (5xx), not "try again later". He does not tell who lives here (VRFY), nor
    fall for a letter hidden inside another (smuggling). He whispers when the caller
    can, with TLS 1.2 or newer; a caller who cannot is still heard, because on port 25
    the choice would be plain text or no mail at all."""
    yield Postconf(
        smtpd_relay_restrictions="permit_mynetworks, reject_unauth_destination",
        smtpd_data_restrictions="reject_unauth_pipelining",
        smtpd_helo_required="yes",
        disable_vrfy_command="yes",
        smtpd_forbid_bare_newline="normalize",
        smtpd_forbid_unauth_pipelining="yes",
        smtpd_sasl_auth_enable="no",
    )
    yield Postconf(
        smtpd_tls_cert_file=f"{s.cert_dir}/fullchain.pem",
        smtpd_tls_key_file=f"{s.cert_dir}/privkey.pem",
        smtpd_tls_security_level="may",
        smtpd_tls_auth_only="yes",
        smtpd_tls_protocols=">=TLSv1.2",
        smtpd_tls_mandatory_protocols=">=TLSv1.2",
        smtpd_tls_mandatory_ciphers="high",
        smtpd_tls_loglevel="1",
        smtp_tls_security_level="may",
        smtp_tls_protocols=">=TLSv1.2",
        smtp_tls_mandatory_protocols=">=TLSv1.2",
        smtp_tls_CAfile="/etc/ssl/certs/ca-certificates.crt",
        tls_high_cipherlist=CIPHERS,
    )
    yield postfix(s.cert_dir)


@chapter.proof
def prove(s):
    """First we ask the maps, as the user that Postfix runs as. Then we come to the
    door as a stranger from outside: an unknown address is refused at once, mail for
    other people's domains too, and nothing is told to those who only want to know."""
    stranger = "nobody.lives.here.example"
    yield asks(f"virtual_mailbox_domains knows {s.domain}", s.domain, DOMAINS, "1")
    yield asks(
        "virtual_mailbox_domains does not know a stranger's domain",
        stranger,
        DOMAINS,
        "",
    )
    yield asks(
        "virtual_mailbox_maps does not know nobody",
        f"nobody@{stranger}",
        MAILBOXES,
        "",
    )
    yield asks("mail to root comes to you", f"root@{s.hostname}", SYSTEM, s.postmaster)
    yield proved(
        "an unknown recipient is refused in the SMTP dialogue", "unknown_refused"
    )
    yield proved("no open relay: strangers cannot send through us", "relay_refused")
    yield proved("VRFY tells nothing", "vrfy_silent")
    yield proved("port 25 offers no login (AUTH)", "no_auth_on_25")
    yield proved(
        "port 25 shows the certificate on the disk", "served_certificate", "25"
    )
    yield proved("port 25 refuses TLS 1.0 and 1.1", "tls_floor", "25")
