"""The report as one HTML file and as Markdown: nothing is fetched, and nothing needs
JupyterLab.

It follows the reader's light or dark, and on paper it is black on white.  Everything
that came from outside is escaped.
"""

from __future__ import annotations

import base64
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from markupsafe import Markup

from ispguide import __version__
from ispguide.engine.overview import CHAPTER_STATES
from ispguide.engine.report import STATES
from ispguide.engine.settings import Settings
from ispguide.mail.log.traffic import KINDS, Flow, flow_words
from ispguide.mail.measures.certificate import certificate_words
from ispguide.mail.measures.health import JUDGED, health_words
from ispguide.tasks.components import PART_STATES
from ispguide.tasks.dns import Row
from ispguide.tasks.report import DUTIES, Graduation, Symptom, symptoms
from ispguide.views import diagram, html, plot, style, watching
from ispguide.views.watching import typed

# The index of symptoms as HTML: the little Markdown of a table's cell, and its links.


#: (target, words) → a link.
Link = Callable[[str, str], Markup]
_PIECES = re.compile(r"`([^`]+)`|\[([^\]]+)\]\(([^)\s]+)\)|\*\*([^*]+)\*\*|\*([^*]+)\*")


def inside(target: str, words: str) -> Markup:
    """A link that JupyterLab follows without loading the page anew."""
    path, _, cell = target.partition("#cell-id=")
    return style.link(path, words, cell=cell)


def outside(target: str, words: str) -> Markup:
    """A plain link, as a file has it; behind it, in print, what it leads to."""
    return Markup('<a href="{}">{}</a>').format(target, words)


def linked(text: str, link: Link) -> Markup:
    """Code, links and emphasis of a cell in Markdown; all else is escaped."""
    done, end = list[str](), 0
    text = text.replace("\\|", "|")
    for found in _PIECES.finditer(text):
        done += [text[end : found.start()], _piece(found, link)]
        end = found.end()
    return html.joined([*done, text[end:]])


def _piece(found: re.Match[str], link: Link) -> Markup:
    code, words, target, strong, soft = found.groups()
    if code is not None:
        return Markup("<code>{}</code>").format(code)
    if target is not None:
        inner = linked(words, link)
        return inner if "(" in words else link(target, inner)
    form = "<b>{}</b>" if strong else "<em>{}</em>"
    return Markup(form).format(strong or soft)


#: Heads of the index of symptoms.
INDEX = ("you see", "it is usually", "repair", "chapter")


def symptoms_table(rows: Sequence[Symptom], link: Link = inside) -> Markup:
    """A row for each symptom, with its chapter."""
    if not rows:
        return Markup(
            '<p role="status">No table says so. Try one word of what you see.</p>'
        )
    return html.table(INDEX, (_symptom(row, link) for row in rows))


def _symptom(row: Symptom, link: Link) -> list[Markup]:
    cells = [linked(text, link) for text in (row.sees, row.usually, row.repair)]
    return [*cells, link(f"{row.notebook}#cell-id=when-it-breaks", row.title)]


def symptoms_text(rows: Sequence[Symptom]) -> str:
    """The same in plain lines."""
    return "\n".join(f"{r.sees} · {r.usually} · {r.repair} ({r.title})" for r in rows)


# What both forms of the report share: sentences, tables as rows, and the pictures.


#: Title, sentence, SVG.
Picture = tuple[str, str, Markup]
Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def moment(seconds: float) -> str:
    """A time as a person writes it."""
    form = "%d %b %Y, %H:%M"
    return time.strftime(form, time.localtime(seconds)) if seconds else "never"


def at_a_glance(seen: Graduation) -> list[str]:
    """The report in a few sentences."""
    states = Counter(c.state for c in seen.overview.chapters)
    chapters = ", ".join(
        f"{states[state]} {word}"
        for state, (_, word) in CHAPTER_STATES.items()
        if states[state]
    )
    held = sum(p.state == "ok" for p in seen.proofs)
    right = sum(row.state == "ok" for row in seen.records)
    lines = [
        f"{len(seen.overview.chapters)} chapters: {chapters}.",
        f"{sum(f.state == 'ok' for f in seen.overview.report)} of {len(seen.overview.report)} things are as they should be.",
        f"{held} of {len(seen.proofs)} proofs held.",
        f"{right} of {len(seen.records)} DNS records are right.",
        health_words(seen.health) if seen.health else "How the server is could not be told.",
    ]  # fmt: skip
    lines += [] if seen.flow else ["The mail of the last days could not be told."]
    if not seen.certificate:
        return [*lines, "The certificate could not be told."]
    return [
        *lines,
        certificate_words(seen.certificate).replace("It ", "The certificate ", 1),
    ]


def built(seen: Graduation) -> Table:
    """What was built, a row a chapter."""
    rows: list[tuple[str, ...]] = []
    for one in seen.overview.chapters:
        sign, word = CHAPTER_STATES[one.state]
        when, who = seen.made.get(one.chapter.name, (0.0, ""))
        steps = ", ".join(step.title for step in one.chapter.steps)
        done = f"{moment(when)}, by {who}" if who else moment(when)
        title = f"{one.chapter.number:02d} {one.chapter.title}"
        rows.append(
            (f"{sign} {word}", title, one.chapter.learn, steps or "proofs only", done)
        )
    return ("state", "chapter", "what it is about", "steps", "last changed"), rows


def components(seen: Graduation) -> Table:
    """The programs, a row each: what the picture shows."""
    rows: list[tuple[str, ...]] = [
        (" ".join(PART_STATES[p.state]), p.part.name, p.part.about)
        for p in seen.parts if p.state != "later"
    ]  # fmt: skip
    return ("state", "part", "what it does"), rows


def proofs(seen: Graduation) -> Table:
    """Every proof with its evidence, and when it was tried."""
    rows: list[tuple[str, ...]] = []
    for p in seen.proofs:
        sign, word = STATES[p.state]
        words = "held" if p.state == "ok" else word
        said = p.evidence or "Run the report with the proofs to see it."
        when = f"{moment(p.time)}, by {p.who}" if p.who else moment(p.time)
        rows.append((f"{sign} {words}", p.chapter, p.sentence, said, when))
    return ("state", "chapter", "what was proved", "evidence", "when"), rows


def records(seen: Graduation) -> Table:
    """The DNS table: what should be there, and whether it is."""
    rows = [_record(row) for row in seen.records]
    return ("state", "name", "type", "value", "why"), rows


def _record(row: Row) -> tuple[str, ...]:
    value = " | ".join(row.proposed.values) or "nothing"
    state = (
        row.word
        if row.record.level == "required"
        else f"{row.word} ({row.record.level})"
    )
    return state, row.record.name, row.record.type, value, row.record.why


def pictures(seen: Graduation) -> Iterator[Picture]:
    """Every picture that there is something to draw for."""
    yield "The mail server", "Every part, and how it stands.", diagram.drawn(seen.parts)
    if seen.flow and any(seen.flow.of(kind) for kind in KINDS):
        yield from _of_mail(seen.flow, seen.settings)
    if cert := seen.certificate:
        words = certificate_words(cert)
        drawn = plot.draw(lambda a: plot.life(a, cert), "The certificate", words, 1.5)
        yield "The certificate's life", words, drawn


def _of_mail(mail: Flow, s: Settings) -> Iterator[Picture]:
    table, labels = watching.stretches(mail, s)
    words = flow_words(mail)
    drawn = plot.draw(lambda a: watching.bars(a, table, labels), "Mail", words, 3.0)
    yield "Mail of the last days", words, drawn
    if mail.of("refused") + mail.of("later"):
        why, words = mail.reasons(), "Why mail was refused, or told to come again."
        high = 0.8 + 0.32 * len(why)
        drawn = plot.draw(lambda a: watching.lying(a, why), "Refused", words, high)
        yield "Refused", words, drawn
    if mail.of("score"):
        points, words = mail.points(), "How many points the spam filter gave."
        drawn = plot.draw(lambda a: watching.propagation(a, points, s), "Points", words)
        yield "Points", words, drawn


# The report as one HTML file: nothing is fetched, and nothing needs JupyterLab.


#: JupyterLab's names for colours, which the pictures use, with values for a page.
_LIGHT = """--jp-ui-font-color1:#1b1b1b;--jp-ui-font-color2:#555;--jp-layout-color1:#fff;
--jp-layout-color2:#f1f1f1;--jp-border-color1:#8a8a8a;--jp-border-color2:#bdbdbd;
--jp-border-color3:#ddd;--jp-success-color1:#2e7d32;--jp-error-color1:#c62828;
--jp-warn-color1:#b45309;--jp-brand-color1:#1565c0;--jp-content-link-color:#0d47a1"""
_DARK = """--jp-ui-font-color1:#ececec;--jp-ui-font-color2:#b8b8b8;--jp-layout-color1:#151515;
--jp-layout-color2:#262626;--jp-border-color1:#8a8a8a;--jp-border-color2:#5a5a5a;
--jp-border-color3:#3a3a3a;--jp-success-color1:#66bb6a;--jp-error-color1:#ef5350;
--jp-warn-color1:#ffa726;--jp-brand-color1:#64b5f6;--jp-content-link-color:#90caf9"""
_STYLE = f"""
:root{{color-scheme:light dark;{_LIGHT}}}
@media (prefers-color-scheme:dark){{:root{{{_DARK}}}}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;
 color:var(--jp-ui-font-color1);background:var(--jp-layout-color1)}}
h1{{line-height:1.2}}h2{{margin-top:2.5em;border-bottom:2px solid var(--jp-border-color2)}}
a{{color:var(--jp-content-link-color)}}a:focus-visible{{outline:3px solid var(--jp-brand-color1)}}
code{{background:var(--jp-layout-color2);padding:0 .25em;overflow-wrap:anywhere}}
.wide{{overflow-x:auto}}table{{border-collapse:collapse;width:100%;font-size:.9em}}
th,td{{text-align:left;vertical-align:top;padding:.3em .8em .3em 0;overflow-wrap:break-word}}
td:first-child{{white-space:nowrap}}tr{{border-top:1px solid var(--jp-border-color3)}}
.index td:first-child{{white-space:normal;width:27%}}
figure{{margin:1em 0}}figcaption{{font-size:.9em;color:var(--jp-ui-font-color2)}}
nav ul{{columns:2;padding-left:1.2em}}
@media print{{@page{{margin:16mm}}:root{{{_LIGHT}}}body{{margin:0;max-width:none;font-size:10.5pt}}
 h2{{break-after:avoid}}tr,figure{{break-inside:avoid}}thead{{display:table-header-group}}nav{{display:none}}}}
"""


def page(seen: Graduation) -> str:
    """The whole file."""
    sections = list(_sections(seen))
    contents = html.joined(
        Markup('<li><a href="#part-{}">{}</a></li>').format(i, title)
        for i, (title, _) in enumerate(sections)
    )
    body = html.joined(
        Markup('<section><h2 id="part-{}">{}</h2>{}</section>').format(i, title, inner)
        for i, (title, inner) in enumerate(sections)
    )
    whole = Markup(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}: the report</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">'
        "<style>{}</style></head><body><main><h1>{name}: the report to keep</h1>"
        '<p>{}</p><nav aria-label="contents"><ul>{}</ul></nav>{}</main></body></html>\n'
    )  # fmt: skip
    name, css = seen.settings.hostname, Markup(_STYLE)
    return str(whole.format(css, intro(seen), contents, body, name=name))


def intro(seen: Graduation) -> str:
    """When it was written, for which domain, by which version."""
    return (
        f"Written on {moment(seen.time)} for {seen.settings.domain}, by ispguide "
        f"{__version__}. No password stands in it, and no list of people."
    )


def _sections(seen: Graduation) -> Iterator[tuple[str, Markup]]:
    yield "At a glance", _list(at_a_glance(seen))
    yield "Pictures", html.joined(_figure(*picture) for picture in pictures(seen))
    yield "What was built", _table_html(*built(seen)) + _table_html(*components(seen))
    yield "What was proved", _table_html(*proofs(seen))
    yield "The DNS", _table_html(*records(seen))
    if seen.health:
        looks = [
            (" ".join(JUDGED[h.state]), h.what, h.words, h.do) for h in seen.health
        ]
        yield (
            "How it was",
            _table_html(("how", "part", "what was so", "what to do"), looks),
        )
    for when, duties in DUTIES.items():
        yield when, _list(linked(text, outside) for text in duties)
    yield "From what you see to what repairs it", _index_html()


def _list(items: Iterable[str]) -> Markup:
    return Markup("<ul>{}</ul>").format(html.each("<li>{}</li>", items))


def _figure(title: str, words: str, drawn: Markup) -> Markup:
    figure = "<h3>{}</h3><figure>{}<figcaption>{}</figcaption></figure>"
    return Markup(figure).format(title, _unlinked(drawn), words)


def _unlinked(drawn: Markup) -> Markup:
    """Links into notebooks lead nowhere from a file, so the picture has none."""
    return Markup(str(drawn).replace("<a ", "<g ").replace("</a>", "</g>"))


def _table_html(heads: Sequence[str], rows: Iterable[Iterable[str]]) -> Markup:
    made = html.table(heads, (map(typed, row) for row in rows))
    return Markup('<div class="wide">{}</div>').format(made)


def _index_html() -> Markup:
    return Markup(
        "<p>Read from the notebooks. A link leads to the cell when this file lies in "
        "their folder; else open the notebook it names, and look for the heading.</p>"
        '<div class="wide index">{}</div>'
    ).format(symptoms_table(symptoms(), outside))


# The report as Markdown, its pictures in it: one file, to be kept with one's notes.


def markdown(seen: Graduation) -> str:
    """The whole file."""
    return "\n".join(_lines(seen)).rstrip() + "\n"


def _lines(seen: Graduation) -> Iterator[str]:
    yield from (f"# {seen.settings.hostname}: the report to keep", "", intro(seen), "")
    yield from (
        "## At a glance",
        "",
        *(f"- {plain(text)}" for text in at_a_glance(seen)),
        "",
    )
    yield from ("## Pictures", "")
    for title, words, drawn in pictures(seen):
        told = plain(words)
        yield from (f"### {title}", "", f"![{told}]({_inline(drawn)})", "", told, "")
    yield from ("## What was built", "", *_table_lines(*built(seen)))
    yield from _table_lines(*components(seen))
    yield from ("## What was proved", "", *_table_lines(*proofs(seen)))
    yield from ("## The DNS", "", *_table_lines(*records(seen)))
    if seen.health:
        looks = [
            (" ".join(JUDGED[h.state]), h.what, h.words, h.do) for h in seen.health
        ]
        heads = ("how", "part", "what was so", "what to do")
        yield from ("## How it was", "", *_table_lines(heads, looks))
    for when, duties in DUTIES.items():
        yield from (f"## {when}", "", *(f"- {text}" for text in duties), "")
    yield from _index_lines()


def _index_lines() -> Iterator[str]:
    yield from ("## From what you see to what repairs it", "")
    yield from _row_line(INDEX)
    for s in symptoms():
        chapter = f"[{s.title}]({s.notebook}#cell-id=when-it-breaks)"
        yield f"| {s.sees} | {s.usually} | {s.repair} | {chapter} |"


def _inline(drawn: Markup) -> str:
    """A picture as a part of the file."""
    raw = _unlinked(drawn).encode()
    return "data:image/svg+xml;base64," + base64.b64encode(raw).decode()


def _table_lines(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield from _row_line(tuple(heads))
    for row in rows:
        yield "| " + " | ".join(map(plain, row)) + " |"
    yield ""


def _row_line(heads: tuple[str, ...]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)


def plain(text: str) -> str:
    """Words from outside: no line's end, no bar, nothing that is markup."""
    line = " ".join(text.split())
    for sign in "\\|<>[]*_":
        line = line.replace(sign, "\\" + sign)
    return line
