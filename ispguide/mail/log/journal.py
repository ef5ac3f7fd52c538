"""What the server's journal says about mail, as data.

Pure: the text of journalctl goes in, lines and verdicts come out.  Knows the one line
in which rspamd tells how it judged, because both the journey of a mail and the plot
of the scores read it.
Manuals: journalctl(1) (short-unix), https://docs.rspamd.com/configuration/logging/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ispguide.engine.actions import quote

UNITS = ("postfix@-", "dovecot", "rspamd")
_LINE = re.compile(r"(\d+\.\d+) \S+ ([^\s\[:]+)(?:\[(\d+)\])?: (.*)")
_TASK = re.compile(
    r"rspamd_task_write_log: id: <(?P<id>[^>]*)>, (?:qid: <(?P<qid>[^>]*)>, )?"
    r".*?\(default: \S \((?P<action>[^)]*)\): \[(?P<score>-?[\d.]+)/(?P<limit>[\d.]+)\]"
    r" \[(?P<symbols>.*?)\]\), len: "
)
_SYMBOL = re.compile(r"([A-Z][A-Z0-9_]*)\((-?[\d.]+)\)\{([^{}]*)\}")


@dataclass(frozen=True)
class Line:
    """One line.  `time`: seconds since 1970 by the server's clock."""

    time: float
    program: str
    pid: str
    text: str

    def __str__(self) -> str:
        return f"{self.program}[{self.pid}]: {self.text}"


def about(*needles: str) -> str:
    """The command for the lines of the last minutes that hold one of these texts."""
    units = " ".join(f"-u {quote(unit)}" for unit in UNITS)
    wanted = " ".join(f"-e {quote(n)}" for n in needles)
    return (
        f"journalctl -q --no-pager -o short-unix --since=-3min {units} "
        f"| grep -F {wanted} | tail -n 80"
    )


def verdicts(count: int) -> str:
    """The command for rspamd's newest verdicts, without the rules: they are long."""
    return (
        f"journalctl -q --no-pager -o short-unix -u rspamd -r -n {count} "
        "-g rspamd_task_write_log | sed -E 's/ \\[[A-Z].*]\\), len: / []), len: /; s/, rcpts: .*//'"
    )


def lines(text: str) -> Iterator[Line]:
    """The lines of `journalctl -o short-unix`; what is none is left out."""
    for row in text.splitlines():
        if found := _LINE.match(row):
            yield Line(float(found[1]), found[2], found[3] or "", found[4])


@dataclass(frozen=True)
class Symbol:
    """A rule of rspamd that spoke, its points, and what it saw."""

    name: str
    points: float
    about: str = ""


@dataclass(frozen=True)
class Judged:
    """How rspamd judged one mail.  `limit`: from where it is refused."""

    time: float
    message_id: str
    queue_id: str
    action: str
    score: float
    limit: float
    symbols: tuple[Symbol, ...]


def judged(line: Line) -> Judged | None:
    """The verdict in a line of rspamd, the weightiest rules first."""
    if not (found := _TASK.search(line.text)):
        return None
    rules = _SYMBOL.findall(found["symbols"])
    symbols = [Symbol(name, float(p), about.strip("; ")) for name, p, about in rules]
    return Judged(
        line.time,
        found["id"],
        found["qid"] or "",
        found["action"],
        float(found["score"]),
        float(found["limit"]),
        tuple(sorted(symbols, key=lambda s: -abs(s.points))),
    )


def all_judged(found: Iterable[Line]) -> list[Judged]:
    """Every verdict among these lines, the oldest first."""
    return [verdict for line in found if (verdict := judged(line))]
