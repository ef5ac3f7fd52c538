"""Short forms that several chapters use."""

from __future__ import annotations

from ispguide.engine import facts
from ispguide.engine.things import Check, Proof


def proved(sentence: str, name: str, *words: str) -> Proof:
    """A behaviour, tried by the proof of this name."""
    return Proof(sentence, facts.proof(name, *words))


def asks(question: str, key: str, map_: str, answer: str) -> Check:
    """A question to a map, asked as the user that Postfix runs as."""
    yes = f"^{answer}$" if answer else ""
    negate = "" if answer else "; [ $? = 1 ]"
    return Check(
        question,
        f"[ -e {map_.partition(':')[2]} ] && "
        f"runuser -u postfix -- postmap -q '{key}' {map_}{negate}",
        answer=yes,
        do="Is the service mariadb running, and the password in the file the right one?",
    )
