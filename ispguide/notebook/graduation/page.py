"""The report as one HTML file: nothing is fetched, and nothing needs JupyterLab.

It follows the reader's light or dark, and on paper it is black on white.  Everything
that came from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from ispguide import __version__
from ispguide.graduation import Graduation
from ispguide.graduation.duties import DUTIES
from ispguide.graduation.symptoms import symptoms
from ispguide.measures.health import JUDGED
from ispguide.notebook.graduation import index, parts
from ispguide.notebook.pictures.health_html import typed

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


def html(seen: Graduation) -> str:
    """The whole file."""
    name = escape(seen.settings.hostname)
    sections = list(_sections(seen))
    contents = "".join(
        f'<li><a href="#part-{i}">{t}</a></li>' for i, (t, _) in enumerate(sections)
    )
    body = "".join(
        f'<section><h2 id="part-{i}">{t}</h2>{b}</section>'
        for i, (t, b) in enumerate(sections)
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}: the report</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">'
        f"<style>{_STYLE}</style></head><body><main><h1>{name}: the report to keep</h1>"
        f"<p>{escape(intro(seen))}</p><nav aria-label=\"contents\"><ul>{contents}</ul></nav>{body}"
        "</main></body></html>\n"
    )  # fmt: skip


def intro(seen: Graduation) -> str:
    """When it was written, for which domain, by which version."""
    return (
        f"Written on {parts.moment(seen.time)} for {seen.settings.domain}, by ispguide "
        f"{__version__}. No password stands in it, and no list of people."
    )


def _sections(seen: Graduation) -> Iterator[tuple[str, str]]:
    yield "At a glance", _list(map(escape, parts.at_a_glance(seen)))
    yield "Pictures", "".join(_figure(*picture) for picture in parts.pictures(seen))
    yield "What was built", _table(*parts.built(seen)) + _table(*parts.components(seen))
    yield "What was proved", _table(*parts.proofs(seen))
    yield "The DNS", _table(*parts.records(seen))
    if seen.health:
        looks = [
            (" ".join(JUDGED[h.state]), h.what, h.words, h.do) for h in seen.health
        ]
        yield "How it was", _table(("how", "part", "what was so", "what to do"), looks)
    for when, duties in DUTIES.items():
        yield when, _list(index.html(text, index.outside) for text in duties)
    yield "From what you see to what repairs it", _index()


def _list(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def _figure(title: str, words: str, drawn: str) -> str:
    """Links into notebooks lead nowhere from a file, so the picture has none."""
    plain = drawn.replace("<a ", "<g ").replace("</a>", "</g>")
    return f"<h3>{escape(title)}</h3><figure>{plain}<figcaption>{escape(words)}</figcaption></figure>"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{typed(c)}</td>" for c in row) + "</tr>" for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _index() -> str:
    words = (
        "<p>Read from the notebooks. A link leads to the cell when this file lies in "
        "their folder; else open the notebook it names, and look for the heading.</p>"
    )
    return (
        f'{words}<div class="wide index">{index.table(symptoms(), index.outside)}</div>'
    )
