"""Proofs about what happens by night: the backup, and the look that mails what changed.

A letter that was sent now is in the backup made now, and comes back.

The backup is a whole one, as each night's, and stays; it is read back into a folder of
its own, which is removed.  Sources: restic-restore(1), systemctl(1).
"""

from __future__ import annotations

import json
import time
from typing import Any

from ispguide.engine.actions import quote
from ispguide.engine.facts import TEMPFAIL
from ispguide.mail.backup.things import ENVIRONMENT, STATE, UNIT
from ispguide.mail.measures.health import LOOK
from ispguide.proofs.base import CannotTell, Context, Verdict, proof
from ispguide.proofs.messages import arrived, bring, token
from ispguide.proofs.protocols import Imap

#: Seconds that the backup of a server may take before the proof gives up waiting.
PATIENCE = 600

#: The mailbox from the backup, beside the one that is there now.  The proofs' letters
#: come and go meanwhile, so this one letter is compared, by all that is in it.
READ_BACK = """set -a; . {environment}
umask 077; d=$(mktemp -d /var/lib/ispguide/read-back.XXXXXX); trap 'rm -rf "$d"' EXIT
restic --quiet restore {snapshot} --target "$d" --include '{home}/Maildir' >&2 || exit 75
letter() {{ grep -rlF --include='*,S=*' -- '{mark}' "$1" | xargs -r sha256sum | cut -d ' ' -f 1; }}
then=$(letter "$d{home}/Maildir"); now=$(letter {home}/Maildir)
echo "from the backup ${{then:-nothing}}, in the mailbox ${{now:-nothing}}"
[ -n "$then" ] && [ "$then" = "$now" ]
"""

#: Whether one is made at this moment, and then how the last one went: in this order,
#: so that "no, and the last one is old" can be believed.
BACKUP_STATE = f"systemctl is-active {UNIT}; cat {STATE} 2>/dev/null || echo '{{}}'"


@proof
def comes_back(ctx: Context) -> Verdict:
    """A letter, a backup, and the mailbox read back from it: what is there is equal."""
    mark = token()
    ok, seen = arrived(ctx, mark, bring(ctx, mark))
    if not ok:
        return ok, seen
    state = _made(ctx)
    if not state["ok"]:
        return False, f"The backup failed: {state['failed']}"
    said = ctx.tell(read_back(ctx.address, mark, state["snapshot"]))
    if said.rc == TEMPFAIL:
        return False, f"Nothing could be read back: {said.err.strip()[-300:]}"
    if not said.ok:
        return False, f"Read back, and not equal: {said.out.strip()[-300:]}"
    return True, f"Backup {state['snapshot']}, read back: {said.out.strip()}."


def read_back(address: str, mark: str, snapshot: str) -> str:
    """The command that fetches the mailbox from the backup and compares."""
    local, _, domain = address.partition("@")
    home = f"/var/vmail/{domain}/{local}"
    return READ_BACK.format(
        environment=ENVIRONMENT, home=home, mark=mark, snapshot=snapshot
    )


def _made(ctx: Context) -> dict[str, Any]:
    """The state of a backup that began after this moment."""
    begin = float(ctx.tell("date +%s.%N").out)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        active, _, told = ctx.tell(BACKUP_STATE).out.partition("\n")
        state = dict(json.loads(told))
        if state.get("started", 0) >= begin:
            return state
        if active in ("inactive", "failed"):
            ctx.tell(f"systemctl start --no-block {UNIT}")
        time.sleep(0.5)
    raise CannotTell(
        f"The backup still runs after {PATIENCE // 60} minutes, as a first one may."
    )


# Proof about the nightly look: it mails what changed, and nothing else.
#
# It works in a corner of its own below /run and looks at nothing but the note it laid
# there, so what the server remembers of last night stays as it is.


SAYS = "Nothing changed, so no mail."


@proof
def mails_only_changes(ctx: Context) -> Verdict:
    """A note appears, stays, and goes: a mail, none, a mail."""
    mark, to = token(), quote(ctx.address)
    corner = f"/run/ispguide-{mark}"
    note = f"{corner}/notes/{mark}"
    look = f"{LOOK} --mail --only notes --state {corner} --to {to}"
    laid = (
        f"install -d -m 0700 {corner} {corner}/notes && echo 'A trial, {mark}' > {note}"
    )
    try:
        first = _said(ctx, f"{laid} && {look}")
        second = _said(ctx, look)
        third = _said(ctx, f"rm {note} && {look}")
    finally:
        ctx.tell(f"rm -rf {corner}")
    if second != SAYS:
        return False, f"When nothing had changed, the look said {second!r}."
    # The last mail was sent after the second look, so one of that would be there too.
    came = _mails(ctx, mark)
    if came != 2:
        return False, (
            f"{came} mails came about a note that appeared and went; two should. "
            f"The look said {first!r}, {second!r} and {third!r}."
        )
    return True, f"{first} Then: {second} When the note was gone: {third}"


def _said(ctx: Context, command: str) -> str:
    """The last line of a look; what it cannot do ends the proof."""
    said = ctx.tell(command)
    if not said.ok:
        raise CannotTell(f"The look ended with an error: {said.err.strip()[-300:]}")
    return said.out.strip().splitlines()[-1]


def _mails(ctx: Context, mark: str) -> int:
    """How many mails with this mark are in the mailbox, once the last has come."""
    with ctx.reader() as imap:
        while imap.left > 2:
            if _of(imap, f"OVER: A trial, {mark}"):
                break
            time.sleep(0.25)
        return len(_of(imap, mark))


def _of(imap: Imap, text: str) -> list[str]:
    return [u for folder in ("INBOX", "Junk") for u in imap.find(folder, text, "BODY")]
