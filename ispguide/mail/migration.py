"""Where a move stands, and what comes next.  Pure.

It follows from the last look at both servers, so it can be left at any moment and gone
on with next week, from another computer.  Only two things are remembered, because they
cannot be seen: when letters were last fetched, and when the old door was closed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ispguide.engine import facts
from ispguide.engine.actions import Run, marker, quote
from ispguide.engine.facts import Have, Ran

# How the older server is reached, and what the move's files are called.  Pure.
#
# It is reached by root over SSH, with a key made for this purpose and a host key that
# the reader compared.  Sources: ssh_config(5), doveadm-sync(1).


KEY = "/etc/ispguide/old_ed25519"
KNOWN = "/etc/ispguide/old_known_hosts"
ALIAS = "ispguide-old"
SSH = "/etc/ssh/ssh_config.d/ispguide-old.conf"
PROGRAM = "/usr/local/sbin/ispguide-move"
#: What the last look at both servers found.
STATE = "/var/lib/ispguide/moving.json"


# Where a move stands, and what comes next.  Pure.


#: What may be done next, in order, and what it is called.
STAGES = {
    "people": "bring domains, mailboxes, forwardings and address books",
    "keys": "bring the keys that sign, certificates, and what the spam filter has learned",
    "mail": "fetch the letters",
    "close": "close the old server's door",
    "last": "fetch what came meanwhile",
    "names": "let the names lead here",
    "finish": "refuse for good again",
    "done": "nothing: the move is over",
}
WORDS = facts.run(f"cat {STATE}")
#: A look as a question: quick enough nearly always, and no entry in the ledger.
LOOK = facts.run(f"{PROGRAM} look")
#: Each stage → the word of the program that does it.
VERBS = {"people": "people", "keys": "keys", "mail": "mail", "close": "close",
         "last": "mail", "finish": "finish"}  # fmt: skip
HOURS = 3600


@dataclass(frozen=True)
class Row:
    """A mailbox: how many letters are there, and how many here."""

    address: str
    there: int
    here: int

    @property
    def whole(self) -> bool:
        return self.here >= self.there


@dataclass(frozen=True)
class Move:
    """`next`: one of STAGES.  `why`: what is so.  `waiting`: letters in the old queue."""

    next: str
    why: str
    rows: tuple[Row, ...]
    open: bool
    waiting: int

    @property
    def doable(self) -> bool:
        """Whether the program can do it; the names are published by chapter 14."""
        return self.next in VERBS

    @property
    def messages(self) -> tuple[int, int]:
        """All letters there, and here."""
        return sum(r.there for r in self.rows), sum(r.here for r in self.rows)


def state_of(have: Have) -> dict[str, Any]:
    """What the last look found; {} when there was none."""
    ran = Ran.of(have[WORDS])
    found: dict[str, Any] = json.loads(ran.out) if ran.ok else {}
    return found


def move(state: Mapping[str, Any], named: bool) -> Move:
    """Where it stands.  `named`: whether the names in the DNS lead here."""
    counted = state["letters"].items()
    rows = tuple(Row(who, int(n), int(m)) for who, (n, m) in sorted(counted))
    old = state["old"]
    next_, why = _next(state, rows, named)
    return Move(next_, why, rows, bool(old["open"]), int(old["queue"]))


def _next(
    state: Mapping[str, Any], rows: tuple[Row, ...], named: bool
) -> tuple[str, str]:
    lack = [f"{len(v)} {kind}" for kind, v in state["missing"].items() if v]
    if lack:
        return "people", f"Not here yet: {', '.join(lack)}."
    if waits := _keys(state):
        return "keys", f"Not here yet: {', '.join(waits)}."
    if state["old"]["open"] and not state["closed"]:
        return _while_open(state, rows)
    return _when_closed(state, rows, named)


def _keys(state: Mapping[str, Any]) -> list[str]:
    """What of the old server's own is not here yet."""
    signs = [f"the key that signs for {domain}" for domain in state["keys"]]
    trust = [f"the certificate of {name}" for name in state.get("certificates", ())]
    learned = [] if state["learned"] else ["what the spam filter has learned"]
    return [*signs, *trust, *learned]


def _while_open(state: Mapping[str, Any], rows: tuple[Row, ...]) -> tuple[str, str]:
    """The old server works on; letters are fetched beside its work."""
    behind = sum(max(0, r.there - r.here) for r in rows)
    if not state["round"]:
        return "mail", "No letter was fetched yet. The old server works on meanwhile."
    why = (
        f"{behind} letters have come there since."
        if behind
        else "All letters are here."
    )
    return "close", why + " From now on it is quick: close the door, fetch the rest."


def _when_closed(
    state: Mapping[str, Any], rows: tuple[Row, ...], named: bool
) -> tuple[str, str]:
    """Nobody brings letters to the old server any more; they wait at their senders."""
    late = [r.address for r in rows if not r.whole]
    if state["round"] < state["closed"] or late:
        many = f"{len(late)} mailboxes lack letters." if late else "Some may have come."
        return "last", f"The old door is closed. {many}"
    if not named:
        return (
            "names",
            "All letters are here. The names in the DNS should lead here now.",
        )
    if state["soft"]:
        return "finish", "The names lead here, and all letters came. Nothing is refused for good yet."  # fmt: skip
    return "done", "All letters are here, and the names lead here."


def look() -> Run:
    """Both servers, counted, where that takes longer than a question may."""
    return Run(f"{PROGRAM} look", seconds=HOURS)


def act(stage: str) -> Run:
    """What a stage does."""
    return Run(f"{PROGRAM} {VERBS[stage]}", seconds=48 * HOURS)


#: The password at another provider, for as long as it is asked there.
THERE = "imap-there"


def from_provider(address: str, host: str, port: int, user: str) -> Run:
    """One mailbox from a provider that only speaks IMAP."""
    words = " ".join(map(quote, (address, host, str(port), user)))
    return Run(
        f"{PROGRAM} imap {words}", stdin=f"{marker(THERE)}\n", seconds=24 * HOURS
    )
