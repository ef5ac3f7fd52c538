"""SVG as text: what both the diagram and the strip of a journey are made of.

Colours come from JupyterLab's theme, with a fallback for other front ends.  Every
text is escaped.  Nothing here knows what is drawn.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from markupsafe import Markup

from ispguide.views import style as frame
from ispguide.views.html import NOTHING

INK = "var(--jp-ui-font-color1,#333)"
SOFT = "var(--jp-ui-font-color2,#616161)"
PAPER = "var(--jp-layout-color1,#fff)"
SHADE = "var(--jp-layout-color2,#eee)"
LINE = "var(--jp-border-color1,#9e9e9e)"
BLUE = frame.BUSY
Point = tuple[float, float]


def name() -> str:
    """A name nobody else on the page has: ids are one for all notebooks open in it."""
    return f"ispg-{secrets.token_hex(4)}"


def text(
    x: float, y: float, words: str, size: int = 14, style: str = "", middle: bool = True
) -> Markup:
    """Words; in the middle of x, or beginning there."""
    anchor = "middle" if middle else "start"
    return Markup(
        '<text x="{:g}" y="{:g}" text-anchor="{}" '
        'style="fill:{};font-size:{}px;{}">{}</text>'
    ).format(x, y, anchor, INK, size, style, words)


def box(
    x: float, y: float, wide: float, high: float, stroke: str, width: float = 1.5,
    fill: str = PAPER, dashed: bool = False,
) -> Markup:  # fmt: skip
    """A rectangle."""
    dash = "stroke-dasharray:6 4;" if dashed else ""
    return Markup(
        '<rect x="{:g}" y="{:g}" width="{:g}" height="{:g}" rx="6" '
        'style="fill:{};stroke:{};stroke-width:{};{}"/>'
    ).format(x, y, wide, high, fill, stroke, width, dash)


def arrow(points: Sequence[Point], marker: str, both: bool = False) -> Markup:
    """A line through these points, with a head at its end."""
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    start = Markup(' marker-start="url(#{})"').format(marker) if both else NOTHING
    return Markup(
        '<polyline points="{}" style="fill:none;stroke:{};stroke-width:1.6" '
        'marker-end="url(#{})"{}/>'
    ).format(path, SOFT, marker, start)


def head(marker: str) -> Markup:
    """The head of arrows, under the name `marker` (ids are one for a whole page)."""
    return Markup(
        '<defs><marker id="{}" viewBox="0 0 10 10" refX="9" refY="5" '
        'markerWidth="8" markerHeight="8" orient="auto-start-reverse">'
        '<path d="M0,0 L10,5 L0,10 z" style="fill:{}"/></marker></defs>'
    ).format(marker, SOFT)


def drawing(
    own: str,
    size: Point,
    title: str,
    about: str,
    inner: Markup,
    role: str = "img",
    scale: float = 1.0,
) -> Markup:
    """The whole, which scales with its column, up to `scale` times its own size.

    `own` makes its ids its own.
    A drawing with links in it is a group: what is inside an image no reader hears."""
    wide, high = size
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {:g} {:g}" '
        'role="{}" aria-labelledby="{own}-title {own}-desc" '
        'style="width:100%;max-width:{:g}px;height:auto;display:block;'
        'font-family:var(--jp-ui-font-family,sans-serif)">'
        '<title id="{own}-title">{}</title>'
        '<desc id="{own}-desc">{}</desc>{}</svg>'
    ).format(wide, high, role, wide * scale, title, about, inner, own=own)
