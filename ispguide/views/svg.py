"""SVG as text: what both the diagram and the strip of a journey are made of.

Colours come from JupyterLab's theme, with a fallback for other front ends.  Every
text is escaped.  Nothing here knows what is drawn.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from html import escape

from ispguide.views import style as frame

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
) -> str:
    """Words; in the middle of x, or beginning there."""
    anchor = "middle" if middle else "start"
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" '
        f'style="fill:{INK};font-size:{size}px;{style}">{escape(words)}</text>'
    )


def box(
    x: float, y: float, wide: float, high: float, stroke: str, width: float = 1.5,
    fill: str = PAPER, dashed: bool = False,
) -> str:  # fmt: skip
    """A rectangle."""
    dash = "stroke-dasharray:6 4;" if dashed else ""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" rx="6" '
        f'style="fill:{fill};stroke:{stroke};stroke-width:{width};{dash}"/>'
    )


def arrow(points: Sequence[Point], marker: str, both: bool = False) -> str:
    """A line through these points, with a head at its end."""
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    start = f' marker-start="url(#{marker})"' if both else ""
    return (
        f'<polyline points="{path}" style="fill:none;stroke:{SOFT};stroke-width:1.6" '
        f'marker-end="url(#{marker})"{start}/>'
    )


def head(marker: str) -> str:
    """The head of arrows, under the name `marker` (ids are one for a whole page)."""
    return (
        f'<defs><marker id="{marker}" viewBox="0 0 10 10" refX="9" refY="5" '
        'markerWidth="8" markerHeight="8" orient="auto-start-reverse">'
        f'<path d="M0,0 L10,5 L0,10 z" style="fill:{SOFT}"/></marker></defs>'
    )


def drawing(
    own: str,
    size: Point,
    title: str,
    about: str,
    inner: str,
    role: str = "img",
    scale: float = 1.0,
) -> str:
    """The whole, which scales with its column, up to `scale` times its own size.

    `own` makes its ids its own.
    A drawing with links in it is a group: what is inside an image no reader hears."""
    wide, high = size
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" '
        f'role="{role}" aria-labelledby="{own}-title {own}-desc" '
        f'style="width:100%;max-width:{wide * scale:g}px;height:auto;display:block;'
        'font-family:var(--jp-ui-font-family,sans-serif)">'
        f'<title id="{own}-title">{escape(title)}</title>'
        f'<desc id="{own}-desc">{escape(about)}</desc>{inner}</svg>'
    )


def link(path: str, label: str, inner: str) -> str:
    """What leads to a notebook, also with the keyboard."""
    html = frame.link(path, "", css="ispg-part")
    opened = html[: html.index(">")]
    return f'{opened} aria-label="{escape(label, quote=True)}">{inner}</a>'
