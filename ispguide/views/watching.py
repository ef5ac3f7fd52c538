"""What is measured as HTML: words, the picture, and its numbers as a table.

Nothing to draw is said in words, and why that is so.  A judgement is a shape and a word,
a kind of mail a pattern; the colour comes only besides.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from ispguide.engine.settings import Settings
from ispguide.engine.words import DAY, amount, span
from ispguide.mail.log import traffic
from ispguide.mail.log.journal import Judged
from ispguide.mail.log.traffic import KINDS, Flow, flow_words
from ispguide.mail.measures import certificate, mailboxes
from ispguide.mail.measures.bans import SERVICES, Guarding, busiest, guard_words
from ispguide.mail.measures.health import JUDGED, Seen, health_words, worst
from ispguide.views import html, plot

#: kind → colour and pattern of its bars.
BARS = {
    "received": (plot.GOOD, ""),
    "sent": (plot.BLUE, "//"),
    "refused": (plot.BAD, "xx"),
    "later": (plot.WARN, ".."),
    "returned": (plot.SOFT, "\\\\"),
}


def flow_html(seen: tuple[Flow, Settings]) -> Markup:
    """The three plots, each with its numbers folded below."""
    mail, s = seen
    words = flow_words(mail)
    if not any(mail.of(kind) for kind in KINDS):
        return plot.undrawn(words)
    parts = [_much(mail, s, words)]
    if mail.of("refused") + mail.of("later"):
        parts.append(_reasons(mail.reasons()))
    if mail.of("score"):
        parts.append(_points(mail.points(), s))
    return html.joined(parts)


def stretches(mail: Flow, s: Settings) -> tuple[Any, list[str]]:
    """The counts over time, and what each stretch is called."""
    table = mail.by_time(s.timezone)
    one = len(table) == 1 or (table.index[1] - table.index[0]).total_seconds() < DAY
    return table, [at.strftime("%H:%M" if one else "%a %d %b") for at in table.index]


def _much(mail: Flow, s: Settings, words: str) -> Markup:
    table, labels = stretches(mail, s)
    drawn = plot.draw(
        lambda axes: bars(axes, table, labels), "Mail over time", words, 3.0
    )
    kinds = [kind for kind in KINDS if table[kind].sum()]
    rows = [
        (at.strftime("%d %b %H:%M"), *(str(int(row[kind])) for kind in kinds))
        for at, row in table.iterrows()
    ]
    return plot.with_table(
        drawn, words, ("from", *(KINDS[kind] for kind in kinds)), rows
    )


def bars(axes: Any, table: Any, labels: list[str]) -> None:
    """A bar for each stretch of time, a piece for each kind."""
    below = [0] * len(table)
    for kind, (colour, pattern) in BARS.items():
        high = [int(n) for n in table[kind]]
        if any(high):
            axes.bar(range(len(high)), high, 0.7, bottom=below, label=KINDS[kind],
                     color=colour, hatch=pattern, edgecolor=plot.LINE)  # fmt: skip
            below = [a + b for a, b in zip(below, high, strict=True)]
    step = max(1, len(labels) // 8)
    axes.set_xticks(range(0, len(labels), step), labels[::step])
    axes.set_xlim(-0.6, max(len(labels), 4) - 0.4)
    axes.set_ylabel("mails")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, ncols=5, loc="lower left", bbox_to_anchor=(0, 1))


def _reasons(why: Any) -> Markup:
    words = "Why mail was refused, or told to come again:"
    high = 0.8 + 0.32 * len(why)
    drawn = plot.draw(
        lambda axes: lying(axes, why), "Why mail was refused", words, high
    )
    rows = [(name, str(int(n))) for name, n in why.items()]
    return plot.with_table(drawn, words, ("reason", "mails"), rows)


def lying(axes: Any, why: Any) -> None:
    """A bar for each reason, the most frequent on top."""
    drawn = axes.barh(list(why.index), [int(n) for n in why], 0.6, color=plot.BAD)
    axes.bar_label(drawn, padding=5)
    axes.invert_yaxis()
    axes.set_xlim(0, int(why.max()) * 1.12)
    axes.set_xlabel("mails")
    axes.xaxis.get_major_locator().set_params(integer=True)


def _points(points: Any, s: Settings) -> Markup:
    words = f"How many points mail got: Junk begins at {s.junk_score}, refusal at {s.reject_score}."
    drawn = plot.draw(
        lambda axes: propagation(axes, points, s), "Points of mail", words, 2.6
    )
    rows = [(str(at), str(int(n))) for at, n in points.items()]
    return plot.with_table(drawn, words, ("points", "mails"), rows)


def propagation(axes: Any, points: Any, s: Settings) -> None:
    """A bar for each sum of points, and the lines from which Junk and refusal begin."""
    where = [int(at) for at in points.index]
    colours = [
        plot.BAD
        if x >= s.reject_score
        else plot.WARN
        if x >= s.junk_score
        else plot.GOOD
        for x in where
    ]
    axes.bar(where, [int(n) for n in points], 0.8, color=colours)
    edge = axes.get_xaxis_transform()
    for at, name, colour in (
        (s.junk_score, "Junk", plot.WARN),
        (s.reject_score, "refused", plot.BAD),
    ):
        axes.axvline(at - 0.5, color=colour, linewidth=1.5, linestyle="--")
        axes.text(at - 0.3, 1.02, f"from {at}: {name}", transform=edge)
    axes.set_xlim(min(*where, 0) - 1, max(*where, s.reject_score) + 3)
    axes.set_xlabel("points")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylabel("mails")
    axes.yaxis.get_major_locator().set_params(integer=True)


# The picture of those who guess: how often at each door, and who is shut out.
#
# Rows go in, HTML comes out; nothing here knows the server.


def bans_html(now: Guarding) -> Markup:
    """A bar for each door; the table names those who guessed most."""
    words = guard_words(now)
    attempts = now.of("Found")
    if not attempts:
        return plot.undrawn(words)
    high = 0.9 + 0.42 * len(now.services)
    drawn = plot.draw(
        lambda axes: services(axes, now), "Wrong guesses by door", words, high
    )
    until = {ban.who: ban.until for ban in now.shut_out}
    cells = [
        (who, at, str(number), until.get(who, "no"))
        for who, at, number in busiest(attempts)
    ]
    heads = ("address", "doors", "wrong guesses", "shut out until")
    return plot.with_table(drawn, words, heads, cells)


def services(axes: Any, now: Guarding) -> None:
    """How often somebody guessed at each door, and how many were shut out there."""
    names = [SERVICES.get(jail, jail) for jail in now.services]
    counts = [len(now.of("Found", jail)) for jail in now.services]
    bars = axes.barh(names, counts, height=0.55, color=plot.WARN)
    axes.bar_label(bars, [_label(now, jail) for jail in now.services], padding=6)
    axes.invert_yaxis()
    axes.set_xlim(0, max(1, *counts) * 1.45)
    axes.set_xlabel("wrong guesses within a day")
    axes.xaxis.get_major_locator().set_params(integer=True)


def _label(now: Guarding, jail: str) -> str:
    attempts, shut = len(now.of("Found", jail)), len(now.of("Ban", jail))
    return f"{attempts}; {shut} shut out" if shut else f"{attempts or ''}"


# The state of the server as HTML: judged in words, the gravest first; who waits below.
#
# A judgement is a shape and a word; the colour comes only besides.


Health = tuple[Sequence[Seen], Sequence[traffic.Waiting]]

#: Judgement → state and word of the card.
CARD = {
    "act": ("failed", "needs you now"),
    "look": ("gap", "worth a look"),
    "fine": ("ok", "all is well"),
}


def judged(seen: Health) -> tuple[str, str]:
    """State and word of the card."""
    return CARD[worst(seen[0])]


def health_html(seen: Health) -> Markup:
    """The whole page."""
    rows, waits = seen
    heads = ("how", "part", "what is so, and what to do")
    return Markup('<p role="status"><b>{}</b></p>{}{}').format(
        health_words(rows), html.table(heads, map(_cells, rows)), _waiting(waits)
    )


def _cells(row: Seen) -> tuple[str, ...]:
    do = html.NOTHING
    if row.state == "fine":
        do = Markup(' <span class="soft">{}</span>').format(typed(row.do))
    elif row.do:
        do = Markup("<br><b>Do:</b> {}").format(typed(row.do))
    what = Markup("{}{}").format(row.words, do)
    return html.state(" ".join(JUDGED[row.state])), row.what, what


def typed(text: str) -> Markup:
    """What stands between backticks is to be typed."""
    code = Markup("<code>{}</code>")
    parts = enumerate(text.split("`"))
    return html.joined(code.format(p) if i % 2 else p for i, p in parts)


def _waiting(rows: Sequence[traffic.Waiting]) -> Markup:
    """The queue with age and reason in words; nothing when it is empty."""
    if not rows:
        return html.NOTHING
    number = Markup("<code>{}</code>")
    cells = (
        (
            span(r.age),
            ", ".join(r.recipients),
            traffic.meaning(r.reason),
            number.format(r.number),
        )
        for r in rows
    )
    made = html.table(("waits for", "to", "because", "number"), cells)
    return Markup("<p>{}</p>{}").format(traffic.queue_words(rows), made)


# The four plots as HTML: words, the picture, and its numbers as a table.
#
# Nothing to draw is said in words, and why that is so.


#: More mailboxes would be too small to read; the table has all.
MOST = 12


def queue_html(rows: Sequence[traffic.Waiting]) -> Markup:
    """How many wait, by age; why, in words and in the table."""
    words = traffic.queue_words(rows)
    if not rows:
        return plot.undrawn(words)
    drawn = plot.draw(lambda a: plot.ages(a, rows), "The queue by age", words)
    heads = ("waits for", "to", "from", "why", "Postfix's own words")
    return plot.with_table(drawn, words, heads, (_waits(row) for row in rows))


def _waits(row: traffic.Waiting) -> tuple[str, ...]:
    sender = row.sender or "(a bounce)"
    to = ", ".join(row.recipients)
    return span(row.age), to, sender, traffic.meaning(row.reason), row.reason


def scores_html(seen: tuple[Sequence[Judged], Settings]) -> Markup:
    """Each mail's points, and the lines from which Junk and refusal begin."""
    rows, s = seen
    words = traffic.score_words(rows)
    if not rows:
        return plot.undrawn(words)
    words += f" Junk begins at {s.junk_score} points, refusal at {s.reject_score}."
    title = "Spam scores of the last mails"
    drawn = plot.draw(lambda a: plot.points(a, rows, s), title, words, 3.2)
    cells = [
        (time.strftime("%d %b %H:%M:%S", time.localtime(r.time)), f"{r.score:.1f}", r.action)
        for r in reversed(rows)
    ]  # fmt: skip
    return plot.with_table(
        drawn, words, ("when", "points", "what rspamd advised"), cells
    )


def mailboxes_html(rows: Sequence[mailboxes.Box]) -> Markup:
    """Size and number of mails, and the limit where there is one."""
    words = mailboxes.box_words(rows)
    if not rows:
        return plot.undrawn(words)
    shown = rows[:MOST]
    title, high = "The mailboxes by size", 0.75 + 0.36 * len(shown)
    drawn = plot.draw(lambda a: plot.sizes(a, shown), title, words, high)
    heads = ("mailbox", "mails", "size", "limit")
    return plot.with_table(drawn, words, heads, (_box(row) for row in rows))


def _box(row: mailboxes.Box) -> tuple[str, ...]:
    limit = amount(row.limit) if row.limit else "none"
    return row.address, str(row.mails), amount(row.size), limit


def usage_html(rows: Sequence[mailboxes.Box]) -> Markup:
    """How full each mailbox with a limit is; the others stand in the table."""
    words = mailboxes.usage_words(rows)
    limited = sorted((r for r in rows if r.limit), key=lambda r: -r.share)[:MOST]
    title, high = "How full the mailboxes are", 0.95 + 0.36 * len(limited)
    drawn = (
        plot.draw(lambda a: plot.shares(a, limited), title, words, high)
        if limited
        else html.NOTHING
    )
    cells = [
        (r.address, amount(r.size), amount(r.limit), f"{r.share:.0f} %", r.quota_state)
        if r.limit
        else (r.address, amount(r.size), "none", "", r.quota_state)
        for r in rows
    ]
    return plot.with_table(
        drawn, words, ("mailbox", "holds", "may hold", "full", "in a word"), cells
    )


def certificate_html(cert: certificate.Certificate) -> Markup:
    """The certificate's life as a bar."""
    words = certificate.certificate_words(cert)
    drawn = plot.draw(
        lambda a: plot.life(a, cert), "The certificate's life", words, 1.5
    )
    dates = sorted(
        [(cert.begin, "issued"), (cert.now, "now"), (cert.due, "renewal due"), (cert.end, "end")]
    )  # fmt: skip
    rows = [(name, plot.day(at)) for at, name in dates]
    return plot.with_table(drawn, words, ("what", "when"), rows)
