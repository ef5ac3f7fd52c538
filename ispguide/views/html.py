"""HTML from words: what is no Markup already is escaped, here and by `Markup.format`.

Only what this program wrote itself becomes Markup by its name.  An f-string escapes
nothing and makes a plain text again, so no HTML goes through one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

NOTHING = Markup()


class Cell(Markup):
    """A cell with its tags; a row puts plain ones around everything else."""


def state(words: str) -> Cell:
    """A cell that holds shape and word of a state."""
    return Cell('<td class="state">{}</td>').format(words)


def label(words: str) -> Cell:
    """A cell that names its row."""
    return Cell('<th scope="row">{}</th>').format(words)


def joined(parts: Iterable[str]) -> Markup:
    """One after the other."""
    return NOTHING.join(parts)


def each(form: str, parts: Iterable[object]) -> Markup:
    """All of them, each in this form."""
    return joined(Markup(form).format(part) for part in parts)


def attribute(name: str, value: str) -> Markup:
    """With the blank in front of it; an empty one is left out."""
    return Markup(' {}="{}"').format(name, value) if value else NOTHING


def row(cells: Iterable[object], kind: str = "") -> Markup:
    """`kind`: that of a gap, for whoever looks for it in the page."""
    plain = Cell("<td>{}</td>")
    inner = joined(c if isinstance(c, Cell) else plain.format(c) for c in cells)
    return Markup("<tr{}>{}</tr>").format(attribute("data-kind", kind), inner)


def table(
    heads: Sequence[str], rows: Iterable[Iterable[object]], none: str = ""
) -> Markup:
    """A row is its cells, or made by `row`.  `none`: said where there is no row."""
    body = joined(r if isinstance(r, Markup) else row(r) for r in rows)
    if not body and none:
        body = Markup('<tr><td colspan="{}">{}</td></tr>').format(len(heads), none)
    if not heads:
        return Markup("<table>{}</table>").format(body)
    plain = Cell('<th scope="col">{}</th>')
    top = joined(h if isinstance(h, Cell) else plain.format(h) for h in heads)
    whole = "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>"
    return Markup(whole).format(top, body)
