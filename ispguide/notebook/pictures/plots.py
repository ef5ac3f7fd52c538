"""The four plots as HTML: words, the picture, and its numbers as a table.

Nothing to draw is said in words, and why that is so.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from ispguide.journal import Judged
from ispguide.measures import certificate, mailboxes, queue, scores
from ispguide.measures.words import amount, span
from ispguide.notebook.pictures import axes, plot
from ispguide.settings import Settings

#: More mailboxes would be too small to read; the table has all.
MOST = 12


def queue_html(rows: Sequence[queue.Waiting]) -> str:
    """How many wait, by age; why, in words and in the table."""
    words = queue.queue_words(rows)
    if not rows:
        return plot.with_table("", words, (), ())
    drawn = plot.draw(lambda a: axes.ages(a, rows), "The queue by age", words)
    heads = ("waits for", "to", "from", "why", "Postfix's own words")
    return plot.with_table(drawn, words, heads, (_waits(row) for row in rows))


def _waits(row: queue.Waiting) -> tuple[str, ...]:
    sender = row.sender or "(a bounce)"
    to = ", ".join(row.recipients)
    return span(row.age), to, sender, queue.meaning(row.reason), row.reason


def scores_html(seen: tuple[Sequence[Judged], Settings]) -> str:
    """Each mail's points, and the lines from which Junk and refusal begin."""
    rows, s = seen
    words = scores.score_words(rows)
    if not rows:
        return plot.with_table("", words, (), ())
    words += f" Junk begins at {s.junk_score} points, refusal at {s.reject_score}."
    title = "Spam scores of the last mails"
    drawn = plot.draw(lambda a: axes.points(a, rows, s), title, words, 3.2)
    cells = [
        (time.strftime("%d %b %H:%M:%S", time.localtime(r.time)), f"{r.score:.1f}", r.action)
        for r in reversed(rows)
    ]  # fmt: skip
    return plot.with_table(
        drawn, words, ("when", "points", "what rspamd advised"), cells
    )


def mailboxes_html(rows: Sequence[mailboxes.Box]) -> str:
    """Size and number of mails, and the limit where there is one."""
    words = mailboxes.box_words(rows)
    if not rows:
        return plot.with_table("", words, (), ())
    shown = rows[:MOST]
    title, high = "The mailboxes by size", 0.75 + 0.36 * len(shown)
    drawn = plot.draw(lambda a: axes.sizes(a, shown), title, words, high)
    heads = ("mailbox", "mails", "size", "limit")
    return plot.with_table(drawn, words, heads, (_box(row) for row in rows))


def _box(row: mailboxes.Box) -> tuple[str, ...]:
    limit = amount(row.limit) if row.limit else "none"
    return row.address, str(row.mails), amount(row.size), limit


def room_html(rows: Sequence[mailboxes.Box]) -> str:
    """How full each mailbox with a limit is; the others stand in the table."""
    words = mailboxes.room_words(rows)
    limited = sorted((r for r in rows if r.limit), key=lambda r: -r.share)[:MOST]
    title, high = "How full the mailboxes are", 0.95 + 0.36 * len(limited)
    drawn = (
        plot.draw(lambda a: axes.shares(a, limited), title, words, high)
        if limited
        else ""
    )
    cells = [
        (r.address, amount(r.size), amount(r.limit), f"{r.share:.0f} %", r.room)
        if r.limit
        else (r.address, amount(r.size), "none", "", r.room)
        for r in rows
    ]
    return plot.with_table(
        drawn, words, ("mailbox", "holds", "may hold", "full", "in a word"), cells
    )


def certificate_html(cert: certificate.Certificate) -> str:
    """The certificate's life as a bar."""
    words = certificate.certificate_words(cert)
    drawn = plot.draw(
        lambda a: axes.life(a, cert), "The certificate's life", words, 1.5
    )
    dates = sorted(
        [(cert.begin, "issued"), (cert.now, "now"), (cert.due, "renewal due"), (cert.end, "end")]
    )  # fmt: skip
    rows = [(name, axes.day(at)) for at, name in dates]
    return plot.with_table(drawn, words, ("what", "when"), rows)
