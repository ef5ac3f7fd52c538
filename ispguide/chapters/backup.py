"""Backup: a copy of everything each night, encrypted, and the way back.

restic, because it encrypts always, and any account that can do SFTP can keep its
files: borg, the other good one, wants a program of its own on that machine.  Letters
that wait in Postfix's queue are no part of it: put back, they would go out twice.
Manuals: https://restic.readthedocs.io/en/v0.14.0/, mariadb-dump(1), systemd.timer(5).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ispguide.chapters import packages
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import (
    Check,
    Directory,
    File,
    Once,
    Plain,
    ServerSecret,
    Service,
)
from ispguide.mail import programs
from ispguide.mail.backup import things
from ispguide.mail.backup.things import KnownMachine, LastBackup
from ispguide.mail.checks import proved

chapter = Chapter(
    "backup",
    "The safe",
    20,
    needs=[packages.chapter],
    learn="How everything is copied each night, why one password must lie in your drawer, and how you get it all back.",
    minutes=25,
    settings=[
        "backup",
        "backup_to",
        "backup_port",
        "backup_fingerprint",
        "backup_days",
        "backup_weeks",
        "backup_months",
    ],
    former={"place": "backup_target", "opening": "repository"},
)

#: It has been opened once with our password; to open it takes a second, too long for
#: a look, so what was opened is written down.
OPEN = f"""set -a; . {things.ENVIRONMENT}
mkdir -p -m 0700 /var/cache/restic
restic --quiet cat config > /dev/null || restic --quiet init
printf '%s\\n' "$RESTIC_REPOSITORY" > {things.OPENED}"""


FOLDER = Directory(things.FOLDER, mode=0o700)


def where_it_goes(s) -> Iterator[Plain]:
    """A folder here, or what is needed to reach another machine."""
    yield from another_machine(s) if s.backup_to else [FOLDER]


def opened(s) -> Once:
    """The repository is there, and was seen to open."""
    there = "true" if s.backup_to else f"[ -e {things.FOLDER}/config ]"
    return Once(
        "the restic repository is there, and our password opens it",
        command=OPEN,
        unless=f"grep -qsxF '{things.repository(s)}' {things.OPENED} && {there}",
        touches=(things.OPENED,),
    )


WRONG_PASSWORD_READS_NOTHING = Check(
    "without the password nothing can be read",
    f"set -a; . {things.ENVIRONMENT}\n"
    "echo wrong | RESTIC_PASSWORD_FILE=/dev/stdin restic --no-cache --no-lock snapshots 2>&1; [ $? = 1 ]",
    answer="wrong password",
    do=f"Look at {things.ENVIRONMENT}; the step `backup_target` writes it anew.",
)

ROOT_ALONE = Check(
    "only root can read the password and the keys",
    f"find {things.PASSWORD} {things.ENVIRONMENT} {things.KEY} {things.STATE} "
    "/etc/ispguide/secrets.json ! -user root -o -perm /077 2>/dev/null | grep .; [ $? = 1 ]",
    do="The steps `password` and `place` set owner and mode anew.",
)


@chapter.step
def password(s):
    """What leaves this server is encrypted before it leaves, so whoever keeps it can
    read nothing. The password is made on the server. That is good against thieves, and
    bad when the machine burns: the backups are then there, and nobody can open them.
    So this one password, alone among all, must also lie in your drawer."""
    yield ServerSecret(things.SECRET)
    yield File(things.PASSWORD, text=f"⟦{things.SECRET}⟧\n", mode=0o600)


@chapter.step
def backup_target(s):
    """Where it goes. A folder on the same disk helps against mistakes: the folder
    deleted, the mailbox emptied. It does not help when the disk dies or a thief comes.
    For that there must be another machine, best with another provider. Any account
    will do that takes files over SFTP; the server gets a key of its own for it."""
    yield from where_it_goes(s)
    yield File(
        things.ENVIRONMENT,
        s,
        mode=0o600,
        repository=things.repository(s),
        password=things.PASSWORD,
    )


@chapter.step
def repository(s):
    """The safe is set up, or, if there is one already, opened: with our password, from
    this server, to see whether it is ours. Now you learn whether the way there is free,
    and not on the night in which it matters."""
    yield opened(s)


def another_machine(s: Any) -> Any:
    """What the server needs to reach the machine that keeps its backups."""
    user, host, _ = things.parts(s.backup_to)
    yield Once(
        "the server has a key of its own for that machine",
        command=f"ssh-keygen -q -t ed25519 -N '' -C ispguide-backup -f {things.KEY}",
        unless=f"[ -s {things.KEY} ]",
    )
    yield KnownMachine(host, s.backup_port, s.backup_fingerprint)
    yield File(
        things.SSH,
        s,
        alias=things.ALIAS,
        user=user,
        host=host,
        key=things.KEY,
        known=things.KNOWN,
    )


@chapter.step
def program(s):
    """A small program does it, and you can read it. First it asks the databases and the
    spam filter for a copy as of one moment, because files that somebody is writing
    cannot be copied well. Then it gives restic the mail, the whole of /etc with
    certificates and secrets, the keys that sign, and the guide's own book."""
    yield from programs.modules("backup")
    yield File(things.PROGRAM, s, mode=0o755)
    yield File(
        f"/etc/systemd/system/{things.UNIT}",
        s,
        program=things.PROGRAM,
        adopted=things.ADOPTED,
    )


@chapter.step
def every_night(s):
    """A backup that somebody has to remember is no backup. A timer starts it each
    night, at a minute of its own. What has grown old is forgotten by a rule: some days,
    some weeks, some months. Once a week the whole is read through and checked."""
    yield File(f"/etc/systemd/system/{things.TIMER}", s)
    yield Service(things.TIMER, reads=f"/etc/systemd/system/{things.TIMER}")
    yield LastBackup()


@chapter.proof
def prove(s):
    """A backup that was never read back is a hope. A letter is sent, a backup is made,
    and the mailbox is fetched from it into an empty folder: letter for letter it must
    be what lies in the original. And nobody without the password can open the safe."""
    yield proved("a letter comes back from a backup (restic) made now", "comes_back")
    yield WRONG_PASSWORD_READS_NOTHING
    yield ROOT_ALONE
