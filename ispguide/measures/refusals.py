"""Why a letter was refused at the door, in words: from what Postfix answered.

Sources: RFC 3463 (the numbers with dots), postconf(5) smtpd_*_restrictions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """A kind of refusal: `short` for a picture, `words` for a newcomer."""

    pattern: str
    short: str
    words: str


REFUSALS = (
    Refusal(r"User unknown", "nobody of this name",
            "Nobody of this name lives here. If somebody should, a mailbox or an alias is missing."),
    Refusal(r"Relay access denied", "not for us",
            "The letter was for another server. Ours carries strangers' letters to nobody else."),
    Refusal(r"block ?list|blocked using|\blisted\b", "on a block list",
            "The caller's address stands on a block list, as machines do that send spam. "
            "An honest caller asks that list to be taken off."),
    Refusal(r"try again later|greylist", "grey list",
            "The spam filter does not know the caller yet and was not sure. It asked him to "
            "come again; real mail servers do so within minutes, most robots never."),
    Refusal(r"gtube|spam", "spam", "The spam filter was certain that it is spam."),
    Refusal(r"not owned by user", "another's name",
            "Who was logged in wrote a sender that is not his: neither his mailbox nor an alias of it."),
    Refusal(r"not logged in|authentication required", "no login",
            "At this door, only who has logged in may send."),
    Refusal(r"quota|mailbox.*full|4\.2\.2|5\.2\.2", "mailbox full",
            "The mailbox is full. Its owner deletes something, or gets more room."),
    Refusal(r"size|too (?:large|big)", "too large", "The letter is larger than what is taken here."),
    Refusal(r"reverse|cannot find your hostname", "no reverse name",
            "The caller's address has no name, or one that does not lead back to it."),
    Refusal(r"domain not found", "no such sender",
            "The sender's domain is not in the DNS, so nobody could be answered."),
    Refusal(r"helo|fully-qualified|hostname", "a bad introduction",
            "The caller did not say a proper name of his own."),
    Refusal(r"dmarc|\bspf\b|dkim", "forged", "The letter is not vouched for by the domain it claims."),
    Refusal(r"rate|too many|limit", "too many at once", "Too many letters came in too short a time."),
    Refusal(r"pipelining|protocol", "bad manners",
            "The caller does not wait for answers, as only robots do."),
    Refusal(r"unavailable|milter|4\.3\.", "not ready",
            "A part of this server was not ready, so the caller was asked to come again. No mail is lost by that."),
)  # fmt: skip

OTHER = Refusal("", "other reasons", "")


def refusal(said: str) -> Refusal:
    """The kind of refusal in an answer of Postfix; OTHER where no pattern fits."""
    # Addresses are taken out first: somebody may be called spam@.
    plain = re.sub(r"<[^>]*>", "", said)
    found = (r for r in REFUSALS if re.search(r.pattern, plain, re.I))
    return next(found, OTHER)
