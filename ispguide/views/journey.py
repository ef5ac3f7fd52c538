"""The journey of a mail and the ways of letters, as they are seen.

Pure: hops go in, HTML comes out.  Nothing here believes what a server or a stranger
wrote: every word is escaped.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from markupsafe import Markup

from ispguide.mail.log.hops import HOP_STATES, STATIONS, Hop, in_order, outcome
from ispguide.mail.log.way import FATES, Way
from ispguide.views import html, style, svg

WIDE, HIGH = 960.0, 74.0
_COLOURS = {"ok": style.GOOD, "no": style.BAD, "wait": style.OPEN, "note": style.OPEN}

_STYLE = Markup("""<style>
.ispg ol.ispg-hops{list-style:none;margin:8px 0!important;padding:0!important}
.ispg .ispg-hops>li{display:grid;grid-template-columns:4.6em 7.5em 1fr;gap:0 10px;
 padding:5px 0;margin:0;border-top:1px solid var(--jp-border-color3,rgba(128,128,128,.25))}
.ispg .ispg-hops .at{text-align:right;font-variant-numeric:tabular-nums}
.ispg .ispg-hops .what{font-weight:600;overflow-wrap:anywhere}
.ispg .ispg-hops summary{font-size:.92em}
</style>""")


def timeline(hops: Sequence[Hop], under_way: bool = False) -> Markup:
    """The whole: what became of it, the strip, the hops in order."""
    ordered = in_order(hops)
    words = "On its way …" if under_way else hops_told(ordered)
    return _verdict(words) + strip(ordered) + listed(ordered)


def listed(hops: Sequence[Hop], begin: float = 0.0) -> Markup:
    """The hops alone.  `begin`: then each says the time of day."""
    items = html.joined(_item(hop, begin) for hop in hops)
    return _STYLE + Markup('<ol class="ispg-hops">{}</ol>').format(items)


def _verdict(words: str) -> Markup:
    """One sentence, told to screen readers when it changes."""
    return Markup('<p role="status"><b>{}</b></p>').format(words)


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


def _item(hop: Hop, begin: float = 0.0) -> Markup:
    at = f"{hop.at:.3f} s"
    if begin:
        at = time.strftime("%H:%M:%S", time.localtime(begin + hop.at))
    sign, word = HOP_STATES[hop.state]
    mark = more = html.NOTHING
    if hop.state != "ok":
        mark = Markup(' <span class="badge">{} {}</span>').format(sign, word)
    if hop.detail:
        more = style.words_folded("what was said", hop.detail)
    return Markup(
        '<li><span class="at">{}</span><span>{}</span>'
        '<div><span class="what">{}</span>{}<div>{}</div>{}</div></li>'
    ).format(at, STATIONS[hop.who], hop.what, mark, hop.words, more)


# --- the strip ---------------------------------------------------------------


def strip(hops: Sequence[Hop]) -> Markup:
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
    return svg.drawing(own, (WIDE, HIGH), title, about, html.joined(inner))


def _station(
    name: str, hops: Sequence[Hop], x: float, wide: float, high: float
) -> Markup:
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


def ways_html(ways: Sequence[Way]) -> Markup:
    """All letters, the newest first and open."""
    if not ways:
        return Markup('<p role="status">{}</p>').format(NOTHING)
    found = html.joined(_way(one, first=not i) for i, one in enumerate(ways))
    return _verdict(ways_told(ways)) + found


def ways_told(ways: Sequence[Way]) -> str:
    """How many, and what became of them."""
    if len(ways) == 1:
        sign, word = FATES[ways[0].fate]
        return f"{sign} One letter: {word}."
    counts = [(FATES[fate], sum(w.fate == fate for w in ways)) for fate in FATES]
    parts = ", ".join(f"{sign} {n} {word}" for (sign, word), n in counts if n)
    return f"{len(ways)} letters, the newest first: {parts}."


def _way(one: Way, first: bool) -> Markup:
    sign, word = FATES[one.fate]
    label = f"{sign} {word} · {clock(one.begin, '%d %b %Y, %H:%M:%S')} · from {one.sender or 'unknown'}"
    ends = html.joined(
        Markup("<li>{} <b>{}</b>: {}</li>").format(
            FATES[e.fate][0], e.to or "everybody", e.words
        )
        for e in one.ends
    )
    names = html.NOTHING
    if one.names:
        names = Markup('<p class="soft">{}</p>').format(" · ".join(one.names))
    inner = Markup("<ul>{}</ul>{}{}").format(ends, names, listed(one.hops, one.begin))
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
