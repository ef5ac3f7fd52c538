"""Catching spam: rspamd judges, Dovecot files, and your people teach both.

What is certainly spam is refused while its sender waits; what is probably spam goes
to Junk. Signing outgoing mail (DKIM) is a later chapter.
Manuals: https://docs.rspamd.com/, MILTER_README, RFC 6785 (imapsieve),
https://doc.dovecot.org/2.3/configuration_manual/sieve/configuration/
"""

from __future__ import annotations

from ispguide.chapters import dovecot, postfix, sending, tls
from ispguide.chapters.dovecot import CONF
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import (
    Check,
    Directory,
    File,
    Once,
    ServerSecret,
    Service,
    UnitRead,
)
from ispguide.mail.checks import proved
from ispguide.mail.postfix import Postconf

chapter = Chapter(
    "spam",
    "Catching spam",
    13,
    needs=[sending.chapter],
    learn="How a letter earns its points, what they lead to, and how the filter learns from your people.",
    minutes=20,
    settings=["reject_score", "junk_score", "junk_days"],
)

MILTER = "inet:127.0.0.1:11332"
LOCAL = "/etc/rspamd/local.d"
SOCKET = "/run/rspamd/learn.sock"
REDIS = "/etc/redis/ispguide.conf"
REDIS_UNIT = "/etc/systemd/system/redis-server.service.d/ispguide.conf"
CONTROLLER = "/etc/rspamd/override.d/worker-controller.inc"
RSPAMD_UNIT = "/etc/systemd/system/rspamd.service.d/ispguide.conf"

#: `rspamadm pw` wants to see somebody type, so script(1) plays the keyboard.
HASH = "{ sleep 1; cat; } | script -qec 'rspamadm pw' /dev/null | grep -o '[$]2[$][a-z0-9$]*'"


def rspamd(*reads: str) -> Service:
    """The spam filter, which must have read these files; it tells when its door opens."""
    return Service("rspamd", reads, test="rspamadm configtest", ports=(11332, 11334))


def ours(path: str, s) -> File:
    """A file with a password in it, for root and rspamd alone."""
    return File(path, s, mode=0o640, group="_rspamd")


def compiled(path: str) -> Once:
    """Filter rules in the form that runs: Dovecot may not write where root's rules are."""
    binary = path.replace(".sieve", ".svbin")
    # -c reads the files; a running Dovecot may answer from before they were written.
    return Once(
        f"{path} is compiled",
        command=f"sievec -c /etc/dovecot/dovecot.conf {path}",
        unless=f'[ -e {binary} ] && [ -z "$(find {path} -newer {binary})" ]',
    )


@chapter.step
def redis(s):
    """Redis is rspamd's memory: which words were spam, whom it has seen before. It
    listens to this machine alone. It also gets a password, so that a broken web page
    on the same machine can neither read that memory nor fill it with lies."""
    yield ServerSecret("redis")
    yield File(REDIS, s, mode=0o640, owner="redis", group="redis")
    yield File(REDIS_UNIT, s)
    yield UnitRead("redis-server")
    yield Service("redis-server", reads=(REDIS, REDIS_UNIT), ports=(6379,))


@chapter.step
def milter(s):
    """Postfix shows each mail to rspamd while the sender still waits on the line, so
    spam is refused at the door and nobody innocent gets a bounce. When rspamd is down,
    mail is told to come back later, rather than let in unseen. One process does the
    looking, which is enough for some thousand mails a day and kind to 1 GB of memory."""
    yield ours(f"{LOCAL}/redis.conf", s)
    yield File(f"{LOCAL}/worker-proxy.inc", s)
    yield File(f"{LOCAL}/worker-normal.inc", s)
    yield File(f"{LOCAL}/logging.inc", s)
    yield rspamd(
        f"{LOCAL}/redis.conf",
        f"{LOCAL}/worker-proxy.inc",
        f"{LOCAL}/worker-normal.inc",
        f"{LOCAL}/logging.inc",
    )
    yield Postconf(
        smtpd_milters=MILTER, non_smtpd_milters=MILTER, milter_default_action="tempfail"
    )
    yield postfix.postfix()


@chapter.step
def verdicts(s):
    """Points are added up. Enough of them, and the mail is refused; fewer, and it is
    marked. The marks tell which rules spoke, and you will want them on the day a
    friend's letter lands in Junk. Marks that a sender brings along are thrown away:
    only our own rspamd calls a mail spam. And the guide's own test letters need not
    wait in the grey list, where strangers are asked to come again in five minutes."""
    yield File(f"{LOCAL}/actions.conf", s)
    yield File(f"{LOCAL}/milter_headers.conf", s)
    yield File(f"{LOCAL}/settings.conf", s)
    yield rspamd(
        f"{LOCAL}/actions.conf",
        f"{LOCAL}/milter_headers.conf",
        f"{LOCAL}/settings.conf",
    )
    yield File("/etc/postfix/ispguide-incoming-headers", s)
    yield Postconf(header_checks="regexp:/etc/postfix/ispguide-incoming-headers")
    yield postfix.postfix("/etc/postfix")


@chapter.step
def junk(s):
    """What is marked goes to the folder Junk, not to the inbox. A filter rule for
    everybody does it, after each owner's own rules: who wants to treat a mailing list
    otherwise comes first. The rule belongs to root, so that nobody rewrites it."""
    yield File(f"{CONF}/99-ispguide-junk.conf", s)
    yield Directory("/etc/dovecot/sieve-after")
    yield File("/etc/dovecot/sieve-after/spam-to-junk.sieve", s)
    yield compiled("/etc/dovecot/sieve-after/spam-to-junk.sieve")
    yield dovecot.dovecot(s, f"{CONF}/99-ispguide-junk.conf")


@chapter.step
def learning(s):
    """A filter that nobody corrects grows stupid. When somebody drags a mail to Junk,
    rspamd learns it as spam; when somebody drags it back, as good mail. Emptying Junk
    into Trash teaches nothing: that is tidying, not an opinion. Dovecot speaks to
    rspamd through a socket of its own, and the scripts belong to root."""
    yield File(CONTROLLER, s)
    yield File(RSPAMD_UNIT, s)
    yield UnitRead("rspamd")
    yield rspamd(CONTROLLER, RSPAMD_UNIT)
    yield File(f"{CONF}/99-ispguide-learning.conf", s)
    yield Directory("/etc/dovecot/sieve-pipe")
    yield File("/etc/dovecot/sieve-pipe/learn-spam.sh", s, mode=0o755, socket=SOCKET)
    yield File("/etc/dovecot/sieve-pipe/learn-ham.sh", s, mode=0o755, socket=SOCKET)
    yield Directory("/etc/dovecot/sieve")
    yield File("/etc/dovecot/sieve/learn-spam.sieve", s)
    yield File("/etc/dovecot/sieve/learn-ham.sieve", s)
    yield compiled("/etc/dovecot/sieve/learn-spam.sieve")
    yield compiled("/etc/dovecot/sieve/learn-ham.sieve")
    yield dovecot.dovecot(s, f"{CONF}/99-ispguide-learning.conf")


@chapter.step
def autoexpunge(s):
    """Junk and Trash grow for ever unless somebody empties them, and nobody does. What
    has lain there long enough goes by itself. Tell your people: a mail in Trash is
    not kept, it is on its way out."""
    yield File(f"{CONF}/99-ispguide-autoexpunge.conf", s)
    yield dovecot.dovecot(s, "/etc/dovecot")


@chapter.step
def web_page(s):
    """rspamd has a web page on which you see what it did and why. It comes over the
    encrypted site and asks for a password, made on the server; rspamd keeps only its
    hash. Being on this machine is no password: other programs live here too. To see it:
    `python3 -m json.tool /etc/ispguide/secrets.json` as root, under rspamd-web."""
    yield ServerSecret("rspamd-web")
    yield ServerSecret("rspamd-web-hash", source="rspamd-web", derive=HASH)
    yield ours(f"{LOCAL}/worker-controller.inc", s)
    yield rspamd("/etc/rspamd")
    yield tls.modules("proxy", "proxy_http")
    yield File("/etc/apache2/ispguide-https.d/rspamd.conf", s)
    yield tls.apache(tls.APACHE, ports=(80, 443))


REDIS_ASKS = Check(
    "Redis answers nobody without the password",
    "redis-cli ping 2>&1",
    answer="NOAUTH",
    do="Run the step `redis`.",
)

INSIDE_ONLY = Check(
    "rspamd and Redis listen to this machine alone",
    "ss -Hltn '( sport = :6379 or sport = :11332 or sport = :11333 or sport = :11334 )' "
    "| awk '{print $4}' | grep -vE '^(127.0.0.1|.::1.):'; [ $? = 1 ]",
    do="Look for a bind_socket in /etc/rspamd/local.d and a bind in /etc/redis.",
)


@chapter.proof
def prove(s):
    """The fire drill of spam filters is a line called GTUBE: a mail with it must be
    refused. Then a doubtful letter must land in Junk, a forged mark must count for
    nothing, and dragging mails about must teach, except into Trash."""
    yield Check(
        "rspamd's configuration is valid",
        "rspamadm configtest",
        answer="syntax OK",
        do="Read what it says; the steps of this chapter write their files anew.",
    )
    yield REDIS_ASKS
    yield INSIDE_ONLY
    yield proved("what is certainly spam (GTUBE) is refused", "gtube_refused")
    yield proved("rspamd's verdict stands in the mail", "headers_added")
    yield proved(
        "a forged X-Spam header counts for nothing", "forged_spam_header_ignored"
    )
    yield proved("probable spam lands in Junk (Sieve)", "spam_to_junk")
    yield proved("dragging a mail to Junk and back teaches rspamd", "junk_teaches")
    yield proved(
        "emptying Junk into Trash teaches rspamd nothing", "trash_teaches_nothing"
    )
    yield proved("rspamd's web page asks for a password", "web_page_locked")
