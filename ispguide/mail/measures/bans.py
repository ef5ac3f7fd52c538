"""Who guesses passwords, who is shut out, and who reached the limit of letters.

Manuals: fail2ban-client(1), journalctl(1).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ispguide.engine import facts
from ispguide.engine.words import count, said_by

#: Who is shut out now: "jail address since + seconds = until", one a line.
BANNED = facts.run(
    "list=$(fail2ban-client status) || exit\n"
    "printf '%s\\n' \"$list\" | sed -n 's/.*Jail list:[[:space:]]*//p' | tr -d , |\n"
    "tr ' ' '\\n' | while read -r jail; do\n"
    '  fail2ban-client get "$jail" banip --with-time | sed "s/^/$jail /"\n'
    "done"
)
#: What fail2ban saw and did within a day, the newest lines of many.
SEEN = facts.run(
    "journalctl -u fail2ban -q -o short-unix --since=-1day --no-pager |\n"
    "grep -E '\\] (Found|Ban) ' | tail -n 5000; true"
)
ASKED = (BANNED, SEEN)

#: The jail of those who reached a limit: what stands in it are people, not addresses.
LIMITS = "ispguide-limits"
WEBMAIL = "roundcube-auth"
#: Jail → the door it watches, in words.
SERVICES = {
    "sshd": "SSH",
    "postfix-sasl": "sending",
    "dovecot": "reading",
    WEBMAIL: "webmail",
}
_BANNED = re.compile(r"(\S+) (\S+)\s+(\S+ \S+) \+ (-?\d+) = (.+)")
_SEEN = re.compile(r"(\d+)\.\d+ .* \[([\w-]+)\] (Found|Ban) (\S+)")


@dataclass(frozen=True)
class Ban:
    """Somebody who is shut out now; `until`: by the server's clock, or "ever"."""

    jail: str
    who: str
    since: str
    until: str

    @property
    def service(self) -> str:
        """At which door it happened."""
        return SERVICES.get(self.jail, self.jail)


@dataclass(frozen=True)
class Attempt:
    """A line of fail2ban's diary.  `what`: Found (a wrong guess) or Ban."""

    time: float
    jail: str
    what: str
    who: str


@dataclass(frozen=True)
class Guarding:
    """What is so now, and what happened within a day."""

    bans: tuple[Ban, ...]
    seen: tuple[Attempt, ...]

    def of(self, what: str, jail: str = "") -> list[Attempt]:
        """What was seen at a door, or at all doors; limits are no door."""
        return [
            g
            for g in self.seen
            if g.what == what and (g.jail == jail or (not jail and g.jail != LIMITS))
        ]

    @property
    def shut_out(self) -> list[Ban]:
        """Those who are shut out, without people at their limit."""
        return [ban for ban in self.bans if ban.jail != LIMITS]

    @property
    def stopped(self) -> list[str]:
        """People who reached a limit within a day."""
        return sorted({ban.who for ban in self.bans if ban.jail == LIMITS})

    @property
    def services(self) -> list[str]:
        """The jails, those without any guess too; the webmail's only if it has some."""
        seen = {g.jail for g in self.seen} - {LIMITS}
        mine = [jail for jail in SERVICES if jail in seen or jail != WEBMAIL]
        return [*mine, *sorted(seen - set(SERVICES))]


def bans(answer: Mapping[str, Any]) -> tuple[Ban, ...]:
    """Who is shut out, the latest first."""
    text = said_by(answer, "Who is shut out", "16")
    found = (_BANNED.fullmatch(line.strip()) for line in text.splitlines())
    rows = (
        Ban(m[1], m[2], m[3], "ever" if int(m[4]) < 0 else m[5]) for m in found if m
    )
    return tuple(sorted(rows, key=lambda ban: ban.since, reverse=True))


def guarding(banned: Mapping[str, Any], seen: Mapping[str, Any]) -> Guarding:
    """From both answers."""
    lines = said_by(seen, "What fail2ban saw", "16").splitlines()
    found = (_SEEN.match(line) for line in lines)
    rows = (Attempt(float(m[1]), m[2], m[3], m[4]) for m in found if m)
    return Guarding(bans(banned), tuple(rows))


def guard_words(now: Guarding) -> str:
    """How many guessed, and how many are shut out."""
    attempts, shut = now.of("Found"), now.of("Ban")
    who = {g.who for g in attempts}
    text = "Nobody guessed wrong within the last day."
    if attempts:
        text = (
            f"Within the last day {count(len(attempts), 'wrong guess', 'wrong guesses')} "
            f"from {count(len(who), 'address', 'addresses')}; "
            f"{count(len({g.who for g in shut}), 'was', 'were')} shut out."
        )
    out = sorted({ban.who for ban in now.shut_out})
    text += f" Shut out now: {', '.join(out) or 'nobody'}."
    if now.stopped:
        text += f" At their limit of letters: {', '.join(now.stopped)}."
    return text


def busiest(seen: Iterable[Attempt], most: int = 12) -> list[tuple[str, str, int]]:
    """(address, doors, guesses) of those who guessed most."""
    rows = list(seen)
    counts = Counter(g.who for g in rows)
    services: dict[str, set[str]] = {}
    for g in rows:
        services.setdefault(g.who, set()).add(SERVICES.get(g.jail, g.jail))
    return [
        (who, ", ".join(sorted(services[who])), number)
        for who, number in counts.most_common(most)
    ]


def ban_lines(rows: Sequence[Ban]) -> list[str]:
    """One line for each, for the command line."""
    return [
        f"{ban.who}  at its limit of letters since {ban.since}"
        if ban.jail == LIMITS
        else f"{ban.who}  {ban.service}, since {ban.since}, until {ban.until}"
        for ban in rows
    ] or ["Nobody is shut out."]
