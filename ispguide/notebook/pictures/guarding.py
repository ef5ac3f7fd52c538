"""The picture of those who guess: how often at each door, and who is shut out.

Rows go in, HTML comes out; nothing here knows the server.
"""

from __future__ import annotations

from typing import Any

from ispguide.measures.bans import DOORS, Guarding, busiest, guard_words
from ispguide.notebook.pictures import plot


def bans_html(now: Guarding) -> str:
    """A bar for each door; the table names those who guessed most."""
    words = guard_words(now)
    guesses = now.of("Found")
    if not guesses:
        return plot.with_table("", words, (), ())
    high = 0.9 + 0.42 * len(now.doors)
    drawn = plot.draw(
        lambda axes: doors(axes, now), "Wrong guesses by door", words, high
    )
    until = {ban.who: ban.until for ban in now.shut_out}
    cells = [
        (who, at, str(number), until.get(who, "no"))
        for who, at, number in busiest(guesses)
    ]
    heads = ("address", "doors", "wrong guesses", "shut out until")
    return plot.with_table(drawn, words, heads, cells)


def doors(axes: Any, now: Guarding) -> None:
    """How often somebody guessed at each door, and how many were shut out there."""
    names = [DOORS.get(jail, jail) for jail in now.doors]
    counts = [len(now.of("Found", jail)) for jail in now.doors]
    bars = axes.barh(names, counts, height=0.55, color=plot.WARN)
    axes.bar_label(bars, [_label(now, jail) for jail in now.doors], padding=6)
    axes.invert_yaxis()
    axes.set_xlim(0, max(1, *counts) * 1.45)
    axes.set_xlabel("wrong guesses within a day")
    axes.xaxis.get_major_locator().set_params(integer=True)


def _label(now: Guarding, jail: str) -> str:
    guesses, shut = len(now.of("Found", jail)), len(now.of("Ban", jail))
    return f"{guesses}; {shut} shut out" if shut else f"{guesses or ''}"
