"""The flow of mail over the last days: received, sent, refused, and with what points.

The journal is counted on the server, by the hour, because its lines would be too many
to carry; pandas then puts the hours together.  The mails of proofs count like others.
Manuals: journalctl(1), https://pandas.pydata.org/docs/ (pivot_table)
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ispguide.engine import facts
from ispguide.engine.words import DAY, HOUR, count, said_by, span
from ispguide.mail.log import journal

# Why a letter was refused at the door, in words: from what Postfix answered.
#
# Sources: RFC 3463 (the numbers with dots), postconf(5) smtpd_*_restrictions.


@dataclass(frozen=True)
class Refusal:
    """A kind of refusal: `short` for a picture, `words` for a newcomer."""

    pattern: str
    short: str
    words: str


REFUSALS = (
    Refusal(r"User unknown", "nobody of this name",
            "Nobody of this name lives here. If somebody should, a mailbox or an alias is missing."),
    Refusal(r"Relay access denied", "not for us",
            "The letter was for another server. Ours carries strangers' letters to nobody else."),
    Refusal(r"block ?list|blocked using|\blisted\b", "on a block list",
            "The caller's address stands on a block list, as machines do that send spam. "
            "An honest caller asks that list to be taken off."),
    Refusal(r"try again later|greylist", "grey list",
            "The spam filter does not know the caller yet and was not sure. It asked him to "
            "come again; real mail servers do so within minutes, most robots never."),
    Refusal(r"gtube|spam", "spam", "The spam filter was certain that it is spam."),
    Refusal(r"not owned by user", "another's name",
            "Who was logged in wrote a sender that is not his: neither his mailbox nor an alias of it."),
    Refusal(r"not logged in|authentication required", "no login",
            "At this door, only who has logged in may send."),
    Refusal(r"quota|mailbox.*full|4\.2\.2|5\.2\.2", "mailbox full",
            "The mailbox is full. Its owner deletes something, or gets more room."),
    Refusal(r"size|too (?:large|big)", "too large", "The letter is larger than what is taken here."),
    Refusal(r"reverse|cannot find your hostname", "no reverse name",
            "The caller's address has no name, or one that does not lead back to it."),
    Refusal(r"domain not found", "no such sender",
            "The sender's domain is not in the DNS, so nobody could be answered."),
    Refusal(r"helo|fully-qualified|hostname", "a bad introduction",
            "The caller did not say a proper name of his own."),
    Refusal(r"dmarc|\bspf\b|dkim", "forged", "The letter is not vouched for by the domain it claims."),
    Refusal(r"rate|too many|limit", "too many at once", "Too many letters came in too short a time."),
    Refusal(r"pipelining|protocol", "bad manners",
            "The caller does not wait for answers, as only robots do."),
    Refusal(r"unavailable|milter|4\.3\.", "not ready",
            "A part of this server was not ready, so the caller was asked to come again. No mail is lost by that."),
)  # fmt: skip

OTHER = Refusal("", "other reasons", "")


def refusal(said: str) -> Refusal:
    """The kind of refusal in an answer of Postfix; OTHER where no pattern fits."""
    # Addresses are taken out first: somebody may be called spam@.
    plain = re.sub(r"<[^>]*>", "", said)
    found = (r for r in REFUSALS if re.search(r.pattern, plain, re.I))
    return next(found, OTHER)


# The flow of mail over the last days: received, sent, refused, and with what points.


#: How far back is looked.
DAYS = 7

#: kind → its word in the picture, in the order of the bars.
KINDS = {
    "received": "received",
    "sent": "sent",
    "refused": "refused",
    "later": "told to come again",
    "returned": "came back",
}

FLOW = facts.probe("flow", str(DAYS))


@dataclass(frozen=True)
class Flow:
    """Counted mail.  `rows`: (hour in s since 1970, kind, detail, number)."""

    now: float
    rows: tuple[tuple[int, str, str, int], ...]

    def of(self, kind: str) -> int:
        """How many of this kind."""
        return sum(n for _, k, _, n in self.rows if k == kind)

    def by_time(self, timezone: str) -> Any:
        """A DataFrame: a row per day (per hour while there is one day), a column per
        kind; the clock is the server's."""
        import pandas

        frame = self._frame(list(KINDS))
        local = pandas.to_datetime(frame["time"], unit="s", utc=True)
        frame["time"] = local.dt.tz_convert(timezone).dt.floor(self._grain())
        table = frame.pivot_table("number", "time", "kind", "sum", fill_value=0)
        whole = pandas.date_range(
            table.index.min(), table.index.max(), freq=self._grain()
        )
        return table.reindex(index=whole, columns=list(KINDS), fill_value=0)

    def _frame(self, kinds: list[str]) -> Any:
        import pandas

        rows = [row for row in self.rows if row[1] in kinds]
        return pandas.DataFrame(rows, columns=["time", "kind", "detail", "number"])

    def _grain(self) -> str:
        times = [hour for hour, kind, *_ in self.rows if kind in KINDS]
        return "h" if not times or max(times) - min(times) < DAY + HOUR else "D"

    def reasons(self) -> Any:
        """A Series: refusals by their reason in words, the most frequent first."""
        frame = self._frame(["refused", "later"])
        names = frame["detail"].map(lambda said: refusal(said).short)
        return frame.groupby(names)["number"].sum().sort_values(ascending=False)

    def points(self) -> Any:
        """A Series: mails by rspamd's points, rounded."""
        frame = self._frame(["score"])
        return frame.groupby(frame["detail"].astype(int))["number"].sum().sort_index()


def flow(answer: Mapping[str, Any]) -> Flow:
    """What the server counted."""
    told = json.loads(said_by(answer, "The flow of mail", "06"))
    return Flow(told["now"], tuple((h, k, d, n) for h, k, d, n in told["rows"]))


def flow_words(seen: Flow) -> str:
    """The numbers in a sentence."""
    if not any(seen.of(kind) for kind in KINDS):
        return "No mail came or went in the last days, or the journal is gone."
    parts = [f"{seen.of(kind)} {word}" for kind, word in KINDS.items() if seen.of(kind)]
    text = f"In the last {count(DAYS, 'day', 'days')}: {', '.join(parts)}."
    if refused := seen.of("refused") + seen.of("later"):
        why = seen.reasons()
        text += f" The most frequent reason to refuse: {why.index[0]} ({why.iloc[0]} of {refused})."
    return text


# Postfix's queue: who waits, how long already, and why.
#
# Manuals: postqueue(1) (-j), qmgr(8), bounce(5).


QUEUE = facts.run("date +%s; postqueue -j")


@dataclass(frozen=True)
class Waiting:
    """A mail in Postfix's queue.  `age` in seconds; `reason`: why it still waits."""

    number: str
    queue: str
    age: float
    sender: str
    recipients: tuple[str, ...]
    reason: str = ""


def waiting(answer: Mapping[str, Any]) -> list[Waiting]:
    """The queue, the oldest first."""
    clock, *rows = said_by(answer, "The queue", "06").splitlines()
    found = [_waiting(json.loads(row), float(clock)) for row in rows]
    return sorted(found, key=lambda mail: -mail.age)


def _waiting(row: Mapping[str, Any], now: float) -> Waiting:
    to = row["recipients"]
    reasons = [r["delay_reason"] for r in to if "delay_reason" in r]
    return Waiting(
        row["queue_id"],
        row["queue_name"],
        max(now - row["arrival_time"], 0.0),
        row["sender"],
        tuple(r["address"] for r in to),
        reasons[0] if reasons else "",
    )


#: Pattern in Postfix's reason → what it means.
REASONS = (
    (r"private/dovecot|lmtp", "Dovecot does not take it"),
    (r"timed out", "the other server does not answer"),
    (r"refused", "nobody listens at the other server"),
    (r"lost connection|hung up", "the other server hung up in the middle"),
    (r"host not found|name service|not found, try again", "its name cannot be looked up in the DNS"),
    (r"no route|unreachable", "there is no way to the other server"),
    (r"grey|try again later|4\.7\.1", "the other server asked to come again later"),
    (r"over ?quota|mailbox.*full|4\.2\.2", "the mailbox is full"),
    (r"tls|certificate", "they cannot agree on encryption"),
    (r"said: 4\d\d", "the other server says: not now"),
)  # fmt: skip


def meaning(reason: str) -> str:
    """Postfix's reason in words; its own where no pattern fits."""
    for pattern, words in REASONS:
        if re.search(pattern, reason, re.I):
            return words
    return reason or "it is being delivered just now"


def queue_words(rows: Sequence[Waiting]) -> str:
    """How many, how old, and why."""
    if not rows:
        return "The queue is empty: whatever was taken has been delivered."
    why = Counter(meaning(row.reason) for row in rows).most_common()
    reasons = "; ".join(f"{number} because {words}" for words, number in why)
    return (
        f"{count(len(rows), 'mail waits', 'mails wait')}, the oldest for "
        f"{span(rows[0].age)}: {reasons}. Postfix tries again by itself for five days."
    )


# What rspamd thought of the last mails.
#
# Manuals: https://docs.rspamd.com/ (actions), journalctl(1).


#: How many verdicts are asked for.
NEWEST = 60
VERDICTS = facts.run(journal.verdicts(NEWEST))


def scores(answer: Mapping[str, Any]) -> list[journal.Judged]:
    """rspamd's newest verdicts, the oldest first."""
    text = said_by(answer, "What rspamd judged", "13")
    return sorted(journal.all_judged(journal.lines(text)), key=lambda one: one.time)


def score_words(rows: Sequence[journal.Judged]) -> str:
    """How many went which way."""
    if not rows:
        return (
            "rspamd has judged no mail yet, or its journal is gone. Send one: "
            "the journey of a mail does."
        )
    ways = {"reject": "refused", "add header": "put into Junk", "no action": "let in"}
    went = Counter(ways.get(row.action, "told to come again") for row in rows)
    parts = ", ".join(f"{n} {way}" for way, n in went.most_common())
    return f"Of the last {count(len(rows), 'mail', 'mails')}: {parts}."
