"""A plot as SVG that follows the theme: matplotlib's Figure, and no pyplot.

matplotlib is loaded only when something is drawn.  It knows no CSS, so it draws with
colours nobody uses, and these become the theme's afterwards; text stays text.
Sources: https://matplotlib.org/stable/users/explain/figure/backends.html (no pyplot
where threads draw), rcParams svg.fonttype.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

from ispguide.notebook import frame
from ispguide.notebook.pictures import svg

#: Stand-ins → what the theme says.
INK, SOFT, LINE = "#010203", "#010204", "#010205"
GOOD, BAD, WARN, BLUE = "#010206", "#010207", "#010208", "#010209"
THEME = {
    INK: svg.INK, SOFT: svg.SOFT, LINE: svg.LINE,
    GOOD: frame.GOOD, BAD: frame.BAD, WARN: frame.OPEN, BLUE: frame.BUSY,
}  # fmt: skip

_RC = {
    "svg.fonttype": "none", "svg.hashsalt": "ispguide", "font.size": 11.0,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": LINE,
    "xtick.color": INK, "ytick.color": INK, "axes.facecolor": "none",
    "axes.spines.top": False, "axes.spines.right": False,
}  # fmt: skip

Build = Callable[[Any], None]


def draw(build: Build, title: str, about: str, high: float = 2.6) -> str:
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


def themed(raw: str, title: str, about: str) -> str:
    """matplotlib's file as a piece of a page: colours, fonts and ids of its own."""
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
    return svg.drawing(own, size, title, about, inner, scale=1.36)


def with_table(
    drawn: str, words: str, heads: Sequence[str], rows: Iterable[Sequence[str]]
) -> str:
    """Words above, the picture, and its numbers folded below."""
    top = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    cells = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    table = f"<table><thead><tr>{top}</tr></thead><tbody>{cells}</tbody></table>"
    more = frame.fold("the numbers as a table", table) if cells else ""
    return f"<p>{escape(words)}</p>{drawn}{more}"
