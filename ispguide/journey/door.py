"""The hops that are heard at the door: the SMTP dialogue, turn by turn.

Pure: the record of a talk goes in, hops come out.
Sources: RFC 5321 (SMTP), RFC 3207 (STARTTLS).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ispguide.journey.hop import Hop


@dataclass(frozen=True)
class Turn:
    """What one side said, and all the other side answered."""

    at: float
    said: str
    heard: tuple[str, ...] = ()
    answered: float = 0.0

    @property
    def last(self) -> str:
        """The answer's deciding line."""
        return self.heard[-1] if self.heard else ""

    @property
    def verb(self) -> str:
        """The command; "" where the server speaks first, "." for the letter."""
        word = self.said.partition(" ")[0].rstrip(":")
        if self.said.startswith(("MAIL FROM", "RCPT TO")) or word in SAID:
            return word
        return "." if self.said else ""

    @property
    def state(self) -> str:
        """How the answer's first digit decides."""
        return {"4": "wait", "5": "no"}.get(self.last[:1], "ok")


def turns(record: Iterable[tuple[float, str]]) -> list[Turn]:
    """The record of a talk (see `outside.Talk`), as said and heard."""
    found: list[Turn] = []
    for at, line in record:
        if line.startswith("C: ") or not found:
            said = line[3:] if line.startswith("C: ") else ""
            found.append(Turn(at, said))
        if line.startswith("S: "):
            last = found.pop()
            found.append(Turn(last.at, last.said, (*last.heard, line[3:]), at))
    return found


@dataclass(frozen=True)
class Meaning:
    """What a turn means: said, and answered with yes, not now, or no."""

    what: str
    yes: str
    wait: str = "Not now, says Postfix."
    no: str = "No, says Postfix."
    open: str = ""  #: said before there is an answer; then the answer is its own hop


SAID: dict[str, Meaning] = {
    "": Meaning(
        "knocks at port 25",
        "Any mail server in the world may open a connection here. Postfix tells its name.",
    ),
    "EHLO": Meaning(
        "says hello",
        "The stranger says who he is, which nobody has proved. Postfix lists what it "
        "can do.",
    ),
    "STARTTLS": Meaning(
        "asks to whisper",
        "“Let nobody on the way listen.” From here on everything is encrypted.",
    ),
    "MAIL": Meaning(
        "names the sender",
        "The first line of the envelope. Anybody can write anything there.",
    ),
    "RCPT": Meaning(
        "names the recipient",
        "“Yes, for this one I take letters. Go on.”",
        "Not now: the stranger's server keeps the letter and tries again later.",
        "Refused at the door. The stranger still holds the letter, so his own server "
        "tells him; we never send a bounce to somebody whose name was forged.",
        "The second line of the envelope. Before Postfix answers, it looks into the "
        "address book.",
    ),
    "DATA": Meaning(
        "asks to hand the letter over",
        "“Go on,” says Postfix, “and end with a line that is a dot.”",
    ),
    ".": Meaning(
        "hands the letter over",
        "It lies safely on our disk, and from this moment it is ours to look after.",
        "Not now: the stranger keeps the letter and comes again. Grey lists do this to "
        "people they have never met.",
        "The last word is no, while the stranger still waits on the line. The letter is "
        "not here, was never here, and nobody gets a bounce.",
        "Head and body, as they are. The stranger waits on the line for the last word.",
    ),
    "QUIT": Meaning("says goodbye", "Both hang up."),
}


def at_the_door(record: Iterable[tuple[float, str]]) -> Iterator[Hop]:
    """The hops of an SMTP dialogue, as far as it has come."""
    whispering = False
    for turn in turns(record):
        meaning = SAID[turn.verb]
        if turn.verb == "EHLO" and whispering:
            meaning = AGAIN
        whispering = whispering or turn.verb == "STARTTLS"
        if meaning.open:
            said = f"stranger: {turn.said}"
            yield Hop(turn.at, "stranger", meaning.what, meaning.open, said)
        if turn.heard:
            yield _answered(turn, meaning)


AGAIN = Meaning(
    "says hello again", "What was said in the open does not count, so they begin anew."
)


def _answered(turn: Turn, meaning: Meaning) -> Hop:
    words = {"ok": meaning.yes, "wait": meaning.wait, "no": meaning.no}[turn.state]
    if not meaning.open:
        return Hop(turn.at, "stranger", meaning.what, words, _spoken(turn), turn.state)
    said = "\n".join(f"Postfix:  {line}" for line in turn.heard)
    answer = f"answers {turn.last[:3]}"
    return Hop(turn.answered, "postfix", answer, words, said, turn.state)


def _spoken(turn: Turn) -> str:
    said = [f"stranger: {turn.said}"] if turn.said else []
    return "\n".join([*said, *(f"Postfix:  {line}" for line in turn.heard)])


def queued_as(said: str) -> str:
    """The number Postfix gave the letter, from its last word."""
    found = re.search(r"queued as (\w+)", said)
    return found[1] if found else ""
