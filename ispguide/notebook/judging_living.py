"""The judges of the chapters about living with the server, 16 on.

See `judging` for what a judge is.
"""

from __future__ import annotations

import json

from ispguide import facts
from ispguide.backup import returning
from ispguide.facts import Have
from ispguide.notebook.judging import CannotJudge, Verdict, number, output, plain
from ispguide.settings import Settings

BACKUPS = returning.LIST
TRIES = facts.run("fail2ban-client get dovecot maxretry")


def shut_out_after(said: str, have: Have, s: Settings) -> Verdict:
    """16: how many wrong guesses are enough."""
    so = number(output(have, TRIES))
    return Verdict(number(said) == so, f"Somebody is shut out after {so:g}.")


UPDATES = facts.run(
    "apt-get -s -o Debug::NoLocking=1 dist-upgrade | grep -c '^Inst.*Debian-Security' || true"
)


def updates_wait(said: str, have: Have, s: Settings) -> Verdict:
    """19: how many security fixes wait."""
    so = int(output(have, UPDATES))
    words = "None waits" if not so else "One waits" if so == 1 else f"{so} wait"
    why = "They install themselves at night." if so else ""
    return Verdict(number(said) == so, f"{words} at this moment.", why)


def kept(said: str, have: Have, s: Settings) -> Verdict:
    """20: how many backups are in the safe."""
    so = len(json.loads(output(have, BACKUPS)))
    why = "" if number(said) == so else "One may have been made meanwhile."
    return Verdict(number(said) == so, f"The safe holds {so} of them.", why)


SOFT = facts.run("postconf -h soft_bounce")
YES, NO = ("on", "yes", "y"), ("off", "no", "n")


def soft(said: str, have: Have, s: Settings) -> Verdict:
    """21: whether what would be refused for good is only put off."""
    so = output(have, SOFT) == "yes"
    if plain(said) not in YES + NO:
        raise CannotJudge("Answer with on or off.")
    return Verdict(
        plain(said) in (YES if so else NO), f"It is {'on' if so else 'off'}."
    )
