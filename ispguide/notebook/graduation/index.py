"""The index of symptoms as HTML: the little Markdown of a table's cell, and its links."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape

from ispguide.graduation.symptoms import Symptom
from ispguide.notebook import frame

#: (target, words as HTML) → a link.
Link = Callable[[str, str], str]
_PIECES = re.compile(r"`([^`]+)`|\[([^\]]+)\]\(([^)\s]+)\)|\*\*([^*]+)\*\*|\*([^*]+)\*")


def inside(target: str, words: str) -> str:
    """A link that JupyterLab follows without loading the page anew."""
    path, _, cell = target.partition("#cell-id=")
    html = frame.link(path, "", cell=cell)
    return html.removesuffix("</a>") + words + "</a>"


def outside(target: str, words: str) -> str:
    """A plain link, as a file has it; behind it, in print, what it leads to."""
    return f'<a href="{escape(target, quote=True)}">{words}</a>'


def html(text: str, link: Link) -> str:
    """Code, links and emphasis of a cell in Markdown; all else is escaped."""
    done, end = [], 0
    text = text.replace("\\|", "|")
    for found in _PIECES.finditer(text):
        done += [escape(text[end : found.start()]), _piece(found, link)]
        end = found.end()
    return "".join([*done, escape(text[end:])])


def _piece(found: re.Match[str], link: Link) -> str:
    code, words, target, strong, soft = found.groups()
    if code is not None:
        return f"<code>{escape(code)}</code>"
    if target is not None:
        inner = html(words, link)
        return inner if "(" in words else link(target, inner)
    return f"<b>{escape(strong)}</b>" if strong else f"<em>{escape(soft)}</em>"


def table(rows: Sequence[Symptom], link: Link = inside) -> str:
    """A row for each symptom, with its chapter."""
    if not rows:
        return '<p role="status">No table says so. Try one word of what you see.</p>'
    body = "".join(_row(row, link) for row in rows)
    heads = ("you see", "it is usually", "repair", "chapter")
    top = "".join(f'<th scope="col">{head}</th>' for head in heads)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _row(row: Symptom, link: Link) -> str:
    cells = [html(text, link) for text in (row.sees, row.usually, row.repair)]
    cells.append(link(f"{row.notebook}#cell-id=when-it-breaks", escape(row.title)))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def as_text(rows: Sequence[Symptom]) -> str:
    """The same in plain lines."""
    return "\n".join(f"{r.sees} · {r.usually} · {r.repair} ({r.title})" for r in rows)
