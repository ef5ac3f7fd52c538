"""What many reports say together: who sent in your name, and what to do about it.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ispguide.dmarc.reports import Aggregate, Row


@dataclass(frozen=True)
class Source:
    """All letters from one address, in all reports."""

    address: str
    ours: bool
    count: int
    passed: int
    names: tuple[str, ...]

    @property
    def failed(self) -> int:
        return self.count - self.passed


def sources(reports: Iterable[Aggregate], own: Iterable[str]) -> list[Source]:
    """Who sent in the domain's name, most letters first.  `own`: our addresses."""
    by: dict[str, list[Row]] = {}
    for report in reports:
        for row in report.rows:
            by.setdefault(row.address, []).append(row)
    mine = set(own)
    found = [
        Source(
            address,
            address in mine,
            sum(r.count for r in rows),
            sum(r.count for r in rows if r.passed),
            tuple(sorted({d for r in rows for d, _, said in r.signed if said == "pass"})),
        )
        for address, rows in by.items()
    ]  # fmt: skip
    return sorted(found, key=lambda s: (-s.count, s.address))


def advice(reports: list[Aggregate], own: Iterable[str], policy: str) -> str:
    """Whether the policy may be raised, by what the reports say."""
    found = sources(reports, own)
    total = sum(s.count for s in found)
    if not total:
        return "No report has come yet. Providers send them once a day, and only when they saw letters in your name. Wait for two weeks of them."
    if bad := [s for s in found if s.ours and s.failed]:
        return f"{bad[0].failed} letters from your own server failed. Mend that first: run the proofs of this chapter. Do not raise the policy now."
    if half := [s for s in found if not s.ours and 0 < s.passed < s.count]:
        return f"Some letters from {half[0].address} are vouched for and some are not: perhaps a service that sends for you. Find out who that is before you raise the policy."
    if policy == "reject":
        return "All letters of your own are vouched for, and forgeries are refused. Look in once a month."
    following = {"": "quarantine", "none": "quarantine", "quarantine": "reject"}[policy]
    strangers = sum(s.failed for s in found)
    return f"All letters from your own server are vouched for; {strangers} letters of others are not. If you know none of those others, raise the policy to {following}."


def lines(reports: Iterable[Aggregate], own: Iterable[str]) -> list[str]:
    """Who sent in the domain's name, one address a line, for a terminal."""
    found = [
        f"{s.address:39} {'this server' if s.ours else 'somebody else':14}"
        f"{s.count:7} letters, {s.passed:7} vouched for"
        for s in sources(reports, own)
    ]
    return found or ["No reports."]


#: What a domain may ask for: the word, what others do, when to go on from there.
LADDER = (
    ("none", "Take it, and tell me.", "Stay for two weeks of reports. Find everybody who sends in your name: the shop, the newsletter, the printer."),
    ("quarantine", "Put it into Junk.", "Stay for two more weeks. If somebody misses letters, go back one step: it takes effect as soon as the old record is forgotten."),
    ("reject", "Refuse it.", "Stay here, and look at the reports once a month."),
)  # fmt: skip
