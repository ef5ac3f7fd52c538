"""The DNS coach's records as HTML and as text.  Pure; everything is escaped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from ispguide.dns.coach import Row
from ispguide.dns.records import LEVELS, Shapes
from ispguide.notebook import frame
from ispguide.report import STATES

MEANING = {
    "required": "without it, mail fails",
    "recommended": "without it, mail suffers",
    "optional": "comfort",
}
Copied = Callable[[str, str], str]  #: (text, what it is) → a button


def nothing(text: str, what: str) -> str:
    """No button, where nothing could press it."""
    return ""


def summary(rows: Sequence[Row]) -> tuple[str, str]:
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
    copied = frame.copy_button if live else nothing
    groups = "".join(_group(level, rows, copied) for level in LEVELS)
    return (frame.COPYING if live else "") + groups


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
    fold = frame.fold("for the form", typed, row.state == "gap" and not row.by_itself)
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
    lines = [summary(rows)[1]]
    for row in rows:
        value = " | ".join(row.proposed.values) or "nothing"
        lines.append(f"{row.word:14} {row.record.level:12} {row.record}: {value}")
        if row.state in ("gap", "unknown"):
            lines.append(f"    {row.sentence}")
    return "\n".join(lines)
