"""The DNS coach's records, and who knows them already, as HTML and as text.

Pure; everything is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from ispguide.engine.report import STATES
from ispguide.mail.dns.compare import RIGHT, UNKNOWN
from ispguide.mail.dns.records import LEVELS, Shapes
from ispguide.tasks.dns import SHOWN, Note, Row, Spread
from ispguide.views import style, svg

# The DNS coach's records as HTML and as text.  Pure; everything is escaped.


MEANING = {
    "required": "without it, mail fails",
    "recommended": "without it, mail suffers",
    "optional": "comfort",
}
Copied = Callable[[str, str], str]  #: (text, what it is) → a button


def nothing(text: str, what: str) -> str:
    """No button, where nothing could press it."""
    return ""


def records_summary(rows: Sequence[Row]) -> tuple[str, str]:
    """(state, words) of all records together."""
    open_ = [row for row in rows if row.state == "gap"]
    unsure = [row for row in rows if row.state == "unknown"]
    if open_:
        return "gap", f"{len(open_)} of {len(rows)} to be put right"
    if unsure or not rows:
        return "unknown", f"{len(unsure) or 'all'} could not be told"
    return "ok", f"{sum(row.state == 'ok' for row in rows)} records are right"


def records_html(rows: Sequence[Row], live: bool = True) -> str:
    """A table per level: state, record, value, and what to type where it is not so."""
    if not rows:
        return "<p>The server's own addresses could not be told, and half of the records hold them.</p>"
    copied = style.copy_button if live else nothing
    groups = "".join(_group(level, rows, copied) for level in LEVELS)
    return (style.COPYING if live else "") + groups


def _group(level: str, rows: Sequence[Row], copied: Copied) -> str:
    mine = [row for row in rows if row.record.level == level]
    mine.sort(key=lambda row: row.state not in ("gap", "unknown"))
    if not mine:
        return ""
    body = "".join(_row(row, copied) for row in mine)
    return (
        f'<div role="heading" aria-level="5" class="head">{level}: {MEANING[level]}</div>'
        '<table><thead><tr><th scope="col">state</th><th scope="col" style="width:36%">record</th>'
        f'<th scope="col">what should be there</th></tr></thead><tbody>{body}</tbody></table>'
    )


def _row(row: Row, copied: Copied) -> str:
    sign, record = STATES[row.state][0], row.record
    if row.state == "blocked":
        sign = "–"
    name = f"<strong>{record.type}</strong> {_breaks(record.name)}"
    about = f'<div class="soft">{escape(record.why)}</div>'
    said = (
        f"<div>{escape(row.sentence)}</div>" if row.state in ("gap", "unknown") else ""
    )
    kind = row.verdict.is_.kind
    mark = f' data-kind="{kind}"' if kind else ""
    return (
        f'<tr{mark}><td class="state">{sign} {row.word}</td><td>{name}{about}</td>'
        f"<td>{said}{_values(row, copied)}</td></tr>"
    )


def _breaks(name: str) -> str:
    """Long names (reverse ones of IPv6) may be broken at each dot."""
    return escape(name).replace(".", ".<wbr>")


def _values(row: Row, copied: Copied) -> str:
    if not row.proposed.values:
        return "<em>nothing</em>"
    lines = "".join(
        f"<div><code>{escape(s.line)}</code>{copied(s.line, f'the value of {row.record}')}</div>"
        for s in row.shapes
    )
    typed = "".join(_shapes(s, row, copied) for s in row.shapes)
    fold = style.fold("for the form", typed, row.state == "gap" and not row.by_itself)
    return lines + fold


def _shapes(s: Shapes, row: Row, copied: Copied) -> str:
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
    cells = "".join(
        f'<tr><th scope="row">{escape(label)}</th><td><code>{escape(text)}</code>'
        f"{copied(text, f'{label} of {what}')}</td></tr>"
        for label, text in rows
    )
    return f"<table>{cells}</table>"


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


def places(found: Spread) -> dict[str, list[Note]]:
    """The notes by place, the zone's own servers first."""
    grouped: dict[str, list[Note]] = {}
    for note in sorted(found.notes, key=lambda n: not n.own):
        grouped.setdefault(note.place, []).append(note)
    return grouped


def _old(notes: Sequence[Note]) -> list[Note]:
    return [n for n in notes if n.verdict.state not in (RIGHT, UNKNOWN)]


def spread_summary(found: Spread) -> tuple[str, str]:
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


def picture(found: Spread) -> str:
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
    return svg.drawing(own_ids, size, "Who knows it already", told, "".join(parts))


def _box(x: float, index: int, place: str, notes: Sequence[Note]) -> str:
    state, words = _words(notes)
    y = 30 + index * HIGH
    return (
        svg.box(x, y, WIDE - 20, HIGH - 14, style.COLOURS[state], 2)
        + svg.text(x + WIDE / 2 - 10, y + 24, place[:38], 13)
        + svg.text(x + WIDE / 2 - 10, y + 46, f"{STATES[state][0]} {words}", 13)
    )


def to_html(found: Spread) -> str:
    """The picture, and below it a row for each record and a column for each place."""
    named = places(found)
    heads = "".join(f'<th scope="col">{escape(place)}</th>' for place in named)
    at = {(n.place, n.record.key): n for n in found.notes}
    records = {n.record.key: n.record for n in found.notes}
    rows = "".join(
        f'<tr><th scope="row">{escape(str(record)).replace(".", ".<wbr>")}</th>'
        + "".join(_cell(at.get((place, key)), found.time) for place in named)
        + "</tr>"
        for key, record in records.items()
    )
    return (
        f'{picture(found)}<table><thead><tr><th scope="col">record</th>{heads}</tr>'
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _cell(note: Note | None, when: float) -> str:
    if note is None:
        return "<td></td>"
    state, word = SHOWN[note.verdict.state]
    said = f"<br><code>{escape(' | '.join(note.values) or 'nothing')}</code>"
    told = said if note.verdict.state != RIGHT else ""
    if note.verdict.state == UNKNOWN:
        told = f"<br>{escape(note.verdict.is_)}"
    left = f", {note.left} s for whoever asks now" if note.own else ""
    if note.left and not note.own:
        left = f", believed for {style.seconds_left(when + note.left, note.left, OVER)}"
    return f"<td>{STATES[state][0]} {word}{left if note.left else ''}{told}</td>"


def to_text(found: Spread) -> str:
    """The same for a terminal."""
    lines = [spread_summary(found)[1]]
    lines += [f"{place}: {_words(notes)[1]}" for place, notes in places(found).items()]
    lines += [
        f"  {n.place} still says {' | '.join(n.values) or 'nothing'} for {n.record}, {n.left} s"
        for n in found.notes
        if n in _old([n])
    ]
    return "\n".join(lines)
