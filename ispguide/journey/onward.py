"""Lines of the journal about mail that leaves, goes on, or comes back.

Pure.  These rules are asked before those of `meanings`.
Manuals: smtp(8), bounce(8), pickup(8), https://doc.dovecot.org/2.3/ (sieve actions)
"""

from __future__ import annotations

from ispguide.journal import Line
from ispguide.journey.hop import Hop
from ispguide.journey.meanings import DEFERRED, GIVEN_UP, Build, Found, delays
from ispguide.measures.queue import meaning


def _from_here(at: float, line: Line, found: Found) -> Hop:
    words = (
        f"A program on the server itself hands in a letter from {found[1] or 'nobody'}."
    )
    return Hop(at, "postfix", "takes it from the machine", words, str(line))


def _sent(at: float, line: Line, found: Found) -> Hop:
    detail = f"{line}{delays(found['delays'])}"
    relay = found["relay"].partition("[")[0]
    moved = f" {found['orig']} leads there." if found["orig"] else ""
    match found["status"]:
        case "sent":
            words = (
                f"{relay} took it for {found['to']} and said: “{found['why']}”. "
                f"From here on its log tells the way.{moved}"
            )
            return Hop(at, "postfix", "hands it to another server", words, detail)
        case "deferred":
            why = meaning(found["why"])
            words = (
                f"Postfix keeps the letter, because {why}. It tries again by itself."
            )
            return Hop(at, "postfix", DEFERRED, words, detail, "wait")
    words = f"It cannot be delivered to {found['to']}: {meaning(found['why'])}."
    return Hop(at, "postfix", GIVEN_UP, words, detail, "no")


def _expired(at: float, line: Line, found: Found) -> Hop:
    words = "Postfix tried for five days. It sends the letter back to its sender."
    return Hop(at, "postfix", GIVEN_UP, words, str(line), "no")


def _notice(at: float, line: Line, found: Found) -> Hop:
    words = f"The sender gets a notice, which has a number of its own: {found[1]}."
    return Hop(at, "postfix", "tells the sender", words, str(line))


def _forwarded(at: float, line: Line, found: Found) -> Hop:
    words = f"A filter rule of the owner sends it on to {found[1]}."
    return Hop(at, "dovecot", "sends it on", words, str(line))


def _answered(at: float, line: Line, found: Found) -> Hop:
    words = f"The owner is away: {found[1]} gets the answer that was left for this."
    return Hop(at, "dovecot", "answers for the owner", words, str(line))


def _full(at: float, line: Line, found: Found) -> Hop:
    words = f"It could not be laid into {found[1]}: {found[2]}"
    return Hop(at, "dovecot", "cannot file it", words, str(line), "note")


ONWARD: tuple[tuple[str, str, Build], ...] = (
    (r"postfix/pickup", r"^\w+: uid=\d+ from=<([^>]*)>", _from_here),
    (
        r"postfix/(?:smtp|error|virtual|local)",
        r"^\w+: to=<(?P<to>[^>]*)>, (?:orig_to=<(?P<orig>[^>]*)>, )?relay=(?P<relay>[^,]+), .*"
        r"delays=(?P<delays>[\d./]+), .*status=(?P<status>\w+) \((?P<why>.*)\)",
        _sent,
    ),
    (r"postfix/qmgr", r"^\w+: from=.* status=(?:expired|force-expired)", _expired),
    (r"postfix/bounce", r"^\w+: sender (?:non-delivery|delay)\S* notification: (\w+)", _notice),
    (r"dovecot", r"sieve: .*forwarded to <([^>]*)>", _forwarded),
    (r"dovecot", r"sieve: .*sent vacation response to <([^>]*)>", _answered),
    (r"dovecot", r"failed to store into mailbox '([^']+)': (.*)", _full),
)  # fmt: skip
