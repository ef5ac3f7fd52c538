"""The DNS coach's records, and who knows them already, as HTML and as text.

Pure; everything is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from ispguide.engine.report import STATES
from ispguide.mail.dns.compare import RIGHT, UNKNOWN
from ispguide.mail.dns.records import LEVELS, Shapes
from ispguide.tasks.dns import SHOWN, Note, Propagation, Row
from ispguide.views import html, style, svg

# The DNS coach's records as HTML and as text.  Pure; everything is escaped.


MEANING = {
    "required": "without it, mail fails",
    "recommended": "without it, mail suffers",
    "optional": "comfort",
}
Copied = Callable[[str, str], Markup]  #: (text, what it is) → a button


def nothing(text: str, what: str) -> Markup:
    """No button, where nothing could press it."""
    return html.NOTHING


def records_summary(rows: Sequence[Row]) -> tuple[str, str]:
    """(state, words) of all records together."""
    open_ = [row for row in rows if row.state == "gap"]
    unsure = [row for row in rows if row.state == "unknown"]
    if open_:
        return "gap", f"{len(open_)} of {len(rows)} to be put right"
    if unsure or not rows:
        return "unknown", f"{len(unsure) or 'all'} could not be told"
    return "ok", f"{sum(row.state == 'ok' for row in rows)} records are right"


def records_html(rows: Sequence[Row], live: bool = True) -> Markup:
    """A table per level: state, record, value, and what to type where it is not so."""
    if not rows:
        return Markup(
            "<p>The server's own addresses could not be told, and half of the records hold them.</p>"
        )
    copied = style.copy_button if live else nothing
    groups = html.joined(_group(level, rows, copied) for level in LEVELS)
    return (style.COPYING if live else html.NOTHING) + groups


def _group(level: str, rows: Sequence[Row], copied: Copied) -> Markup:
    mine = [row for row in rows if row.record.level == level]
    mine.sort(key=lambda row: row.state not in ("gap", "unknown"))
    if not mine:
        return html.NOTHING
    record = html.Cell('<th scope="col" style="width:36%">record</th>')
    heads = ("state", record, "what should be there")
    return Markup(
        '<div role="heading" aria-level="5" class="head">{}: {}</div>{}'
    ).format(level, MEANING[level], html.table(heads, (_row(r, copied) for r in mine)))


def _row(row: Row, copied: Copied) -> Markup:
    sign, record = STATES[row.state][0], row.record
    if row.state == "blocked":
        sign = "–"
    what = Markup('<strong>{}</strong> {}<div class="soft">{}</div>').format(
        record.type, _breaks(record.name), record.why
    )
    wrong = row.state in ("gap", "unknown")
    said = Markup("<div>{}</div>").format(row.sentence) if wrong else html.NOTHING
    cells = (html.state(f"{sign} {row.word}"), what, said + _values(row, copied))
    return html.row(cells, row.verdict.is_.kind)


def _breaks(name: str) -> Markup:
    """Long names (reverse ones of IPv6) may be broken at each dot."""
    return Markup(".<wbr>").join(name.split("."))


def _values(row: Row, copied: Copied) -> Markup:
    if not row.proposed.values:
        return Markup("<em>nothing</em>")
    lines = html.joined(
        Markup("<div><code>{}</code>{}</div>").format(
            s.line, copied(s.line, f"the value of {row.record}")
        )
        for s in row.shapes
    )
    typed = html.joined(_shapes(s, row, copied) for s in row.shapes)
    fold = style.fold("for the form", typed, row.state == "gap" and not row.by_itself)
    return lines + fold


def _shapes(s: Shapes, row: Row, copied: Copied) -> Markup:
    what = str(row.record)
    rows = [
        ("name, in the zone", s.relative),
        ("name, in full", s.absolute),
        ("type", row.record.type),
        *s.fields,
        ("value in one line", s.line),
    ]
    if s.pieces != s.line:
        rows.append(("value in quotes, pieces of 255", s.pieces))
    rows += [
        ("TTL, in seconds", str(row.proposed.ttl)),
        ("line of a zone file", s.zone),
    ]
    value = Markup("<code>{}</code>{}")
    cells = (
        (html.label(name), value.format(text, copied(text, f"{name} of {what}")))
        for name, text in rows
    )
    return html.table((), cells)


def records_text(rows: Sequence[Row]) -> str:
    """The same for a terminal, one record a line, and what is to be done below it."""
    lines = [records_summary(rows)[1]]
    for row in rows:
        value = " | ".join(row.proposed.values) or "nothing"
        lines.append(f"{row.word:14} {row.record.level:12} {row.record}: {value}")
        if row.state in ("gap", "unknown"):
            lines.append(f"    {row.sentence}")
    return "\n".join(lines)


# Who knows the records already, as a picture and a table.  Pure; all is escaped.


OVER = "has forgotten it by now: look again"
HIGH, WIDE = 74, 300


def places(found: Propagation) -> dict[str, list[Note]]:
    """The notes by place, the zone's own servers first."""
    grouped: dict[str, list[Note]] = {}
    for note in sorted(found.notes, key=lambda n: not n.own):
        grouped.setdefault(note.place, []).append(note)
    return grouped


def _old(notes: Sequence[Note]) -> list[Note]:
    return [n for n in notes if n.verdict.state not in (RIGHT, UNKNOWN)]


def propagation_summary(found: Propagation) -> tuple[str, str]:
    """(state, words) for the card's heading."""
    behind = [place for place, notes in places(found).items() if _old(notes)]
    if behind:
        return "gap", f"{len(behind)} of {len(places(found))} places know it otherwise"
    if not found.notes or all(n.verdict.state == UNKNOWN for n in found.notes):
        return "unknown", "nobody could be asked"
    return "ok", "everybody who was asked knows it"


def _words(notes: Sequence[Note]) -> tuple[str, str]:
    """(state, words) of one place."""
    old, unsure = _old(notes), [n for n in notes if n.verdict.state == UNKNOWN]
    if old:
        return "gap", f"{len(old)} of {len(notes)} otherwise"
    if unsure:
        return "unknown", f"{len(unsure)} of {len(notes)} could not be told"
    return "ok", f"all {len(notes)} right"


def picture(found: Propagation) -> Markup:
    """The book on the left, those who keep notes on the right."""
    own = {p: n for p, n in places(found).items() if n[0].own}
    others = {p: n for p, n in places(found).items() if not n[0].own}
    high = max(len(own), len(others), 1) * HIGH + 30
    own_ids = svg.name()
    parts = [
        svg.head(own_ids),
        svg.text(WIDE / 2, 18, "the name servers of the zone", 13),
        svg.text(WIDE * 2, 18, "resolvers, with their notes", 13),
        *(_box(10, i, p, n) for i, (p, n) in enumerate(own.items())),
        *(_box(WIDE * 1.5 + 10, i, p, n) for i, (p, n) in enumerate(others.items())),
        *(
            svg.arrow([(WIDE, 62), (WIDE * 1.5 + 4, 62 + i * HIGH)], own_ids)
            for i in range(len(others) if own else 0)
        ),
    ]
    told = "; ".join(f"{p}: {_words(n)[1]}" for p, n in places(found).items())
    size = (WIDE * 2.5 + 20, high)
    return svg.drawing(own_ids, size, "Who knows it already", told, html.joined(parts))


def _box(x: float, index: int, place: str, notes: Sequence[Note]) -> Markup:
    state, words = _words(notes)
    y = 30 + index * HIGH
    return (
        svg.box(x, y, WIDE - 20, HIGH - 14, style.COLOURS[state], 2)
        + svg.text(x + WIDE / 2 - 10, y + 24, place[:38], 13)
        + svg.text(x + WIDE / 2 - 10, y + 46, f"{STATES[state][0]} {words}", 13)
    )


def to_html(found: Propagation) -> Markup:
    """The picture, and below it a row for each record and a column for each place."""
    named = places(found)
    at = {(n.place, n.record.key): n for n in found.notes}
    records = {n.record.key: n.record for n in found.notes}
    rows = (
        (
            html.label(_breaks(str(record))),
            *(_noted(at.get((place, key)), found.time) for place in named),
        )
        for key, record in records.items()
    )
    return picture(found) + html.table(("record", *named), rows)


def _noted(note: Note | None, when: float) -> Markup:
    if note is None:
        return html.NOTHING
    state, word = SHOWN[note.verdict.state]
    told = html.NOTHING
    if note.verdict.state == UNKNOWN:
        told = Markup("<br>{}").format(note.verdict.is_)
    elif note.verdict.state != RIGHT:
        values = " | ".join(note.values) or "nothing"
        told = Markup("<br><code>{}</code>").format(values)
    sign, left = STATES[state][0], _left(note, when)
    return Markup("{} {}{}{}").format(sign, word, left, told)


def _left(note: Note, when: float) -> str:
    """How long it is believed."""
    if not note.left:
        return ""
    if note.own:
        return f", {note.left} s for whoever asks now"
    runs = style.seconds_left(when + note.left, note.left, OVER)
    return Markup(", believed for {}").format(runs)


def to_text(found: Propagation) -> str:
    """The same for a terminal."""
    lines = [propagation_summary(found)[1]]
    lines += [f"{place}: {_words(notes)[1]}" for place, notes in places(found).items()]
    lines += [
        f"  {n.place} still says {' | '.join(n.values) or 'nothing'} for {n.record}, {n.left} s"
        for n in found.notes
        if n in _old([n])
    ]
    return "\n".join(lines)
