"""The MTA-STS policy: its text, its id, and how another server reads it.

It says: speak TLS with us, to these servers, and check their names.  The id in the DNS
is made from the text, so it changes exactly when the policy does.  Pure.
Source: RFC 8461 3.1 (record), 3.2 (policy), 4.1 (names), 8.3 (taking it back).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from ispguide.settings import Settings

PREFIX = "mta-sts"
PATH = "/.well-known/mta-sts.txt"
DAY = 86400
#: How long others keep the policy, in seconds: shortly while it may still be wrong.
KEPT = {"none": DAY, "testing": DAY, "enforce": 14 * DAY}


def policy(s: Settings) -> str:
    """The text that is served; lines end as the RFC wants it."""
    lines = ("version: STSv1", f"mode: {s.sts}", f"mx: {s.hostname}",
             f"max_age: {KEPT[s.sts]}")  # fmt: skip
    return "".join(f"{line}\n" for line in lines)


def text(s: Settings) -> str:
    """The record that says: there is a policy, and this is its edition."""
    mark = hashlib.sha256(policy(s).encode()).hexdigest()[:16]
    return f"v=STSv1; id={mark};"


@dataclass(frozen=True)
class Policy:
    """As another server understands it.  `why`: what is wrong with it, if anything."""

    mode: str = ""
    mx: tuple[str, ...] = ()
    max_age: int = 0
    why: str = ""
    rest: Mapping[str, str] = field(default_factory=dict)

    def lets(self, host: str) -> bool:
        """Whether mail may be brought to this server: a star stands for one label."""
        own = host.rstrip(".").lower()
        above = own.partition(".")[2]
        return any(own == m or (m.startswith("*.") and above == m[2:]) for m in self.mx)


def read(body: str) -> Policy:
    """The policy in a text; `why` says in a sentence when it is none."""
    pairs = [line.partition(":") for line in body.splitlines() if line.strip()]
    rows = [(name.strip(), value.strip()) for name, _, value in pairs]
    rest = dict(reversed(rows))  # of a key that comes twice, the first counts
    mx = tuple(value.lower() for name, value in rows if name == "mx")
    mode, age = rest.get("mode", ""), rest.get("max_age", "")
    if rest.get("version") != "STSv1":
        return Policy(why="It does not say version: STSv1.")
    if mode not in KEPT:
        return Policy(why=f"Its mode is {mode!r}.")
    if not age.isdigit() or len(age) > 10:
        return Policy(why=f"Its max_age is {age!r}.")
    if not mx and mode != "none":
        return Policy(why="It names no server (mx).")
    return Policy(mode, mx, int(age), "", rest)
