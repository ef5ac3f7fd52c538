"""The backups as HTML and as text: how the last one went, how they grew, which are kept.

Pure; everything that came from the server is escaped.
"""

from __future__ import annotations

import time
from typing import Any

from markupsafe import Markup

from ispguide.engine.words import DAY, amount, span
from ispguide.mail.backup.restore import Repository, Snapshot
from ispguide.views import html, plot

#: So many bars can be told apart.
MOST = 30


def moment(seconds: float) -> str:
    """A time as a person writes it."""
    return time.strftime("%a %d %b %Y %H:%M", time.localtime(seconds))


def state_of(found: Repository) -> tuple[str, str]:
    """(state, words) for a card's heading."""
    if not found.state:
        return "gap", "no backup yet"
    if not found.state["ok"]:
        return "failed", "the last one failed"
    if found.now - found.state["time"] > 3 * DAY:
        return "gap", "the last one is too old"
    return "ok", f"{len(found.snapshots)} kept"


def words(found: Repository) -> str:
    """How it stands, in sentences."""
    state, where = found.state, f"They go to {found.repository}."
    if not state:
        return f"There is no backup yet. {where}"
    age = span(max(0.0, found.now - state["time"]))
    if not state["ok"]:
        return f"The last try, {age} ago, failed: {state['failed']} {where}"
    return (
        f"The last one was made {age} ago and went well: {state['files']} files, "
        f"{amount(state['bytes'])}; {amount(state['added'])} of it were new. {where}"
    )


def backups_html(found: Repository) -> Markup:
    """Words, what each run added, and the list of what is kept."""
    history = found.state.get("history", [])[-MOST:]
    title = "What each backup added"
    drawn = (
        plot.draw(lambda axes: bars(axes, history), title, words(found))
        if history
        else html.NOTHING
    )
    rows = [row(one) for one in reversed(found.snapshots)]
    return plot.with_table(drawn, words(found), ("number", "made"), rows)


def row(one: Snapshot) -> tuple[str, str]:
    return one.number, moment(one.time)


def bars(axes: Any, history: list[dict[str, Any]]) -> None:
    """Bytes that were new in each run; one that failed is a cross."""
    unit, name = next(
        u for u in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
        if max(h["added"] for h in history) >= u[0] or u[0] == 1e3
    )  # fmt: skip
    good = [(x, h["added"] / unit) for x, h in enumerate(history) if h["ok"]]
    bad = [x for x, h in enumerate(history) if not h["ok"]]
    if good:
        axes.bar(
            *zip(*good, strict=True), width=0.7, color=plot.BLUE, label="went well"
        )
    if bad:
        axes.scatter(
            bad, [0] * len(bad), s=70, marker="X", color=plot.BAD, label="failed"
        )
    axes.set_ylabel(f"new, in {name}")
    axes.set_xlabel("the last runs, the newest on the right")
    axes.set_xlim(-0.7, max(len(history), 8) - 0.3)
    axes.set_xticks([])
    axes.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))


def backups_text(found: Repository) -> str:
    """The same for a terminal."""
    kept = [f"{one.number}  {moment(one.time)}" for one in found.snapshots]
    return "\n".join([*kept, words(found)])
