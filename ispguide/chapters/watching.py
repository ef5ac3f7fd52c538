"""Watching: how the server is, and a mail when that changes.

The look is a small program on the server, which judges in words; the page in the
notebook and `./guide health` run the same one.  Keeps the journal long enough to follow
a letter that somebody misses.  Watches from the inside: a server that is off sends no
mail about it.
Manuals: systemd.timer(5), journald.conf(5), postqueue(1), sendmail(1)
"""

from __future__ import annotations

from ispguide.chapters import dns, spam
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import Check, Directory, File, Once, Service
from ispguide.mail import programs
from ispguide.mail.checks import proved
from ispguide.mail.measures.health import LOOK

chapter = Chapter(
    "watching",
    "Watching",
    19,
    needs=[spam.chapter, dns.chapter],
    learn="How to see in one minute whether all is well, and how to find a letter that somebody misses.",
    minutes=20,
    settings=["watching", "log_days"],
    former={"the_diary": "journal_retention", "the_look": "health_check"},
)

JOURNAL = "/etc/systemd/journald.conf.d/ispguide.conf"
SERVICE = "/etc/systemd/system/ispguide-look.service"
TIMER = "/etc/systemd/system/ispguide-look.timer"


# No Service: it has no door of its own to stop at, systemd wakes it at once.
JOURNAL_READ_IT = Once(
    "journald keeps to it",
    command="systemctl restart systemd-journald",
    unless="since=$(systemctl show systemd-journald -p ActiveEnterTimestamp "
    "--timestamp=us+utc --value) && "
    f'[ "$(date -d "$since" +%s%6N)" -gt "$(stat -c %.6Z {JOURNAL} | tr -d .)" ]',
)


@chapter.step
def journal_retention(s):
    """All programs of the server write into one diary, the journal. It is what tells
    the way of a letter, so it must outlive a restart. It also tells who wrote to whom,
    so it should not be kept for ever: after some weeks nobody asks for a letter any
    more, and what is not kept cannot be stolen."""
    yield Directory("/etc/systemd/journald.conf.d")
    yield File(JOURNAL, s)
    yield JOURNAL_READ_IT


@chapter.step
def health_check(s):
    """One small program looks at everything that has ever brought down a mail server:
    programs that stopped, a full disk, a queue that does not move, a certificate near
    its end, a block list. It judges in three words: fine, look, act. It needs nothing
    of this guide, so you can read it, run it by hand, and change it."""
    yield from programs.modules("dns", "look")
    yield File(LOOK, s, mode=0o755)


@chapter.step
def every_night(s):
    """Nobody reads a mail that comes every morning and says that all is well; after a
    month the one that matters is deleted with the others. So the server writes only
    when something changed since the night before: something broke, something was
    repaired. Silence means that it looked, and that all is as it was."""
    yield File(SERVICE, s)
    yield File(TIMER, s)
    yield Service("ispguide-look.timer", reads=(TIMER,))


@chapter.proof
def prove(s):
    """The look is run, and must have something to say about every part. Then a
    harmless note is laid where the nightly look finds it, in a corner made for this
    trial: the first look mails it, the second keeps silent, and when the note is gone,
    a last mail says so. Your own memory of last night is not touched."""
    yield Check(
        "the health check has a word about every part",
        f"{LOOK} --json --only services queue disk memory certificate backup logins",
        answer='"logins"',
        do="Run the step `health_check`.",
    )
    yield Check(
        "the timer of the next health check is set",
        "systemctl list-timers --no-pager ispguide-look.timer",
        answer="ispguide-look.service",
        do="Run the step `every_night`.",
    )
    yield proved(
        "what changed is mailed once, and nothing when nothing changed",
        "mails_only_changes",
    )
