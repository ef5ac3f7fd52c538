"""The hops of a mail that only the server's journal tells: which lines are its own.

Pure: lines go in, hops come out.  Postfix writes its number for the letter (queue id)
on every line about it; Dovecot's lines are found by the session that Postfix quotes,
because a letter may come without a Message-ID.
Manuals: https://www.postfix.org/OVERVIEW.html, lmtp(8)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ispguide.journal import Line
from ispguide.journey.hop import Hop
from ispguide.journey.meanings import ENDS, RULES
from ispguide.journey.onward import ONWARD


@dataclass(frozen=True)
class Letter:
    """How one letter is told from others.  `mark`: a word in its Message-ID and in
    the name the stranger gave.  `number`: its queue id, "" while it is not known."""

    mark: str
    number: str = ""


def number(lines: Iterable[Line], mark: str) -> str:
    """The queue id of the letter with this mark, "" when Postfix never gave it one."""
    for line in lines:
        found = re.match(r"(?!NOQUEUE)([0-9A-Za-z]{6,}): ", line.text)
        if found and mark in line.text and line.program.startswith("postfix/"):
            return found[1]
    return ""


def of(lines: Sequence[Line], letter: Letter) -> list[Line]:
    """The lines about this letter alone."""
    sessions = {
        found[1]
        for line in lines
        if letter.number and line.text.startswith(f"{letter.number}: ")
        if (found := re.search(r"status=sent \(250 \S+ <[^>]*> (\S+) Saved", line.text))
    }
    marks = [letter.mark, letter.number, *sessions]
    return [line for line in lines if any(m and m in line.text for m in marks)]


def knock(lines: Sequence[Line], letter: Letter) -> list[Line]:
    """The line in which Postfix notes the stranger: the last before his letter's, by
    the same process; none when the journal does not have it."""
    mine = [line for line in of(lines, letter) if line.program == "postfix/smtpd"]
    before = [
        line
        for line in lines
        if mine and line.pid == mine[0].pid and line.time <= mine[0].time
        if line.text.startswith("connect from ")
    ]
    return before[-1:]


def told(lines: Sequence[Line], letter: Letter, zero: float) -> list[Hop]:
    """The hops of this letter.  `zero`: the server's time when the stranger knocked."""
    return meant(of(lines, letter), zero)


def meant(lines: Iterable[Line], zero: float) -> list[Hop]:
    """What these lines mean.  Of two in a row that mean the same, one hop tells."""
    hops: list[Hop] = []
    for hop in _each(lines, zero):
        if hops and (hops[-1].who, hops[-1].what) == (hop.who, hop.what):
            both = f"{hops[-1].detail}\n{hop.detail}"
            hops[-1] = replace(hops[-1], detail=both)
        else:
            hops.append(hop)
    return hops


def _each(lines: Iterable[Line], zero: float) -> Iterator[Hop]:
    for line in lines:
        for program, pattern, build in (*ONWARD, *RULES):
            found = re.search(pattern, line.text)
            if found and re.fullmatch(program, line.program):
                yield build(line.time - zero, line, found)
                break


def ended(hops: Iterable[Hop]) -> bool:
    """Whether the journal tells nothing more of it within this minute."""
    return any(h.who == "postfix" and h.what in ENDS for h in hops)
