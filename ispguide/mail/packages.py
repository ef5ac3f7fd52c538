"""What is installed: every package of the guide, and the answers to their questions.

Sources: debconf-set-selections(1), apt-get(8), dpkg(1).
"""

from __future__ import annotations

from ispguide.engine.settings import Settings
from ispguide.engine.things import Once

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


def chosen(s: Settings) -> tuple[str, ...]:
    """The packages without those the reader left out.

    The clock's is installed in chapter 02, and only where nobody else keeps it; that
    for logging in elsewhere in chapter 12, and only where there is a smarthost."""
    pop3 = set[str]() if s.pop3 else {"dovecot-pop3d"}
    web = (
        set[str]()
        if s.webmail
        else WEBMAIL - ({"php-fpm"} if s.autoconfig else set[str]())
    )
    backup = set[str]() if s.backup else {"restic"}
    guard = set[str]() if s.brute_force else {"nftables", "python3-systemd"}
    out = (
        {"systemd-timesyncd", "libsasl2-modules"} | LATER | pop3 | web | backup | guard
    )
    return tuple(name for name in PACKAGES if name not in out)


NOTHING_HALF_DONE = Once(
    "dpkg left no earlier installation half done",
    command="export DEBIAN_FRONTEND=noninteractive\n"
    "dpkg --configure -a --force-confdef --force-confold || true\n"
    "apt-get -q -y -o DPkg::Lock::Timeout=300 -f install",
    unless='[ -z "$(dpkg --audit)" ]',
)
