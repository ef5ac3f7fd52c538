"""The big picture: the whole mail server as a drawing, each component with its state.

Pure: states go in, SVG comes out.  A state is a shape and a word; the colour is there
besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from ispguide.tasks.components import PART_STATES, UNSEEN, PartState
from ispguide.views import html, style, svg

# The big picture in words: a table of the components, and the same as lines.


def table(states: Sequence[PartState]) -> Markup:
    """Every component with what it does, its state, what is missing, its chapter."""
    return html.table(("component", "state", "why", "told in"), map(_row, states))


def _row(state: PartState) -> tuple[str, ...]:
    part, told = state.part, state.part.told_in
    sign, word = PART_STATES[state.state]
    where = (
        style.link(told.notebook, f"{told.number:02d} {told.title}")
        if told
        else "later"
    )
    what = Markup("<b>{}</b>: {}").format(part.name, part.about)
    return what, html.state(f"{sign} {word}"), _why(state), where


def as_text(states: Sequence[PartState]) -> str:
    """The same in plain lines."""
    rows = ((*PART_STATES[s.state], s.part) for s in states)
    return "\n".join(f"{sign} {p.name} ({p.about}): {word}" for sign, word, p in rows)


# The big picture: the whole mail server as a drawing, each component with its state.


WIDE, HIGH = 960.0, 560.0
BOX = (150.0, 56.0)

#: Where each component stands: its upper left corner.
PLACES: dict[str, svg.Point] = {
    "dns": (14, 30),
    "smtp": (252, 150),
    "submission": (252, 270),
    "rspamd": (500, 42),
    "redis": (742, 42),
    "lmtp": (560, 168),
    "sieve": (770, 168),
    "imap": (560, 288),
    "mailboxes": (770, 288),
    "roundcube": (252, 388),
    "apache": (252, 478),
    "certbot": (464, 478),
    "mariadb": (676, 454),
}

#: Who is no program of ours: name, what it is, place.
OUTSIDE = (
    ("The world", "other mail servers", (14, 150)),
    ("You", "your mail programs", (14, 270)),
    ("An authority", "signs certificates", (14, 478)),
)

COLOURS = {
    "proved": style.GOOD,
    "true": style.GOOD,
    "open": style.OPEN,
    "drifted": style.OPEN,
    "failed": style.BAD,
    "stopped": style.BAD,
}

#: Lines through points, and whether they go both ways.
WAYS: tuple[tuple[tuple[svg.Point, ...], bool], ...] = (
    (((164, 178), (252, 178)), True),
    (((164, 290), (252, 290)), False),
    (((164, 318), (208, 318), (208, 366), (635, 366), (635, 344)), True),
    (((164, 506), (252, 506)), False),
    (((89, 86), (89, 150)), True),
    (((402, 164), (470, 164), (470, 84), (500, 84)), True),
    (((650, 70), (742, 70)), True),
    (((402, 192), (560, 192)), False),
    (((710, 196), (770, 196)), False),
    (((845, 224), (845, 288)), False),
    (((710, 316), (770, 316)), True),
    (((845, 168), (845, 128), (620, 128), (620, 98)), False),
    (((327, 206), (327, 231)), False),
    (((327, 270), (327, 247)), False),
    (((411, 346), (411, 424), (700, 424), (700, 454)), True),
    (((402, 396), (660, 396), (660, 344)), True),
    (((327, 478), (327, 444)), False),
    (((751, 356), (751, 454)), True),
    (((402, 506), (464, 506)), True),
)

#: Words at the lines: x, y, words.
WORDS = (
    (193, 172, "25"),
    (193, 284, "587, 465"),
    (285, 361, "993, 143"),
    (193, 500, "80, 443"),
    (89, 122, "who takes mail?"),
    (327, 243, "queue"),
    (478, 128, "is it spam?"),
    (481, 186, "please keep this"),
    (700, 122, "teaches"),
    (560, 390, "reads like you"),
    (490, 418, "who lives here?"),
    (833, 414, "is the password right?"),
)


def big_picture(states: Sequence[PartState] = UNSEEN, highlight: str = "") -> Markup:
    """The drawing, and the same as a table folded below it."""
    legend = ", ".join(" ".join(pair) for pair in PART_STATES.values())
    return Markup('{}{}<div class="soft">{}</div>{}').format(
        _STYLE,
        drawn(states, highlight),
        legend,
        style.fold("the same as a table", table(states)),
    )


def drawn(states: Sequence[PartState] = UNSEEN, highlight: str = "") -> Markup:
    """The drawing alone."""
    own = svg.name()
    inner = [svg.head(f"{own}-head"), _frames(states), _ways(f"{own}-head")]
    inner += [_outside(name, about, place) for name, about, place in OUTSIDE]
    inner += [_part(state, highlight) for state in states if state.part.key in PLACES]
    title = "The big picture: a mail server and the world around it"
    return svg.drawing(
        own, (WIDE, HIGH), title, _told(states), html.joined(inner), role="group"
    )


_STYLE = Markup(
    "<style>.ispg svg a,.ispg svg a text{cursor:pointer;text-decoration:none}.ispg svg a:focus-visible rect{stroke-width:4}"
    ".ispg svg a:hover text:first-of-type{text-decoration:underline}</style>"
)


def _told(states: Iterable[PartState]) -> str:
    """The drawing in a sentence a component, for who does not see it."""
    rows = (f"{s.part.name}: {PART_STATES[s.state][1]}" for s in states)
    return (
        "The world brings mail to Postfix at port 25, you bring yours at ports 587 and "
        "465. Postfix asks rspamd and MariaDB and hands mail to Dovecot, from which you "
        f"read it. {'; '.join(rows)}."
    )


def _frames(states: Sequence[PartState]) -> Markup:
    """The machine, and in it Postfix and Dovecot with their parts."""
    machine = next((s for s in states if s.part.key == "machine"), None)
    word = " ".join(PART_STATES[machine.state]) if machine else ""
    parts = [
        svg.box(224, 6, 730, 548, svg.LINE, fill="none", dashed=True),
        svg.text(240, 28, f"the server: {word}", 13, middle=False),
        svg.box(240, 120, 176, 226, svg.LINE, fill=svg.SHADE),
        svg.text(328, 141, "Postfix", 15, "font-weight:600"),
        svg.box(546, 138, 388, 218, svg.LINE, fill=svg.SHADE),
        svg.text(740, 159, "Dovecot", 15, "font-weight:600"),
    ]
    return html.joined(parts)


def _ways(marker: str) -> Markup:
    lines = html.joined(svg.arrow(points, marker, both) for points, both in WAYS)
    halo = f"paint-order:stroke;stroke:{svg.PAPER};stroke-width:4px;"
    words = html.joined(svg.text(x, y, told, 12, halo) for x, y, told in WORDS)
    return lines + words


def _outside(name: str, about: str, place: svg.Point) -> Markup:
    x, y = place
    wide, high = BOX
    return (
        svg.box(x, y, wide, high, svg.LINE, dashed=True)
        + svg.text(x + wide / 2, y + 24, name, 15, "font-weight:600")
        + svg.text(x + wide / 2, y + 43, about, 12)
    )


def _part(state: PartState, highlight: str) -> Markup:
    """A component: name, shape and word of its state, a link, and your place."""
    part, (x, y), (wide, high) = state.part, PLACES[state.part.key], BOX
    sign, word = PART_STATES[state.state]
    lit = part.lit_by(highlight)
    stroke, width = COLOURS.get(state.state, svg.LINE), 2.0
    marks = [Markup("<title>{}</title>").format(_tip(state))]
    if lit:
        marks.append(svg.box(x - 5, y - 5, wide + 10, high + 10, svg.BLUE, 3.5))
    marks.append(svg.box(x, y, wide, high, stroke, width))
    name = f"▶ {part.name}" if lit else part.name
    marks.append(svg.text(x + wide / 2, y + 24, name, 15, "font-weight:600"))
    marks.append(svg.text(x + wide / 2, y + 43, f"{sign} {word}", 13))
    inner = html.joined(marks)
    if not part.told_in:
        return Markup("<g>{}</g>").format(inner)
    label = f"{part.name}: {word}{', this chapter' if lit else ''}"
    return style.link(part.told_in.notebook, inner, css="ispg-part", label=label)


def _why(state: PartState) -> str:
    return (state.why.splitlines() or [""])[0]


def _tip(state: PartState) -> str:
    return f"{state.part.name} {state.part.about}. {_why(state)}".strip()
