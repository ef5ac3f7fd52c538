"""Proof about the nightly look: it mails what changed, and nothing else.

It works in a corner of its own below /run and looks at nothing but the note it laid
there, so what the server remembers of last night stays as it is.
"""

from __future__ import annotations

import time

from ispguide.actions import quote
from ispguide.measures.health import LOOK
from ispguide.proofs.acting import CannotTell, Context, Verdict, proof
from ispguide.proofs.letters import token
from ispguide.proofs.protocols import Imap

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
    if said["rc"]:
        raise CannotTell(f"The look ended with an error: {said['err'].strip()[-300:]}")
    return str(said["out"].strip().splitlines()[-1])


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
