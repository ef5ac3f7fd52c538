"""The judges, one a question.  See `judging` for what a judge is."""

from __future__ import annotations

import json
import re

from ispguide.engine import facts
from ispguide.engine.facts import Fact, Have, failed_answer
from ispguide.engine.settings import Settings
from ispguide.mail.backup import restore
from ispguide.mail.dkim import keys
from ispguide.mail.people import MAILBOXES
from ispguide.mail.people.things import DEFAULT
from ispguide.quiz.judging import (
    KNOWN,
    CannotJudge,
    Verdict,
    number,
    output,
    plain,
    rows,
)

# The judges of the chapters about living with the server, 16 on.
#
# See `judging` for what a judge is.


BACKUPS = restore.LIST
TRIES = facts.run("fail2ban-client get dovecot maxretry")


def shut_out_after(said: str, have: Have, s: Settings) -> Verdict:
    """16: how many wrong guesses are enough."""
    so = number(output(have, TRIES))
    return Verdict(number(said) == so, f"Somebody is shut out after {so:g}.")


UPDATES = facts.run(
    "apt-get -s -o Debug::NoLocking=1 dist-upgrade | grep -c '^Inst.*Debian-Security' || true"
)


def updates_wait(said: str, have: Have, s: Settings) -> Verdict:
    """19: how many security fixes wait."""
    so = int(output(have, UPDATES))
    words = "None waits" if not so else "One waits" if so == 1 else f"{so} wait"
    why = "They install themselves at night." if so else ""
    return Verdict(number(said) == so, f"{words} at this moment.", why)


def kept(said: str, have: Have, s: Settings) -> Verdict:
    """20: how many backups are in the safe."""
    so = len(json.loads(output(have, BACKUPS)))
    why = "" if number(said) == so else "One may have been made meanwhile."
    return Verdict(number(said) == so, f"The safe holds {so} of them.", why)


SOFT = facts.run("postconf -h soft_bounce")
YES, NO = ("on", "yes", "y"), ("off", "no", "n")


def soft(said: str, have: Have, s: Settings) -> Verdict:
    """21: whether what would be refused for good is only put off."""
    so = output(have, SOFT) == "yes"
    if plain(said) not in YES + NO:
        raise CannotJudge("Answer with on or off.")
    return Verdict(
        plain(said) in (YES if so else NO), f"It is {'on' if so else 'off'}."
    )


# The judges of chapters 07 to 15: ports, the queue, people, rules, points, names, keys.


LISTENING = facts.listening()
IN_THE_OPEN = (
    "There the connection begins in the open, and both sides agree to encrypt."
)
PORTS = {
    110: IN_THE_OPEN,
    143: IN_THE_OPEN,
    465: "That one is encrypted from the first byte, but it is for sending.",
    587: "That one is for sending, and begins in the open.",
    4190: "That one is for filter rules, and only the machine itself reaches it.",
}


def encrypted_port(said: str, have: Have, s: Settings) -> Verdict:
    """07: a port at which Dovecot encrypts from the first byte."""
    mine = int(number(said))
    found = have.get(LISTENING)
    world = {
        port
        for address, port, process in (found if isinstance(found, list) else ())
        if process == "dovecot" and address not in ("127.0.0.1", "::1")
    }
    open_ = sorted(world & {993, 995})
    if not open_:
        raise CannotJudge("Dovecot listens on no such port yet.")
    so = f"They are {' and '.join(map(str, open_))}; Dovecot listens there now."
    why = PORTS.get(mine, "")
    if mine == 995 and mine not in open_:
        why = "It would be that of POP3, which your settings leave out."
    return Verdict(mine in open_, so, why)


QUEUE = facts.run("postqueue -j && echo end")


def waiting(said: str, have: Have, s: Settings) -> Verdict:
    """08: how many letters wait in the queue."""
    so = len(output(have, QUEUE).splitlines()) - 1
    words = "No letter waits" if not so else f"{so} wait" if so > 1 else "One waits"
    right = number(said) == so
    why = "" if right else "It changes while you look; read it once more and compare."
    return Verdict(right, f"{words} at this moment.", why)


POSTMASTER = facts.sql(
    "SELECT source, destination FROM mailserver.virtual_aliases "
    "WHERE source LIKE 'postmaster@%' UNION SELECT email, email "
    "FROM mailserver.virtual_users WHERE email LIKE 'postmaster@%'"
)


def postmaster(said: str, have: Have, s: Settings) -> Verdict:
    """09: who gets the complaints of other servers."""
    address = f"postmaster@{s.domain}"
    so = [goal for source, goal in rows(have, POSTMASTER) if source == address]
    if not so:
        raise CannotJudge("Nobody yet: it comes with the first mailbox of the domain.")
    right = plain(said) in map(plain, so)
    return Verdict(right, f"{address} leads to {' and '.join(so)}.")


def mailboxes(said: str, have: Have, s: Settings) -> Verdict:
    """18: how many mailboxes there are, the one for reports too."""
    so = len(rows(have, MAILBOXES))
    right = number(said) == so
    words = {0: "There is none.", 1: "There is one."}.get(so, f"There are {so}.")
    why = f"Did you count dmarc@{s.domain}? It is a mailbox too, for reports."
    return Verdict(right, words, "" if right else why)


LIMIT = DEFAULT


def new_limit(said: str, have: Have, s: Settings) -> Verdict:
    """10: what a new mailbox may hold, in MB; somebody may have counted in bytes."""
    mine = number(said)
    so = int(rows(have, LIMIT)[0][0])
    words = f"A new mailbox gets {so // 1_000_000} MB." if so else "It has no limit: 0."
    why = "Those are bytes; a million of them are one MB." if mine == so != 0 else ""
    return Verdict(mine == so // 1_000_000, words, why)


SUBMISSION = facts.run("postconf -hP submission/inet/smtpd_tls_security_level")


def must_encrypt(said: str, have: Have, s: Settings) -> Verdict:
    """12: the word that makes encryption a duty at port 587."""
    so = output(have, SUBMISSION)
    why = "Here a password follows, so it must." if plain(said) != plain(so) else ""
    if plain(said) == "may":
        why = "That is port 25, where plain text is better than no mail. " + why
    return Verdict(plain(said) == plain(so), f"Port 587 has the word {so}.", why)


ACTIONS = facts.run("rspamadm configdump actions 2>/dev/null")


def refused_from(said: str, have: Have, s: Settings) -> Verdict:
    """13: from how many points on a letter is refused."""
    lines = (line.partition(" = ") for line in output(have, ACTIONS).splitlines())
    limits = {name.strip(): number(value) for name, sign, value in lines if sign}
    if "reject" not in limits:
        raise CannotJudge("rspamd names no limit from which it refuses.")
    mine, so = number(said), limits["reject"]
    why = ""
    if mine == limits.get("add_header") != so:
        why = "From your number on it is marked and filed into Junk."
    return Verdict(mine == so, f"It refuses from {so:g} points on.", why)


def mx(s: Settings) -> Fact:
    """The question who takes mail for the domain."""
    return facts.outside("record", s.domain, "MX")


def mail_exchanger(said: str, have: Have, s: Settings) -> Verdict:
    """14: where the world brings mail for the domain."""
    answer = have.get(mx(s), {"error": "nobody was asked"})
    if reason := failed_answer(answer):
        raise CannotJudge(f"The DNS could not say: {reason}.")
    servers = answer["servers"].values()
    values = sorted({v for told in servers for v in told.get("values", ())})
    names = [plain(value.split()[-1]) for value in values]
    if not names:
        raise CannotJudge(f"The DNS knows no MX of {s.domain} yet.")
    why = ""
    if plain(said) == plain(s.domain):
        why = "That is the domain; its MX says which machine takes the mail."
    mine = plain(said.split()[-1])
    return Verdict(
        mine in names, f"The MX of {s.domain} is {' and '.join(names)}.", why
    )


KEYS = keys.LOOK


def selector(said: str, have: Have, s: Settings) -> Verdict:
    """15: the key that signs for the first domain."""
    answer = have.get(KEYS, {"error": "nobody was asked"})
    signers = keys.read(answer)
    if signers is None:
        raise CannotJudge("The server could not say which keys it has.")
    now = signers.signing(s.domain)
    if now is None:
        raise CannotJudge(f"No key signs for {s.domain} yet.")
    mine, others = plain(said.split(".")[0]), signers.of(s.domain)
    why = (
        ""
        if mine == now.selector
        else "The line of your domain has it as its second word."
    )
    if mine in [k.selector for k in others if k != now]:
        why = "That key is there, but it is not its turn."
    return Verdict(mine == now.selector, f"For {s.domain} it is {now.selector}.", why)


# Answers of a reader about webmail and mail programs, judged.  Pure, as `judging` is.
#
# Sources: https://mariadb.com/kb/en/information-schema-column_privileges-table/


RUNS_AS = facts.run(
    "sed -n 's/^user = //p' /etc/php/8.2/fpm/pool.d/ispguide-autoconfig.conf"
)


def runs_as(said: str, have: Have, s: Settings) -> Verdict:
    """17: as whom the script runs that answers mail programs."""
    so = output(have, RUNS_AS)
    why = "That one may read webmail's settings." if plain(said) == "www-data" else ""
    return Verdict(plain(said) == so, f"It runs as {so}.", why)


PASSWORD_RIGHTS = facts.sql(
    "SELECT PRIVILEGE_TYPE FROM information_schema.COLUMN_PRIVILEGES "
    "WHERE GRANTEE = \"'webmail-password'@'localhost'\" AND COLUMN_NAME = 'password'"
)


def password_user(said: str, have: Have, s: Settings) -> Verdict:
    """11: what webmail may do with passwords."""
    so = {row[0].lower() for row in rows(have, PASSWORD_RIGHTS)}
    if not so:
        raise CannotJudge("The user webmail-password is not there yet.")
    mine = set(re.findall("[a-z]+", said.lower())) & KNOWN
    if not mine:
        raise CannotJudge("Name the right, like SELECT or INSERT.")
    why = "It may not even read the hash of the old one." if "select" in mine else ""
    return Verdict(mine == so, f"It has {', '.join(sorted(so)).upper()}.", why)
