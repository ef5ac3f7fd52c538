"""Proofs about people who come and go: new, locked.

Sources: https://doc.dovecot.org/2.3/configuration_manual/authentication/ (one row, or none).
"""

from __future__ import annotations

import time

from ispguide.actions import quote
from ispguide.proofs.acting import Context, Verdict, last_proof, need, proof
from ispguide.proofs.letters import arrived, bring, token


@proof
def works_at_once(ctx: Context) -> Verdict:
    """A mailbox that was made a second ago is opened, and gets its first letter."""
    with ctx.apart() as new:
        mark = token()
        ok, seen = arrived(new, mark, bring(new, mark))
    return ok, f"Made, opened and written to within seconds. {seen}"


@last_proof
def locked_takes_mail(ctx: Context) -> Verdict:
    """The right password is refused, and a letter is taken and kept.

    One door speaks for all of them, as they ask the same Dovecot; each more would be
    one more guess for its penalty."""
    with ctx.apart(locked=True) as shut:
        _, said = shut.tried(993, shut.mailbox.password)
        if said.good:
            return False, "Port 993 let the owner of a locked mailbox in."
        need(bring(shut, token()), "A letter to a locked mailbox")
        kept = f"doveadm mailbox status -u {quote(shut.address)} -t messages '*'"
        end = time.monotonic() + 15
        while time.monotonic() < end:
            if "messages=1" in shut.tell(kept)["out"]:
                return True, f"It says {said.brief!r}, and its letter is kept."
            time.sleep(0.25)
    return False, "The letter was taken, and did not reach the mailbox."
