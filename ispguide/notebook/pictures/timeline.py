"""The journey of a mail as it is seen: a strip of stations, and a list of hops.

Pure: hops go in, HTML comes out.  What servers said is escaped and folded away.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape

from ispguide.journey import HOP_STATES, STATIONS, Hop, in_order
from ispguide.journey.hop import outcome
from ispguide.notebook import frame
from ispguide.notebook.pictures import svg

WIDE, HIGH = 960.0, 74.0
_COLOURS = {"ok": frame.GOOD, "no": frame.BAD, "wait": frame.OPEN, "note": frame.OPEN}

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
        frame.fold("what was said", f"<pre>{escape(hop.detail)}</pre>")
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
