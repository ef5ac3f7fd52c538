"""The flow of mail over the last days: received, sent, refused, and with what points.

The journal is counted on the server, by the hour, because its lines would be too many
to carry; pandas then puts the hours together.  The mails of proofs count like others.
Manuals: journalctl(1), https://pandas.pydata.org/docs/ (pivot_table)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ispguide import facts
from ispguide.measures.refusals import refusal
from ispguide.measures.words import DAY, HOUR, count, said_by

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

_COUNT = r"""
import collections, json, re, subprocess, sys, time
# -g is left out: it is slower than looking at the lines here.
argv = ["journalctl", "-q", "--no-pager", "-o", "short-unix", "--since=-DAYSd",
        "-u", "postfix@-", "-u", "rspamd"]
counts = collections.Counter()
def kind_of(text):
    if "rspamd_task_write_log" in text:
        found = re.search(r"\(default: \S \([^)]*\): \[(-?[\d.]+)/", text)
        return found and "qid: <" in text and ("score", str(round(float(found[1]))))
    if "reject: " in text:
        found = re.search(r"reject: .*?: ((\d)[\d.]+ .*?);? from=<", text)
        if found:
            plain = re.sub(r"<[^>]*>", "<>", found[1])
            return ("later" if found[2] == "4" else "refused"), plain[:160]
    found = re.search(r"postfix/(\w+)\[.* status=(sent|bounced|expired)", text)
    if found and found[2] == "sent":
        return ("sent" if found[1] == "smtp" else "received"), ""
    return found and ("returned", "")
with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, errors="replace") as run:
    for line in run.stdout:
        if " status=" in line or "reject: " in line or "task_write_log" in line:
            kind = kind_of(line)
            if kind:
                counts[(int(float(line.split(None, 1)[0])) // 3600 * 3600, *kind)] += 1
print(json.dumps({"now": time.time(), "rows": [[*k, n] for k, n in sorted(counts.items())]}))
""".replace("DAYS", str(DAYS))

FLOW = facts.run("python3 -I -", _COUNT)


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
