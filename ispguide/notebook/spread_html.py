"""Who knows the records already, as a picture and a table.  Pure; all is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ispguide.dns.coach import SHOWN, Note
from ispguide.dns.meaning import RIGHT, UNKNOWN
from ispguide.notebook import frame
from ispguide.notebook.pictures import svg
from ispguide.report import STATES
from ispguide.tasks_dns import Spread

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


def summary(found: Spread) -> tuple[str, str]:
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
        svg.box(x, y, WIDE - 20, HIGH - 14, frame.COLOURS[state], 2)
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
        left = f", believed for {frame.seconds_left(when + note.left, note.left, OVER)}"
    return f"<td>{STATES[state][0]} {word}{left if note.left else ''}{told}</td>"


def to_text(found: Spread) -> str:
    """The same for a terminal."""
    lines = [summary(found)[1]]
    lines += [f"{place}: {_words(notes)[1]}" for place, notes in places(found).items()]
    lines += [
        f"  {n.place} still says {' | '.join(n.values) or 'nothing'} for {n.record}, {n.left} s"
        for n in found.notes
        if n in _old([n])
    ]
    return "\n".join(lines)
