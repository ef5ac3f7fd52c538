"""Proof about mail that leaves through a smarthost: the queue tells where it went.

The letter goes to the owner of the login at the smarthost, so nobody else is bothered;
it is the one thing that this proof leaves behind.  One that cannot leave is taken out
of the queue again; letters of others stay in it.
Sources: postconf(5) relayhost, smtp(8), postsuper(1), RFC 4954 6 (535).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from ispguide.gaps import Gap
from ispguide.proofs.acting import CannotTell, Context, Verdict, need, proof
from ispguide.proofs.letters import letter, token
from ispguide.smarthost import host_of, port_of

#: Seconds until the queue should have something to tell.
PATIENCE = 20
TEXT = "This letter shows that mail leaves through the smarthost. You may delete it.\n"
AGAIN = "Type them again into the form of chapter 12, or run ./guide smarthost."

#: What the queue's words mean, in the order in which they are looked for: the kind of
#: gap, and the sentence.
MEANS = {
    r"SASL authentication failed|\b535\b": (
        "wrong-password",
        "{hop} refuses the login of {user} ({said}). "
        "It should take this name and this password. " + AGAIN,
    ),
    r"no worthy mechs|mechanism": (
        "differs",
        "{hop} and this server know no common way to log in "
        "({said}). Both should know PLAIN or LOGIN. Run the step smarthost again.",
    ),
    r"certificate|TLS": (
        "untrusted",
        "{hop} does not prove its name ({said}). It should show a "
        "certificate for that name, signed by an authority that Debian knows. Ask your "
        "provider for the right name.",
    ),
    r"timed out|refused|unreachable|No route|not found|look up": (
        "not-reached",
        "{hop} cannot be reached "
        "({said}). It should answer at this port. Ask your provider for name and port.",
    ),
}
OTHERWISE = (
    "not-taken",
    "{hop} did not take the letter ({said}). It should take letters from your people to "
    "anybody. Ask your provider which senders it takes from {user}.",
)


@dataclass(frozen=True)
class Line:
    """What the queue says of a letter."""

    relay: str
    status: str
    said: str


def line_of(text: str) -> Line | None:
    """The last line of the log that tells what became of it."""
    found = re.findall(r"relay=([^,]+),.* status=(\w+) \((.*)\)", text)
    return Line(*found[-1]) if found else None


@proof
def leaves_through_smarthost(ctx: Context) -> Verdict:
    """A letter to a foreign address is taken by the smarthost, and by nobody else."""
    number = _sent(ctx, _receiver(ctx))
    told = _awaited(ctx, number)
    if told is None or told.status == "deferred":
        ctx.tell(f"postsuper -d {number}")
    return judged(told, ctx.settings.smarthost, ctx.settings.smarthost_user)


def judged(told: Line | None, smarthost: str, user: str) -> Verdict:
    """What the queue's line means, for this smarthost and this login."""
    host, port = host_of(smarthost), port_of(smarthost)
    hop = f"{host}:{port}"
    if told is None:
        told = Line("none", "deferred", f"no answer found within {PATIENCE} s")
    if told.status != "sent":
        meant = (what for key, what in MEANS.items() if re.search(key, told.said))
        kind, words = next(meant, OTHERWISE)
        return False, Gap(kind, words.format(hop=hop, user=user, said=told.said))
    if not (told.relay.startswith(f"{host}[") and told.relay.endswith(f":{port}")):
        words = f"The letter left through {told.relay}, and not through {hop}."
        return False, Gap("elsewhere", words)
    return True, f"relay={told.relay}, status=sent ({told.said})"


def _receiver(ctx: Context) -> str:
    """The owner of the login, if that is an address and not one of ours."""
    user = ctx.settings.smarthost_user
    if user.rpartition("@")[2] not in ("", user, ctx.settings.domain):
        return user
    raise CannotTell(
        f"The login {user} is no address elsewhere, so a trial would bother somebody. "
        "Write to an address of yours at another provider, and look for relay= in "
        "journalctl -t postfix/smtp."
    )


def _sent(ctx: Context, to: str) -> str:
    """The number of a letter in the queue, handed in as a user does."""
    mark, me = token(), ctx.address
    text = letter(mark, to, TEXT, sender=me)
    with ctx.logged_in(587) as smtp:
        said = need(smtp.deliver(me, to, text), "The letter")
    found = re.search(r"queued as (\w+)", said.text)
    if not found:
        raise CannotTell(f"The server did not tell the letter's number: {said.text!r}.")
    return found[1]


def _awaited(ctx: Context, number: str) -> Line | None:
    """What the queue says of it, asked twice a second; None when it says nothing."""
    look = "journalctl -q --no-pager -o cat -t postfix/smtp --since -5min"
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        said = ctx.tell(f"{look} | grep -F '{number}: ' || true")
        if told := line_of(said["out"]):
            return told
        time.sleep(0.5)
    return None
