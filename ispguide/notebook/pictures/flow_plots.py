"""The flow of mail as three plots: how much, why refused, with how many points.

pandas puts the numbers together, matplotlib draws them; a kind of mail is a pattern
besides its colour.
"""

from __future__ import annotations

from typing import Any

from ispguide.measures.flow import KINDS, Flow, flow_words
from ispguide.measures.words import DAY
from ispguide.notebook.pictures import plot
from ispguide.settings import Settings

#: kind → colour and pattern of its bars.
BARS = {
    "received": (plot.GOOD, ""),
    "sent": (plot.BLUE, "//"),
    "refused": (plot.BAD, "xx"),
    "later": (plot.WARN, ".."),
    "returned": (plot.SOFT, "\\\\"),
}


def flow_html(seen: tuple[Flow, Settings]) -> str:
    """The three plots, each with its numbers folded below."""
    mail, s = seen
    words = flow_words(mail)
    if not any(mail.of(kind) for kind in KINDS):
        return plot.with_table("", words, (), ())
    parts = [_much(mail, s, words)]
    if mail.of("refused") + mail.of("later"):
        parts.append(_reasons(mail.reasons()))
    if mail.of("score"):
        parts.append(_points(mail.points(), s))
    return "".join(parts)


def stretches(mail: Flow, s: Settings) -> tuple[Any, list[str]]:
    """The counts over time, and what each stretch is called."""
    table = mail.by_time(s.timezone)
    one = len(table) == 1 or (table.index[1] - table.index[0]).total_seconds() < DAY
    return table, [at.strftime("%H:%M" if one else "%a %d %b") for at in table.index]


def _much(mail: Flow, s: Settings, words: str) -> str:
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


def _reasons(why: Any) -> str:
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


def _points(points: Any, s: Settings) -> str:
    words = f"How many points mail got: Junk begins at {s.junk_score}, refusal at {s.reject_score}."
    drawn = plot.draw(
        lambda axes: spread(axes, points, s), "Points of mail", words, 2.6
    )
    rows = [(str(at), str(int(n))) for at, n in points.items()]
    return plot.with_table(drawn, words, ("points", "mails"), rows)


def spread(axes: Any, points: Any, s: Settings) -> None:
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
