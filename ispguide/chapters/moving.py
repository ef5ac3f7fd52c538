"""Moving house: people, keys and letters of an older server come here, and none is lost.

The old server may be an ISPmail server of Bullseye or Bookworm, made by hand or by its
playbook; their tables and folders are alike.  Nothing is deleted there, so the way back
stays open.  Manuals: doveadm-sync(1), postconf(5) soft_bounce, master_service_disable.
"""

from __future__ import annotations

from typing import Any

from ispguide.chapters import dkim
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import File, Once, Probe
from ispguide.mail import migration, programs
from ispguide.mail.backup.things import KnownMachine

chapter = Chapter(
    "moving",
    "Moving house",
    21,
    needs=[dkim.chapter],
    learn="How people, keys and letters of an older server come here while mail keeps arriving, and why none is lost or comes twice.",
    minutes=25,
    settings=["old_server", "old_port", "old_fingerprint"],
    former={"the_way": "ssh_to_old_server"},
)


def strict_again(s) -> Once:
    """Mistakes are forgiven only while a move is under way."""
    return Once(
        "nothing is left over from a move",
        command="postconf -e 'soft_bounce = no' && touch -d '10 seconds ago' "
        "/etc/postfix/main.cf && systemctl reload postfix",
        unless='[ "$(postconf -h soft_bounce)" = no ] || '
        f"{{ [ -n '{s.old_server}' ] && [ -e {migration.STATE} ]; }}",
        touches=("/etc/postfix/main.cf",),
    )


NOTHING_MISSING = Probe(
    "no letter of an older server is missing here",
    "all_came",
    do="Fetch once more: ./guide move --again",
)


@chapter.step
def ssh_to_old_server(s):
    """This server fetches over SSH; the old one only hands out. For that it needs a key
    with which it may come in over there, and it must know the old server by its own key, as
    you know yours. Both are for this one purpose, and go when the move is over."""
    yield from programs.modules("move")
    yield File(migration.PROGRAM, s, mode=0o755)
    yield from over_there(s)


def over_there(s: Any) -> Any:
    """What this server needs to reach the old one, where there is one."""
    if not s.old_server:
        return
    yield Once(
        "the server has a key of its own for the old one",
        command=f"ssh-keygen -q -t ed25519 -N '' -C {migration.ALIAS} -f {migration.KEY}",
        unless=f"[ -s {migration.KEY} ]",
    )
    yield KnownMachine(
        s.old_server,
        s.old_port,
        s.old_fingerprint,
        migration.KNOWN,
        "old_fingerprint",
        "chapter 21",
    )
    yield File(
        migration.SSH,
        s,
        alias=migration.ALIAS,
        key=migration.KEY,
        known=migration.KNOWN,
    )


@chapter.step
def nothing_left_over(s):
    """While a move is under way, mistakes are forgiven: what would be refused for good
    is only put off, and its sender keeps the letter and comes again. Forgotten, that
    kindness fills other people's queues with letters that can never be delivered. So
    this step shows a gap when no move is under way, and the kindness is still on."""
    yield strict_again(s)


@chapter.proof
def prove(s):
    """Whether a letter of the old server is missing here is counted, mailbox by mailbox,
    as the last look saw it. Without an older server there is nothing to miss."""
    yield NOTHING_MISSING
