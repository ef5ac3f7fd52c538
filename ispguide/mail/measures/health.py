"""How the server is: what its own look says, in words and with what to do.

The look is a program on the server, `remote.look`, which judges by itself, because it
also does so at night when nobody is here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ispguide.engine import facts
from ispguide.engine.words import count, said_by

#: Where the look lies on the server.
LOOK = "/usr/local/sbin/ispguide-look"

#: Shape and word of a judgement, the gravest first.
JUDGED = {
    "act": ("✗", "act"),
    "look": ("○", "look"),
    "unknown": ("?", "could not tell"),
    "fine": ("✓", "fine"),
}


@dataclass(frozen=True)
class Seen:
    """One judgement.  `what`: the part, `do`: what to do, "" when nothing."""

    what: str
    state: str
    words: str
    do: str = ""


#: The look, as the guide has it now, whether or not it is installed.
HEALTH = facts.probe("health")


def health(answer: Mapping[str, Any]) -> list[Seen]:
    """What the look said, the gravest first."""
    told = json.loads(said_by(answer, "The state of the server", "19"))
    found = [Seen(r["what"], r["state"], r["words"], r["do"]) for r in told["looks"]]
    return sorted(found, key=lambda seen: list(JUDGED).index(seen.state))


def worst(seen: Sequence[Seen]) -> str:
    """The gravest judgement; what could not be told makes nothing worse than fine."""
    found = {one.state for one in seen}
    return next((state for state in ("act", "look") if state in found), "fine")


def health_words(seen: Sequence[Seen]) -> str:
    """One sentence about all of it."""
    numbers = {state: sum(s.state == state for s in seen) for state in JUDGED}
    if not numbers["act"] and not numbers["look"]:
        text = "All is well."
    else:
        parts = {
            "act": count(numbers["act"], "thing needs you now", "things need you now"),
            "look": count(numbers["look"], "thing is worth a look", "things are worth a look"),
        }  # fmt: skip
        told = ", ".join(text for state, text in parts.items() if numbers[state])
        text = f"{told[0].upper()}{told[1:]}; the rest is fine."
    unsure = numbers["unknown"]
    return (
        f"{text} {count(unsure, 'part', 'parts')} could not be told."
        if unsure
        else text
    )
