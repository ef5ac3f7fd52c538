"""A plot as SVG that follows the theme: matplotlib's Figure, and no pyplot.

matplotlib is loaded only when something is drawn.  It knows no CSS, so it draws with
colours nobody uses, and these become the theme's afterwards; text stays text.
Sources: https://matplotlib.org/stable/users/explain/figure/backends.html (no pyplot
where threads draw), rcParams svg.fonttype.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from markupsafe import Markup

from ispguide.engine.settings import Settings
from ispguide.engine.words import DAY, HOUR, amount
from ispguide.mail.log import traffic
from ispguide.mail.log.journal import Judged
from ispguide.mail.measures import certificate, mailboxes
from ispguide.views import html, style, svg

#: Stand-ins → what the theme says.
INK, SOFT, LINE = "#010203", "#010204", "#010205"
GOOD, BAD, WARN, BLUE = "#010206", "#010207", "#010208", "#010209"
THEME = {
    INK: svg.INK, SOFT: svg.SOFT, LINE: svg.LINE,
    GOOD: style.GOOD, BAD: style.BAD, WARN: style.OPEN, BLUE: style.BUSY,
}  # fmt: skip

_RC = {
    "svg.fonttype": "none", "svg.hashsalt": "ispguide", "font.size": 11.0,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": LINE,
    "xtick.color": INK, "ytick.color": INK, "axes.facecolor": "none",
    "axes.spines.top": False, "axes.spines.right": False,
}  # fmt: skip

Build = Callable[[Any], None]


def draw(build: Build, title: str, about: str, high: float = 2.6) -> Markup:
    """What `build(axes)` draws, as SVG with a title, 8.6 by `high` inches."""
    import logging

    # Its first use on a computer counts the fonts, and says so where cells print.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_RC):
        figure = Figure(figsize=(8.6, high), layout="constrained")
        build(figure.add_subplot())
        raw = io.StringIO()
        figure.savefig(raw, format="svg", transparent=True, metadata={"Date": None})
    return themed(raw.getvalue(), title, about)


def themed(raw: str, title: str, about: str) -> Markup:
    """matplotlib's file as a piece of a page: colours, fonts and ids of its own.

    It has escaped what it was told to write."""
    own = svg.name()
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', raw)
    size = (float(box[1]), float(box[2])) if box else (620.0, 190.0)
    inner = raw[raw.index(">", raw.index("<svg")) + 1 : raw.rindex("</svg>")]
    inner = re.sub(r"<metadata>.*?</metadata>", "", inner, flags=re.S)
    inner = re.sub(r'\bid="', f'id="{own}-', inner)
    inner = re.sub(r"url\(#", f"url(#{own}-", inner)
    inner = re.sub(r'(xlink:)?href="#', f'href="#{own}-', inner)
    inner = re.sub(r"font: ([^;\"]*?)(\d+)px [^;\"]*", r"font-size: \2px", inner)
    for stand_in, colour in THEME.items():
        inner = inner.replace(stand_in, colour)
    return svg.drawing(own, size, title, about, Markup(inner), scale=1.36)


def with_table(
    drawn: Markup, words: str, heads: Sequence[str], rows: Iterable[Sequence[str]]
) -> Markup:
    """Words above, the picture, and its numbers folded below."""
    more, found = html.NOTHING, list(rows)
    if found:
        more = style.fold("the numbers as a table", html.table(heads, found))
    return Markup("<p>{}</p>{}{}").format(words, drawn, more)


def undrawn(words: str) -> Markup:
    """The words alone, where there is nothing to draw."""
    return with_table(html.NOTHING, words, (), ())


# What the plots draw on matplotlib's axes: bars, dots, lines.
#
# Rows go in; nothing here knows HTML or the server.  A meaning is a form or a word
# besides its colour.


#: Ages of waiting mail, the youngest first: upper end in seconds, name, colour.
AGES = (
    (5 * 60.0, "below 5 minutes", BLUE),
    (HOUR, "below 1 hour", BLUE),
    (6 * HOUR, "below 6 hours", BLUE),
    (DAY, "below 1 day", WARN),
    (float("inf"), "1 day or more", BAD),
)


def ages(axes: Any, rows: Sequence[traffic.Waiting]) -> None:
    """How many mails wait, by how long already."""
    counts = [0] * len(AGES)
    for row in rows:
        counts[next(i for i, (end, *_) in enumerate(AGES) if row.age < end)] += 1
    names = [name for _, name, _ in AGES]
    bars = axes.barh(names, counts, color=[colour for *_, colour in AGES])
    axes.bar_label(bars, [str(n or "") for n in counts], padding=4)
    axes.invert_yaxis()
    axes.set_xlabel("mails that wait")
    axes.xaxis.get_major_locator().set_params(integer=True)


#: rspamd's action → form, colour and word of a mail.
FORMS = {
    "no action": ("o", GOOD, "let in"),
    "add header": ("s", WARN, "Junk"),
    "reject": ("X", BAD, "refused"),
}
LATER = ("v", SOFT, "come again")


def points(axes: Any, rows: Sequence[Judged], s: Settings) -> None:
    """Each mail's points, and the lines from which Junk and refusal begin."""
    where = [(FORMS.get(r.action, LATER), x, r.score) for x, r in enumerate(rows, 1)]
    for form in [*FORMS.values(), LATER]:
        mine = [(x, y) for own, x, y in where if own == form]
        if mine:
            x, y = zip(*mine, strict=True)
            axes.scatter(x, y, s=52, marker=form[0], color=form[1], label=form[2])
    edge = axes.get_yaxis_transform()
    for at, name, colour in (
        (s.junk_score, "Junk", WARN), (s.reject_score, "refused", BAD),
    ):  # fmt: skip
        axes.axhline(at, color=colour, linewidth=1.5, linestyle="--")
        axes.text(1.01, at, f"from {at}: {name}", va="center", transform=edge)
    axes.set_xlim(0.4, len(rows) + 0.6)
    axes.set_ylim(top=max(s.reject_score, *(r.score for r in rows)) * 1.15)
    axes.set_xlabel("the last mails, the newest on the right")
    axes.set_ylabel("points")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, ncols=4, loc="lower left", bbox_to_anchor=(0, 1))


def sizes(axes: Any, rows: Sequence[mailboxes.Box]) -> None:
    """Size and number of mails of each mailbox; a thick line where its limit is."""
    most = max([1.0, *(float(max(r.size, r.limit)) for r in rows)])
    unit, name = next(u for u in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "bytes"))
                      if most >= u[0])  # fmt: skip
    near = [bool(r.limit) and r.size > 0.9 * r.limit for r in rows]
    colours = [BAD if full else BLUE for full in near]
    size = [r.size / unit for r in rows]
    bars = axes.barh([r.address for r in rows], size, height=0.55, color=colours)
    axes.bar_label(bars, [_filled(r) for r in rows], padding=6)
    for y, row in enumerate(rows):
        if row.limit:
            at = row.limit / unit
            axes.plot([at, at], [y - 0.42, y + 0.42], color=BAD, linewidth=3)
    axes.set_xlim(0, most / unit * 1.35)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    limits = ", a thick line is the limit" if any(r.limit for r in rows) else ""
    axes.set_xlabel(f"{name}{limits}")


#: A mailbox's word → its colour.
QUOTA_COLOURS = {"room": GOOD, "warned": WARN, "nearly full": BAD, "full": BAD}


def shares(axes: Any, rows: Sequence[mailboxes.Box]) -> None:
    """How full each mailbox is, and the lines at which its owner is warned."""
    names = [r.address for r in rows]
    colours = [QUOTA_COLOURS[r.quota_state] for r in rows]
    axes.barh(names, [r.share for r in rows], height=0.55, color=colours)
    for y, row in enumerate(rows):  # beside the lines, not across them
        axes.text(max(row.share, 100) + 3, y, _share(row), va="center")
    edge = axes.get_xaxis_transform()
    for at, name in (*((w, f"{w} %") for w in mailboxes.WARNED), (100, "full")):
        axes.axvline(at, color=SOFT, linewidth=1.2, linestyle="--")
        side = "right" if at == 95 else "center"
        axes.text(at, 1.01, name, ha=side, va="bottom", transform=edge)
    axes.set_xlim(0, max(180.0, *(r.share * 1.8 for r in rows)))
    axes.set_xticks(range(0, 101, 20))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel("percent of what it may hold")


def _share(row: mailboxes.Box) -> str:
    return f"{row.share:.0f} %, {amount(row.size)} of {amount(row.limit)}: {row.quota_state}"


def _filled(row: mailboxes.Box) -> str:
    of = f" of {amount(row.limit)}" if row.limit else ""
    return f"{amount(row.size)}{of}, {row.mails} mails"


def day(moment: float) -> str:
    """A date as a person writes it."""
    return time.strftime("%d %b %Y", time.localtime(moment))


def life(axes: Any, cert: certificate.Certificate) -> None:
    """Issued, now, renewal due, end: one bar, in which the time so far is filled."""
    lived = min(max(cert.now, cert.begin), cert.end)
    for begin, end, colour, alpha in (
        (cert.begin, cert.end, LINE, 0.35),
        (cert.due, cert.end, WARN, 0.6),
        (cert.begin, lived, BLUE, 0.9),
    ):
        axes.barh([0], [end - begin], left=begin, height=0.5, color=colour, alpha=alpha)
    for name, at, high in (
        ("issued", cert.begin, 0.42), ("end", cert.end, 0.42),
        ("renewal due", cert.due, 1.0), ("now", cert.now, -0.95),
    ):  # fmt: skip
        share = (at - cert.begin) / (cert.end - cert.begin)
        top = 0.3 if share > 0.8 else max(0.3, high)  # else it runs through “end”
        axes.plot([at, at], [min(-0.3, high + 0.5), top], color=INK)
        side = "left" if share < 0.2 else "right" if share > 0.8 else "center"
        axes.text(at, high, f" {name} {day(at)} ", ha=side, va="bottom")
    axes.set_ylim(-1.0, 1.7)
    axes.set_axis_off()
