"""DMARC reports as a picture and tables.  Pure; everything in them is escaped."""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape
from typing import Any

from ispguide.dmarc.reports import Aggregate, Row
from ispguide.dmarc.summing import Source, advice, lines, sources
from ispguide.notebook import frame
from ispguide.notebook.pictures import plot
from ispguide.tasks_dmarc import Reports

#: More senders would be too small to read; the table has all.
MOST = 10
#: More reports than that are not listed row by row.
LISTED = 30


def state(found: Reports) -> tuple[str, str]:
    """(state, words) for the card's heading."""
    if not found.reports:
        return "unknown", "no report has come yet"
    total = sum(r.count for r in found.reports)
    failed = sum(s.failed for s in sources(found.reports, found.own) if s.ours)
    words = f"{len(found.reports)} reports about {total} letters"
    return ("gap" if failed else "ok"), words


def reports_html(found: Reports) -> str:
    """What to do, who sent in your name, and the reports one by one."""
    said = f"<p>{escape(advice(list(found.reports), found.own, found.policy))}</p>"
    others = f"<p>{len(found.others)} letters at {escape(found.address)} held no report: {escape(found.others[0])}.</p>" if found.others else ""  # fmt: skip
    if not found.reports:
        return said + others
    who = sources(found.reports, found.own)
    drawn = plot.draw(
        lambda axes: draw(axes, who[:MOST]),
        "Letters in your name, by the machine that sent them",
        "; ".join(lines(found.reports, found.own)[:MOST]),
        0.9 + 0.42 * min(len(who), MOST),
    )
    table = _table(("address", "who", "letters", "vouched for", "not", "signed by"), map(_source, who))  # fmt: skip
    single = "".join(_report(r) for r in found.reports[:LISTED])
    folded = frame.fold("the reports, one by one", single)
    return said + drawn + table + folded + others


def draw(axes: Any, who: Sequence[Source]) -> None:
    """A bar a sender: what was vouched for, and after it, hatched, what was not."""
    names = [
        f"{s.address}\n{'this server' if s.ours else 'somebody else'}" for s in who
    ]
    passed, failed = [s.passed for s in who], [s.failed for s in who]
    axes.barh(names, passed, height=0.55, color=plot.GOOD, label="vouched for")
    bars = axes.barh(names, failed, height=0.55, left=passed, color="none",
                     edgecolor=plot.BAD, hatch="///", label="not vouched for")  # fmt: skip
    axes.bar_label(bars, [f"{s.passed} and {s.failed}" for s in who], padding=6)
    axes.set_xlim(0, max(s.count for s in who) * 1.2)
    axes.invert_yaxis()
    axes.set_xlabel("letters")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    # After the legend, which takes its samples from the first bars.
    for bar, s in zip(bars, who, strict=True):
        bar.set_visible(bool(s.failed))  # one of no width is still a line


def _source(s: Source) -> tuple[str, ...]:
    who = "this server" if s.ours else "somebody else"
    return (
        s.address,
        who,
        str(s.count),
        str(s.passed),
        str(s.failed),
        ", ".join(s.names),
    )


def _report(report: Aggregate) -> str:
    begin, end = (
        time.strftime("%d %b %Y", time.gmtime(t)) for t in (report.begin, report.end)
    )
    title = f"{report.org}, {begin}" + (f" to {end}" if end != begin else "")
    heads = ("from", "letters", "DKIM", "SPF", "what they did", "why")
    return frame.heading(title, level=6) + _table(
        heads, map(_row, report.rows[:LISTED])
    )


def _row(row: Row) -> tuple[str, ...]:
    signed = ", ".join(f"{d}: {said}" for d, _, said in row.signed) or "unsigned"
    sent = f"{row.sent[0]}: {row.sent[1]}"
    return (
        row.address,
        str(row.count),
        f"{'✓' if row.dkim else '✗'} {signed}",
        f"{'✓' if row.spf else '✗'} {sent}",
        row.done,
        ", ".join(row.reasons),
    )


def _table(heads: Sequence[str], rows: Any) -> str:
    top = "".join(f'<th scope="col">{head}</th>' for head in heads)
    cells = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{cells}</tbody></table>"


def reports_text(found: Reports) -> str:
    """The same for a terminal."""
    said = advice(list(found.reports), found.own, found.policy)
    return "\n".join([*lines(found.reports, found.own), said])
