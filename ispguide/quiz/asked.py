"""The questions that the server itself answers, one a chapter.

What is asked, how a reader finds out, which facts the server is asked for, and who
judges.  The judging is in `judges`, the card in `notebook.questions`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ispguide.engine.facts import Fact, Have
from ispguide.engine.settings import Settings
from ispguide.mail.people import MAILBOXES
from ispguide.quiz import judges, judging

Judge = Callable[[str, Have, Settings], judging.Verdict]


@dataclass(frozen=True)
class Asked:
    """`how`: how to find out.  `cell`: the one that tells more, as notebook#cell."""

    text: str
    how: str
    cell: str
    fact: Callable[[Settings], Fact]
    judge: Judge

    def judged(self, said: str, have: Have, settings: Settings) -> judging.Verdict:
        """What is right about `said`; never an exception."""
        try:
            return self.judge(said, have, settings)
        except judging.CannotJudge as reason:
            return judging.Verdict(None, str(reason).strip())


ASKED = (
    Asked(
        "Ask your server for its full name. What does it answer?",
        "Type this on the server: hostname -f",
        "02-server.ipynb#the_name",
        lambda s: judging.NAME,
        judging.full_name,
    ),
    Asked(
        "Which version of Postfix lies on your server's disk?",
        "Type this on the server: dpkg -l postfix",
        "03-packages.ipynb#install",
        lambda s: judging.POSTFIX,
        judging.version,
    ),
    Asked(
        "On which day does your server's certificate end?",
        "Any browser shows it, or on the server: certbot certificates",
        "04-tls.ipynb#certificate",
        judging.certificate_end,
        judging.last_day,
    ),
    Asked(
        "Which rights does the user mailserver have in the address book?",
        "The card of its step tells, or on the server, in MariaDB: "
        "SHOW GRANTS FOR 'mailserver'@'127.0.0.1'",
        "05-database.ipynb#users",
        lambda s: judging.RIGHTS,
        judging.rights,
    ),
    Asked(
        "The machine writes a letter to its own root. At which address does it arrive?",
        "Ask the third map, with the command that stands under “by hand”.",
        "06-postfix.ipynb#aliases",
        judging.roots_mail,
        judging.root_reader,
    ),
    Asked(
        "Name a port at which reading mail is encrypted from the first byte.",
        "Type this on the server: ss -ltnp | grep dovecot",
        "07-dovecot.ipynb#encryption",
        lambda s: judges.LISTENING,
        judges.encrypted_port,
    ),
    Asked(
        "How many letters wait in your server's queue at this moment?",
        "Type this on the server: mailq",
        "08-delivery.ipynb#lmtp",
        lambda s: judges.QUEUE,
        judges.waiting,
    ),
    Asked(
        "Another server complains to postmaster at your domain. Who reads it?",
        "The list of people above shows where the forwardings lead.",
        "09-first-mail.ipynb#people",
        lambda s: judges.POSTMASTER,
        judges.postmaster,
    ),
    Asked(
        "How much may a new mailbox on your server hold, in MB?",
        "Type this on the server, and read the default of quota: "
        "mariadb -e 'SHOW CREATE TABLE mailserver.virtual_users'",
        "10-quotas.ipynb#limit",
        lambda s: judges.LIMIT,
        judges.new_limit,
    ),
    Asked(
        "At port 25, encryption is a “may”. Which word stands there for port 587?",
        "Type this on the server: postconf -P | grep tls_security_level",
        "12-sending.ipynb#submission",
        lambda s: judges.SUBMISSION,
        judges.must_encrypt,
    ),
    Asked(
        "From how many points on does your filter refuse a letter?",
        "Type this on the server: rspamadm configdump actions",
        "13-spam.ipynb#verdicts",
        lambda s: judges.ACTIONS,
        judges.refused_from,
    ),
    Asked(
        "To which machine does the world bring your domain's mail?",
        "The coach shows it, or on any computer: dig +short example.test MX",
        "14-dns.ipynb#mail_exchanger",
        judges.mx,
        judges.mail_exchanger,
    ),
    Asked(
        "With which key does your server sign now? Give its selector.",
        "Type this on the server: cat /etc/rspamd/dkim_selectors.map",
        "15-dkim.ipynb#public_keys",
        lambda s: judges.KEYS,
        judges.selector,
    ),
    Asked(
        "How many mailboxes are there on your server now?",
        "The form above lists them, or in a terminal: ./guide people list",
        "18-people.ipynb#form",
        lambda s: MAILBOXES,
        judges.mailboxes,
    ),
    Asked(
        "Which one right has the user webmail-password on the column of passwords?",
        "The card of its step tells, or on the server, in MariaDB: "
        "SHOW GRANTS FOR 'webmail-password'@'localhost'",
        "11-webmail.ipynb#passwords",
        lambda s: judges.PASSWORD_RIGHTS,
        judges.password_user,
    ),
    Asked(
        "After how many wrong guesses does your server shut somebody out?",
        "Type this on the server: fail2ban-client get dovecot maxretry",
        "16-brute-force.ipynb#bans",
        lambda s: judges.TRIES,
        judges.shut_out_after,
    ),
    Asked(
        "How many security updates wait on your server at this moment?",
        "The card “How is it now?” tells, or on the server: ispguide-look --only updates",
        "19-watching.ipynb#health_check",
        lambda s: judges.UPDATES,
        judges.updates_wait,
    ),
    Asked(
        "As which user does the script run that answers mail programs?",
        "Type this on the server: grep ^user /etc/php/8.2/fpm/pool.d/ispguide-autoconfig.conf",
        "17-autoconfig.ipynb#autoconfig_endpoint",
        lambda s: judges.RUNS_AS,
        judges.runs_as,
    ),
    Asked(
        "How many backups are in the safe now?",
        "The card above shows them, or on the server, as root: "
        "set -a; . /etc/ispguide/backup.env; restic snapshots",
        "20-backup.ipynb#backups",
        lambda s: judges.BACKUPS,
        judges.kept,
    ),
    Asked(
        "Is soft_bounce on or off on your server now?",
        "Type this on the server: postconf -h soft_bounce",
        "21-moving.ipynb#nothing_left_over",
        lambda s: judges.SOFT,
        judges.soft,
    ),
)

BY_TEXT = {asked.text: asked for asked in ASKED}
