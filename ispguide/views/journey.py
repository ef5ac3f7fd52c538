"""The journey of a mail and the ways of letters, as they are seen.

Pure: hops go in, HTML comes out.  Nothing here believes what a server or a stranger
wrote: every word is escaped.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape

from ispguide.mail.log.hops import HOP_STATES, STATIONS, Hop, in_order, outcome
from ispguide.mail.log.way import FATES, Way
from ispguide.views import style, svg

WIDE, HIGH = 960.0, 74.0
_COLOURS = {"ok": style.GOOD, "no": style.BAD, "wait": style.OPEN, "note": style.OPEN}

_STYLE = """<style>
.ispg ol.ispg-hops{list-style:none;margin:8px 0!important;padding:0!important}
.ispg .ispg-hops>li{display:grid;grid-template-columns:4.6em 7.5em 1fr;gap:0 10px;
 padding:5px 0;margin:0;border-top:1px solid var(--jp-border-color3,rgba(128,128,128,.25))}
.ispg .ispg-hops .at{text-align:right;font-variant-numeric:tabular-nums}
.ispg .ispg-hops .what{font-weight:600;overflow-wrap:anywhere}
.ispg .ispg-hops summary{font-size:.92em}
</style>"""


def timeline(hops: Sequence[Hop], under_way: bool = False) -> str:
    """The whole: what became of it, the strip, the hops in order."""
    ordered = in_order(hops)
    return f"{_verdict(ordered, under_way)}{strip(ordered)}{listed(ordered)}"


def listed(hops: Sequence[Hop], begin: float = 0.0) -> str:
    """The hops alone.  `begin`: then each says the time of day."""
    items = "".join(_item(hop, begin) for hop in hops)
    return f'{_STYLE}<ol class="ispg-hops">{items}</ol>'


def _verdict(hops: Sequence[Hop], under_way: bool) -> str:
    """One sentence, told to screen readers when it changes."""
    words = "On its way …" if under_way else hops_told(hops)
    return f'<p role="status"><b>{escape(words)}</b></p>'


def hops_told(hops: Sequence[Hop]) -> str:
    """What became of the letter."""
    end = outcome(hops)
    if end is None:
        return "The letter has not been seen anywhere yet."
    after = f"{end.at:.2f} seconds after the stranger knocked"
    if end.state == "ok":
        return f"✓ It arrived, {after}."
    head = "✗ It was refused" if end.state == "no" else "‖ It waits"
    return f"{head}, {after}: {STATIONS[end.who]} {end.what}."


def _item(hop: Hop, begin: float = 0.0) -> str:
    at = f"{hop.at:.3f} s"
    if begin:
        at = time.strftime("%H:%M:%S", time.localtime(begin + hop.at))
    sign, word = HOP_STATES[hop.state]
    mark = (
        "" if hop.state == "ok"
        else f' <span class="badge">{sign} {word}</span>'
    )  # fmt: skip
    more = (
        style.fold("what was said", f"<pre>{escape(hop.detail)}</pre>")
        if hop.detail else ""
    )  # fmt: skip
    return (
        f'<li><span class="at">{at}</span>'
        f"<span>{escape(STATIONS[hop.who])}</span>"
        f'<div><span class="what">{escape(hop.what)}</span>{mark}'
        f"<div>{escape(hop.words)}</div>{more}</div></li>"
    )


# --- the strip ---------------------------------------------------------------


def strip(hops: Sequence[Hop]) -> str:
    """Every station on one line: passed, refused here, not reached."""
    own = svg.name()
    step, high = WIDE / len(STATIONS), 46.0
    inner = [svg.head(f"{own}-head")]
    for index, (key, name) in enumerate(STATIONS.items()):
        x = index * step + 8
        wide = step - 34
        inner.append(_station(name, [h for h in hops if h.who == key], x, wide, high))
        if index:
            ends = ((x - 26, 14 + high / 2), (x, 14 + high / 2))
            inner.append(svg.arrow(ends, f"{own}-head"))
    about = "; ".join(
        f"{name}: {_reached([h for h in hops if h.who == key])[1]}"
        for key, name in STATIONS.items()
    )
    title = "The stations of the letter"
    return svg.drawing(own, (WIDE, HIGH), title, about, "".join(inner))


def _station(name: str, hops: Sequence[Hop], x: float, wide: float, high: float) -> str:
    state, word = _reached(hops)
    stroke = _COLOURS.get(state, svg.LINE)
    middle = x + wide / 2
    return (
        svg.box(x, 14, wide, high, stroke, 3 if state else 1.2, dashed=not state)
        + svg.text(middle, 34, name, 14, "font-weight:600")
        + svg.text(middle, 51, word, 12)
    )


def _reached(hops: Sequence[Hop]) -> tuple[str, str]:
    """State and words of a station: the gravest of what happened there."""
    if not hops:
        return "", "· not reached"
    for state in ("no", "wait", "note"):
        if any(h.state == state for h in hops):
            return state, " ".join(HOP_STATES[state])
    return "ok", f"✓ at {min(h.at for h in hops):.2f} s"


def hops_text(hops: Sequence[Hop]) -> str:
    """The same in plain lines."""
    rows = [
        f"{h.at:7.3f} s  {HOP_STATES[h.state][0]} {STATIONS[h.who]} {h.what} · {h.words}"
        for h in in_order(hops)
    ]
    return "\n".join([hops_told(hops), *rows])


# The ways of letters as HTML: what became of each, for whom, and every hop below.
#
# Pure.  Nothing here believes what a stranger wrote: every word is escaped.


NOTHING = (
    "The journal knows no such letter. Either nobody brought it here, or it is longer ago than "
    "the journal is kept. Ask its sender for the answer that his server got."
)


def ways_html(ways: Sequence[Way]) -> str:
    """All letters, the newest first and open."""
    if not ways:
        return f'<p role="status">{escape(NOTHING)}</p>'
    head = f'<p role="status"><b>{escape(ways_told(ways))}</b></p>'
    return head + "".join(_way(one, first=not i) for i, one in enumerate(ways))


def ways_told(ways: Sequence[Way]) -> str:
    """How many, and what became of them."""
    if len(ways) == 1:
        sign, word = FATES[ways[0].fate]
        return f"{sign} One letter: {word}."
    counts = [(FATES[fate], sum(w.fate == fate for w in ways)) for fate in FATES]
    parts = ", ".join(f"{sign} {n} {word}" for (sign, word), n in counts if n)
    return f"{len(ways)} letters, the newest first: {parts}."


def _way(one: Way, first: bool) -> str:
    sign, word = FATES[one.fate]
    label = f"{sign} {word} · {clock(one.begin, '%d %b %Y, %H:%M:%S')} · from {one.sender or 'unknown'}"
    ends = "".join(
        f"<li>{FATES[e.fate][0]} <b>{escape(e.to or 'everybody')}</b>: {escape(e.words)}</li>"
        for e in one.ends
    )
    names = f'<p class="soft">{escape(" · ".join(one.names))}</p>' if one.names else ""
    inner = f"<ul>{ends}</ul>{names}{listed(one.hops, one.begin)}"
    return style.fold(label, inner, open_=first)


def clock(moment: float, form: str) -> str:
    """A moment by the clock of this computer."""
    return time.strftime(form, time.localtime(moment))


def ways_text(ways: Sequence[Way]) -> str:
    """The same in plain lines."""
    rows = [ways_told(ways)] if ways else [NOTHING]
    for one in ways:
        rows.append(f"{FATES[one.fate][0]} {FATES[one.fate][1]} · from {one.sender}")
        rows += [f"  {end.to}: {end.words}" for end in one.ends]
    return "\n".join(rows)
