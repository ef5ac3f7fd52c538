"""Which lines of the journal belong to which letter, when only a word of it is known.

Pure.  The word may be an address, a Message-ID or a queue id.  Postfix's number stands
on its own lines, the Message-ID on rspamd's and Dovecot's, or else a session that Dovecot
told Postfix; so what is known leads to more, until nothing new is found.
A caller who was refused at the door got no number: his line stands alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ispguide.engine.actions import quote
from ispguide.mail.log import journal
from ispguide.mail.log.hops import Hop
from ispguide.mail.log.journal import Line
from ispguide.mail.log.meanings import ENDS, ONWARD, RULES

# The hops of a mail that only the server's journal tells: which lines are its own.
#
# Pure: lines go in, hops come out.  Postfix writes its number for the letter (queue id)
# on every line about it; Dovecot's lines are found by the session that Postfix quotes,
# because a letter may come without a Message-ID.
# Manuals: https://www.postfix.org/OVERVIEW.html, lmtp(8)


@dataclass(frozen=True)
class Message:
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


def of(lines: Sequence[Line], message: Message) -> list[Line]:
    """The lines about this letter alone."""
    sessions = {
        found[1]
        for line in lines
        if message.number and line.text.startswith(f"{message.number}: ")
        if (found := re.search(r"status=sent \(250 \S+ <[^>]*> (\S+) Saved", line.text))
    }
    marks = [message.mark, message.number, *sessions]
    return [line for line in lines if any(m and m in line.text for m in marks)]


def knock(lines: Sequence[Line], message: Message) -> list[Line]:
    """The line in which Postfix notes the stranger: the last before his letter's, by
    the same process; none when the journal does not have it."""
    mine = [line for line in of(lines, message) if line.program == "postfix/smtpd"]
    before = [
        line
        for line in lines
        if mine and line.pid == mine[0].pid and line.time <= mine[0].time
        if line.text.startswith("connect from ")
    ]
    return before[-1:]


def told(lines: Sequence[Line], message: Message, zero: float) -> list[Hop]:
    """The hops of this letter.  `zero`: the server's time when the stranger knocked."""
    return meant(of(lines, message), zero)


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


# Which lines of the journal belong to which letter, when only a word of it is known.


#: Most letters that one trace tells, the newest.
MOST = 12
#: How often what was found is followed to more.
ROUNDS = 4

#: Hexadecimal, or, with enable_long_queue_ids, letters without vowels.
_NUMBER = r"([0-9A-F]{6,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20})"
_NAMES = (
    rf"^{_NUMBER}: ",
    r"\bmessage-id=<?([^<>\s]+)",
    r"\bmsgid=<?([^<>\s:]+)",
    r"rspamd_task_write_log: id: <([^>]+)>",
    rf"\bqid: <{_NUMBER}>",
)
#: What ties Postfix's line to Dovecot's where a letter has no Message-ID.
_SESSION = (
    r"status=sent \(250 \S+ <[^>]*> (\S+) Saved",
    r"^lmtp\([^)]*\)<\d+><([^>]+)>",
)
#: Placeholders of letters without a name.
_NOBODY = {"undef", "unspecified", "(null)"}


def search(needles: Iterable[str], days: int) -> str:
    """The command for all lines of the last days that hold one of these words."""
    units = " ".join(f"-u {quote(unit)}" for unit in journal.UNITS)
    words = " ".join(f"-e {quote(n)}" for n in needles)
    return (
        f"journalctl -q --no-pager -o short-unix --since=-{days}d {units} "
        f"| grep -F -i {words} "
        "| grep -E ' (postfix[^ ]*|dovecot)\\[|rspamd_task_write_log' | tail -n 1500"
    )


def names(line: Line) -> list[str]:
    """The names of a letter in a line: queue ids and Message-IDs."""
    return _all(_NAMES, line)


def ties(line: Line) -> list[str]:
    """All by which it is tied to other lines of the same letter."""
    return _all((*_NAMES, *_SESSION), line)


def _all(patterns: Iterable[str], line: Line) -> list[str]:
    found = [m for pattern in patterns for m in re.findall(pattern, line.text)]
    return [name for name in dict.fromkeys(found) if name not in _NOBODY]


def holds(line: Line, what: str) -> bool:
    """Whether the word stands there by itself: anna@ is not joanna@."""
    alone = rf"(?<![\w.+-]){re.escape(what)}(?![\w-]|\.\w)"
    return bool(re.search(alone, line.text, re.I))


def refused(line: Line) -> bool:
    """Whether somebody was sent away before his letter had a number."""
    return line.text.startswith("NOQUEUE: ") and "reject: " in line.text


def newest(lines: Sequence[Line]) -> list[str]:
    """What ties the newest letters in these lines to others."""
    groups = sorted(messages(lines), key=lambda group: group[-1].time)[-MOST:]
    return list(dict.fromkeys(n for g in groups for line in g for n in ties(line)))


def messages(lines: Iterable[Line]) -> list[list[Line]]:
    """The lines, a list for each letter, in the order of their first lines."""
    lines = sorted(set(lines), key=lambda line: line.time)
    leader: dict[str, str] = {}

    def first(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    for line in lines:
        for name in (own := ties(line))[1:]:
            leader[first(name)] = first(own[0])
    groups: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if own := ties(line):
            groups[first(own[0])].append(line)
        elif refused(line):
            groups[f"{line.time} {line.pid} {line.text}"].append(line)
    return list(groups.values())
