"""What is installed: every part of the mail server, from Debian itself.

Configures nothing; the chapters after this one do.
Manuals: apt-get(8), debconf-set-selections(1), policy of Debian security support.
"""

from __future__ import annotations

from ispguide.chapters import server
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import Check, Once, Packages

chapter = Chapter(
    "packages",
    "What is installed",
    3,
    needs=[server.chapter],
    learn="Which programs a mail server is made of, and what each of them is for.",
    minutes=5,
    settings=["pop3"],
)

#: Everything the chapters so far use.  The practice server brings these archives along.
PACKAGES: tuple[str, ...] = (
    # chapter 02
    "unattended-upgrades",
    "systemd-timesyncd",
    "tzdata",
    "logrotate",
    # chapter 04
    "apache2",
    "certbot",
    "openssl",
    "ca-certificates",
    # chapter 05
    "mariadb-server",
    # chapter 06
    "postfix",
    "postfix-mysql",
    # chapter 07 and 08
    "dovecot-core",
    "dovecot-imapd",
    "dovecot-pop3d",
    "dovecot-lmtpd",
    "dovecot-mysql",
    "dovecot-sieve",
    "dovecot-managesieved",
    # chapter 12
    "libsasl2-modules",
    # chapter 11; php-fpm first, else apt would fetch a PHP that runs inside Apache
    "php-fpm",
    "roundcube-core",
    "roundcube-mysql",
    "roundcube-plugins",
    # chapter 13
    "rspamd",
    "redis-server",
    # chapter 14
    "unbound",
    "dns-root-data",
    # chapter 16
    "nftables",
    "fail2ban",
    "python3-systemd",
    # chapter 20
    "restic",
)

#: What its own chapter installs: fail2ban does not start before it is configured.
LATER = {"fail2ban"}

#: What only webmail needs, but for PHP, in which mail programs are answered too.
WEBMAIL = {"php-fpm", "roundcube-core", "roundcube-mysql", "roundcube-plugins"}

#: Postfix then installs without a main.cf, and does not start before chapter 06 wrote one.
POSTFIX = "postfix postfix/main_mailer_type select No configuration"

#: Roundcube then makes no database and touches no web server: chapter 11 does both.
ROUNDCUBE = (
    "roundcube-core roundcube/dbconfig-install boolean false",
    "roundcube-core roundcube/reconfigure-webserver multiselect ",
)


def chosen(s) -> tuple[str, ...]:
    """The packages without those the reader left out.

    The clock's is installed in chapter 02, and only where nobody else keeps it; that
    for logging in elsewhere in chapter 12, and only where there is a smarthost."""
    pop3 = set() if s.pop3 else {"dovecot-pop3d"}
    web = set() if s.webmail else WEBMAIL - ({"php-fpm"} if s.autoconfig else set())
    safe = set() if s.backup else {"restic"}
    guard = set() if s.brute_force else {"nftables", "python3-systemd"}
    out = {"systemd-timesyncd", "libsasl2-modules"} | LATER | pop3 | web | safe | guard
    return tuple(name for name in PACKAGES if name not in out)


@chapter.step
def install(s):
    """All parts at once, because apt fetches twenty things nearly as fast as one.
    Recommendations are left out: what nobody chose, nobody will watch. Debian starts
    most services as soon as they are there. MariaDB, Redis and rspamd then listen to
    this machine alone, Apache shows its welcome page, Dovecot knows no mailbox, and
    Postfix, told to come without a configuration, does not start at all. So nothing
    stands open that could do harm until its own chapter sets it up."""
    yield Once(
        "no earlier installation is left half done",
        command="export DEBIAN_FRONTEND=noninteractive\n"
        "dpkg --configure -a --force-confdef --force-confold || true\n"
        "apt-get -q -y -o DPkg::Lock::Timeout=300 -f install",
        unless='[ -z "$(dpkg --audit)" ]',
    )
    yield Packages(*chosen(s), preseed=[POSTFIX, *ROUNDCUBE])


@chapter.proof
def prove(s):
    """What apt installed is complete and agrees with itself. That the programs do
    what they should is proved from the next chapter on, by using them."""
    yield Check(
        "all that is installed fits together",
        "apt-get -q check -o Debug::NoLocking=1",
        do="Run apt-get -f install and read what it says.",
    )
