"""Rotation and the ladder of DMARC as HTML and as text.

Pure; everything that came from outside is escaped.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from html import escape

from ispguide.dkim.rotation import FIRST, STAGES, Turn, spoken
from ispguide.dmarc.summing import LADDER, advice
from ispguide.notebook import frame
from ispguide.notebook.pictures import svg
from ispguide.tasks_dmarc import Reports

WIDE, HIGH, GAP = 128, 58, 18
#: What each stage is called in the picture, in two lines.
SHORT = {
    "make": ("make", "a new key"), "publish": ("publish", "its half"),
    "sign": ("sign", "with it"), "wait": ("wait", "for old notes"),
    "withdraw": ("withdraw", "the old half"), "destroy": ("destroy", "the old key"),
}  # fmt: skip


# rotation


def summary(turns: Sequence[Turn]) -> tuple[str, str]:
    """(state, words) of all domains together."""
    open_ = [t for t in turns if not t.resting]
    if any(t.next == FIRST for t in turns):
        return "gap", "not every domain is signed for"
    if not open_:
        return "ok", "no change of keys is under way"
    return "blocked" if all(t.next == "wait" for t in open_) else "gap", "under way"


def rotation_html(turns: Sequence[Turn]) -> str:
    """A row of stages a domain, and what is so and comes next."""
    return "".join(_turn(t) for t in turns)


def _turn(t: Turn) -> str:
    parts = [frame.heading(t.domain, level=5)]
    if t.next != FIRST:
        parts.append(stages_svg(t))
    keys = _keys(t)
    parts.append(f"<p>{escape(t.why)}{_left(t)}</p>{keys}")
    return "".join(parts)


def _left(t: Turn) -> str:
    """The seconds run where they are few."""
    if not t.wait:
        return ""
    if t.wait > 7200:
        return f" {escape(spoken(t.wait))} left."
    return f" Left: {frame.seconds_left(time.time() + t.wait, t.wait, 'it is over: look again')}."


def _keys(t: Turn) -> str:
    rows = [
        ("signs now", t.signing, _when(t.since)),
        ("comes next", t.new, "signs nothing yet"),
        ("had its turn", t.old, "signs nothing any more"),
    ]
    cells = "".join(
        f'<tr><th scope="row">{word}</th><td><code>{escape(key.name)}</code></td>'
        f"<td>{key.bits} bits</td><td>{escape(more)}</td></tr>"
        for word, key, more in rows
        if key
    )
    return f"<table>{cells}</table>" if cells else ""


def _when(moment: int) -> str:
    if not moment:
        return ""
    return time.strftime("since %d %b %Y %H:%M UTC", time.gmtime(moment))


def stages_svg(t: Turn) -> str:
    """The stages in a row; what is done, what is next and what is to come by form."""
    names = list(STAGES)
    at = names.index(t.next) if t.next in names else 1 if t.new else 4
    own = svg.name()
    parts = [svg.head(own), *(p for i, n in enumerate(names) for p in _stage(i, n, at))]
    parts += [
        svg.arrow([(x - GAP + 1, HIGH / 2 + 6), (x - 2, HIGH / 2 + 6)], own)
        for x in (i * (WIDE + GAP) for i in range(1, len(names)))
    ]
    words = f"Next: {STAGES.get(t.next, 'look again')}."
    size = (len(names) * (WIDE + GAP) - GAP + 4, HIGH + 36)
    return svg.drawing(own, size, f"Change of the key of {t.domain}", words, "".join(parts), scale=1.2)  # fmt: skip


def _stage(i: int, name: str, at: int) -> Iterator[str]:
    x, done, now = i * (WIDE + GAP) + 2, i < at, i == at
    colour = frame.GOOD if done else svg.BLUE if now else svg.LINE
    yield svg.box(x, 6, WIDE, HIGH, colour, 3 if now else 1.5, dashed=not (done or now))
    middle = x + WIDE / 2
    for line, y in zip(SHORT[name], (28, 48), strict=True):
        yield svg.text(middle, y, line, 14, "font-weight:600" if now else "")
    word = "✓ done" if done else "▲ next" if now else "to come"
    yield svg.text(middle, HIGH + 26, word, 13)


def rotation_text(turns: Sequence[Turn]) -> str:
    """The same for a terminal."""
    return "\n".join(
        f"{t.domain}: {t.signing.selector if t.signing else 'nobody signs'}; "
        f"next: {STAGES.get(t.next, 'look again')}. {t.why}"
        for t in turns
    )


# the ladder


def ladder_html(found: Reports) -> str:
    """The three rungs, where you stand, and whether to go on."""
    rows = "".join(_rung(found, *rung) for rung in LADDER)
    said = advice(list(found.reports), found.own, found.policy)
    return (
        '<table><thead><tr><th scope="col">you</th><th scope="col">p=</th>'
        '<th scope="col">others do with a forgery</th><th scope="col">and then</th>'
        f"</tr></thead><tbody>{rows}</tbody></table><p>{escape(said)}</p>"
    )


def _rung(found: Reports, word: str, does: str, then: str) -> str:
    here = word == found.policy
    mark = "▶ are here" if here else ""
    shown = f"<strong>{word}</strong>" if here else word
    return (
        f'<tr><td class="state">{mark}</td><td>{shown}</td><td>{escape(does)}</td>'
        f"<td>{escape(then)}</td></tr>"
    )


def ladder_text(found: Reports) -> str:
    """The same for a terminal."""
    lines = [
        f"{'→' if w == found.policy else ' '} {w:10} {d} {t}" for w, d, t in LADDER
    ]
    return "\n".join([*lines, advice(list(found.reports), found.own, found.policy)])
