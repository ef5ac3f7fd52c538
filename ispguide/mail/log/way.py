"""A letter's way as the journal tells it: the hops, and what became of it for whom.

Pure: the lines of one letter go in.  Where the log ends, the way ends: what another
server did with a letter it took stands in that server's log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ispguide.mail.log import trace
from ispguide.mail.log.hops import Hop
from ispguide.mail.log.journal import Line
from ispguide.mail.log.trace import names
from ispguide.mail.log.traffic import meaning, refusal

#: Shape and word of what became of a letter.
FATES = {
    "delivered": ("✓", "delivered"),
    "junk": ("▽", "filed as spam"),
    "passed": ("➜", "passed on"),
    "waits": ("‖", "waits"),
    "later": ("‖", "told to come again"),
    "refused": ("✗", "refused"),
    "returned": ("✗", "came back"),
    "unknown": ("?", "its end is not in the log"),
}


@dataclass(frozen=True)
class End:
    """What became of the letter for one recipient."""

    to: str
    fate: str
    words: str


@dataclass(frozen=True)
class Way:
    """`begin`: seconds since 1970; the hops count from there."""

    begin: float
    names: tuple[str, ...]
    sender: str
    ends: tuple[End, ...]
    hops: tuple[Hop, ...]

    @property
    def fate(self) -> str:
        """What most needs somebody's eye."""
        order = ("returned", "refused", "waits", "later", "unknown", "junk", "passed")
        found = {end.fate for end in self.ends}
        return next((fate for fate in order if fate in found), "delivered")


def way(lines: Sequence[Line]) -> Way:
    """From the lines of one letter, in order."""
    begin = lines[0].time
    known = tuple(dict.fromkeys(name for line in lines for name in names(line)))
    ends = tuple(_ends(lines)) or (End("", "unknown", _NO_END),)
    return Way(begin, known, _sender(lines), ends, tuple(trace.meant(lines, begin)))


_NO_END = (
    "The journal tells nothing of its end: it is under way, or the lines are gone."
)


def _sender(lines: Sequence[Line]) -> str:
    text = "\n".join(line.text for line in lines)
    found = re.search(r"\bfrom=<([^>]*)>|\bfrom: <([^>]*)>", text)
    return (found[1] or found[2] or "<> (a notice of a server)") if found else ""


def _ends(lines: Sequence[Line]) -> Iterator[End]:
    """The last word about each recipient."""
    last: dict[str, End] = {}
    for line in lines:
        if end := _refused(line) or _delivered(line, lines):
            last[end.to] = end
    yield from last.values()


def _refused(line: Line) -> End | None:
    found = re.search(
        r"reject: .*?: ((\d)[\d.]+ .*?);? from=<[^>]*>(?: to=<([^>]*)>)?", line.text
    )
    if not found:
        return None
    words = refusal(found[1]).words or f"Postfix said: {found[1]}."
    later = found[2] == "4"
    return End(found[3] or "", "later" if later else "refused", words)


_STATUS = re.compile(
    r"^\w+: to=<(?P<to>[^>]*)>, (?:orig_to=<(?P<orig>[^>]*)>, )?relay=(?P<relay>[^,]+),.* "
    r"status=(?P<status>\w+) \((?P<why>.*)\)"
)


def _delivered(line: Line, lines: Sequence[Line]) -> End | None:
    found = _STATUS.match(line.text)
    if not found:
        return None
    to, moved = found["to"], f" ({found['orig']} leads there)" if found["orig"] else ""
    match found["status"]:
        case "deferred":
            again = "Postfix tries again by itself, for five days."
            return End(
                to, "waits", f"It waits, because {meaning(found['why'])}. {again}"
            )
        case "bounced" | "expired":
            why = meaning(found["why"])
            return End(
                to,
                "returned",
                f"It could not be delivered: {why}. The sender was told.",
            )
        case "sent" if line.program == "postfix/smtp":
            relay = found["relay"].partition("[")[0]
            return End(
                to,
                "passed",
                f"{relay} took it for {to}{moved}. What it did with it, its log tells.",
            )
    return _filed(to, moved, found["why"], lines)


def _filed(to: str, moved: str, why: str, lines: Sequence[Line]) -> End:
    """In which folder Dovecot laid it: found by the session that it told Postfix."""
    session = re.search(r"> (\S+) Saved", why)
    text = "\n".join(x.text for x in lines if session and f"<{session[1]}>" in x.text)
    if sent_on := re.findall(r"forwarded to <([^>]*)>", text):
        words = f"A filter rule of {to} sent it on to {', '.join(sent_on)}{moved}."
        return End(to, "passed", words)
    folders = re.findall(r"(?:stored|saved) mail into (?:mailbox )?'([^']+)'", text)
    where = " and ".join(dict.fromkeys(folders)) or "INBOX"
    if where == "Junk":
        return End(
            to,
            "junk",
            f"It lies in the folder Junk of {to}{moved}: it looked like spam.",
        )
    return End(to, "delivered", f"It lies in the folder {where} of {to}{moved}.")
