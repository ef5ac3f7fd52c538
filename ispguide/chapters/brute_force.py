"""Brute force: who may knock, who is shut out, and what one stolen password can do.

Four fences, each for what comes through the one before: the firewall, the bans, the
limits of letters, and a letter to whoever keeps the server.
Manuals: nft(8), RFC 4890 (ICMPv6 in firewalls), jail.conf(5),
https://docs.rspamd.com/modules/ratelimit, postconf(5) smtpd_recipient_limit
"""

from __future__ import annotations

from ispguide.chapters import postfix, spam
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import File, Packages, Service
from ispguide.mail.checks import proved
from ispguide.mail.firewall import UNIT, Firewall
from ispguide.mail.postfix import Postconf

chapter = Chapter(
    "brute_force",
    "Brute force",
    16,
    needs=[spam.chapter],
    learn="How to shut doors that nobody needs, shut out those who guess passwords, and live through a stolen one.",
    minutes=20,
    settings=[
        "brute_force",
        "more_ports",
        "ban_tries",
        "ban_minutes",
        "mails_per_hour",
        "mails_per_day",
    ],
)

JAILS = "/etc/fail2ban/jail.d/ispguide.local"
LET_IN = "/etc/fail2ban/ispguide-let-in.sh"
LIMITS = f"{spam.LOCAL}/ratelimit.conf"
ALERT = "/etc/fail2ban/ispguide-alert.sh"
ALERT_FILTER = "/etc/fail2ban/filter.d/ispguide-limits.conf"
ALERT_ACTION = "/etc/fail2ban/action.d/ispguide-alert.conf"
ALERT_JAIL = "/etc/fail2ban/jail.d/ispguide-limits.local"


def fail2ban(*reads: str) -> Service:
    """The one who shuts out; it must have read these files."""
    return Service("fail2ban", reads, test="fail2ban-client -t")


@chapter.step
def bans(s):
    """Robots try passwords day and night. Who guesses wrong too often is shut out of
    the whole server, first for an hour, then for longer each time. fail2ban reads in
    the journal who failed. Whoever came in by SSH lately is never shut out, so that
    you may mistype. Its configuration is there before it is installed, so that it
    never starts with somebody else's."""
    yield File("/etc/fail2ban/fail2ban.d/ispguide.local", s)
    yield File(LET_IN, s, mode=0o755)
    yield File(JAILS, s)
    yield Packages("fail2ban")
    yield fail2ban("/etc/fail2ban/fail2ban.d", LET_IN, JAILS)


@chapter.step
def limits(s):
    """Some day a password is stolen, and no lock helps against the right key. Then it
    matters how many letters leave before you notice: some hundred are a nuisance, a
    million ruin the name of your address for months. So each person may send so many
    in an hour and in a day, every receiver counted, and one letter may not go to more
    people than that. Nobody who writes to friends ever notices."""
    yield File(LIMITS, s)
    yield spam.rspamd(LIMITS)
    yield Postconf(smtpd_recipient_limit=str(max(100, s.mails_per_hour)))
    yield postfix.postfix()


@chapter.step
def alert(s):
    """A limit that nobody hears of only slows the thief. So the postmaster gets a
    letter when somebody reaches it, with the sender's name and what to do; once a day
    for each, because ten thousand letters would tell no more. fail2ban reads the
    journal anyway, and does something once and then not again: just what is needed."""
    yield File(ALERT, s, mode=0o755)
    yield File(ALERT_FILTER, s)
    yield File(ALERT_ACTION, s)
    yield File(ALERT_JAIL, s)
    yield fail2ban(ALERT_FILTER, ALERT_ACTION, ALERT_JAIL)


@chapter.step
def firewall(s):
    """A door that is not there needs no lock. Only the ports that this server needs
    answer, and your SSH, by IPv4 and by IPv6 alike; all else says no. The rules live
    in a table of their own, so that those of others stay. And they are tried before
    they count: if a new connection does not get in, the server takes them back by
    itself, and nobody is locked out."""
    yield File(f"/etc/systemd/system/{UNIT}", s)
    yield Firewall(s)


@chapter.proof
def prove(s):
    """We put a program behind a door that is on no list, and find the door shut. We
    look whether fail2ban watches, and does not count our own mistakes. Somebody else
    guesses until he is shut out, and is let in again. And a mailbox made for this
    moment sends more than one may."""
    yield proved("a port on no list stays closed", "unlisted_port_closed")
    yield proved("fail2ban watches every service with a password", "watched_ports")
    yield proved("fail2ban never bans your own address", "own_address_spared")
    yield proved("fail2ban bans who guesses, and lets in again", "brute_force_banned")
    yield proved("nobody sends more letters than he may (rate limit)", "limit_holds")
