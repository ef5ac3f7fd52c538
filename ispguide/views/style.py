"""The looks that all cards share, as HTML: colours, badges, links, progress.

Pure functions.  Colours come from JupyterLab's theme, so light and dark follow it;
what other front ends lack has a fallback.  A state is a shape and a word, and a
colour only besides.  Everything that came from outside is escaped.
"""

from __future__ import annotations

import json

from markupsafe import Markup

from ispguide.engine.errors import GuideError
from ispguide.engine.progress import Running
from ispguide.engine.report import STATES
from ispguide.views.html import NOTHING, attribute, joined

GOOD = "var(--jp-success-color1, #388e3c)"
BAD = "var(--jp-error-color1, #d32f2f)"
OPEN = "var(--jp-warn-color1, #f57c00)"
CALM = "var(--jp-border-color1, #9e9e9e)"
BUSY = "var(--jp-brand-color1, #1976d2)"
COLOURS = {
    "ok": GOOD,
    "fixed": GOOD,
    "gap": OPEN,
    "drifted": OPEN,
    "failed": BAD,
    "blocked": CALM,
    "unknown": CALM,
    "busy": BUSY,
}
#: Shape and word of what a card may be in.
SIGNS = STATES | {"drifted": ("↯", "drifted"), "busy": ("…", "at work")}

_STYLE = """
.ispg-card{border:1px solid var(--jp-border-color2,#bdbdbd);border-left:6px solid %(calm)s;
 padding:6px 12px 8px;margin:2px 0;overflow:visible;background:var(--jp-layout-color1,transparent)}
%(states)s
.ispg-card .widget-html,.ispg-card .widget-html-content{overflow:visible;height:auto;line-height:1.45}
.ispg-card .widget-html-content{color:var(--jp-ui-font-color1,inherit);width:100%%}
.ispg-bar{align-items:center;flex-flow:row wrap;overflow:visible}
.ispg-card .ispg-bar .widget-radio{display:flex;width:auto;flex-direction:row;flex-flow:row wrap;align-items:center}
.ispg-card .ispg-bar .widget-radio .widget-label{width:auto;margin:0 6px 0 12px}
.ispg-card .ispg-bar .widget-radio-box{flex-flow:row wrap;margin:0!important}
.ispg-bar .jupyter-button{height:auto;min-height:32px;padding:2px 12px;line-height:1.3;white-space:normal}
.ispg-card .jupyter-button{color:var(--jp-ui-font-color1);background:var(--jp-layout-color2);
 border:1px solid var(--jp-border-color1)}
.ispg-card .jupyter-button:focus-visible,.ispg-card a:focus-visible,.ispg-card summary:focus-visible,
.ispg-card input:focus-visible{outline:3px solid %(busy)s;outline-offset:1px}
.ispg-card .jupyter-button.ispg-do{font-weight:600;border:2px solid %(busy)s}
.ispg-live{min-height:2.9em;color:var(--jp-ui-font-color1);font-size:var(--jp-ui-font-size1,13px)}
.ispg-live progress{width:14em;max-width:40%%;height:10px;accent-color:%(busy)s;vertical-align:middle}
.ispg-live .line{white-space:nowrap;overflow:hidden;text-overflow:ellipsis;font-family:var(--jp-code-font-family,monospace)}
.ispg pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:2px 0 6px;padding:4px 8px;
 background:var(--jp-layout-color2,rgba(128,128,128,.12));color:inherit;
 font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px)}
.ispg ins,.ispg del{text-decoration:none;display:inline-block;min-width:100%%;color:inherit}
.ispg ins{background:color-mix(in srgb,%(good)s 14%%,transparent)}
.ispg del{background:color-mix(in srgb,%(bad)s 14%%,transparent)}
.ispg mark{color:inherit;text-decoration:underline 2px;text-underline-offset:3px;font-weight:700}
.ispg ins mark{background:color-mix(in srgb,%(good)s 30%%,transparent)}
.ispg del mark{background:color-mix(in srgb,%(bad)s 30%%,transparent)}
.ispg table{border-collapse:collapse;width:100%%;margin:4px 0;color:inherit;font-size:inherit;table-layout:auto}
.ispg th,.ispg td{text-align:left!important;vertical-align:top;padding:3px 10px 3px 0;white-space:normal}
.ispg code,.ispg td:last-child{overflow-wrap:anywhere}
.ispg td.state{white-space:nowrap;width:9.5em}
.ispg tr{border-top:1px solid var(--jp-border-color3,rgba(128,128,128,.25));background:none!important}
.ispg summary{cursor:pointer;width:fit-content;padding:2px 0}
.ispg a{color:var(--jp-content-link-color,#1565c0);text-decoration:underline}
.ispg .go{display:inline-block;padding:5px 12px;border:1px solid var(--jp-border-color1);
 background:var(--jp-layout-color2);color:var(--jp-ui-font-color1);text-decoration:none}
.ispg .head{font-size:1.12em;font-weight:600}.ispg .soft{color:var(--jp-ui-font-color1);opacity:.86}
.ispg .badge{display:inline-block;padding:0 8px;border:1px solid currentColor;border-radius:9px;white-space:nowrap}
.ispg .badge.real{border:2px solid %(bad)s;font-weight:700}
.ispg dl.three{margin:4px 0;display:grid;grid-template-columns:max-content 1fr;gap:2px 12px}
.ispg dl.three dt{font-weight:600;white-space:nowrap;float:none;width:auto}.ispg dl.three dd{margin:0}
.ispg .map{display:flex;flex-wrap:wrap;gap:4px;list-style:none;margin:6px 0!important;padding:0!important}
.ispg .map li{margin:0;padding:2px 8px;border:1px solid var(--jp-border-color2);border-left:4px solid %(calm)s}
.ispg .map li.here{outline:2px solid %(busy)s;font-weight:600}
"""


def style() -> Markup:
    """The style sheet of the cards, once in each of them: any one may stand alone."""
    states = "".join(
        f".ispg-card.ispg-{name}{{border-left-color:{colour}}}"
        for name, colour in COLOURS.items()
    )
    states += "".join(
        f".ispg .map li.{name}{{border-left-color:{COLOURS[name]}}}"
        for name in ("ok", "gap", "drifted", "failed")
    )
    words = {"calm": CALM, "busy": BUSY, "good": GOOD, "bad": BAD, "states": states}
    return Markup(f"<style>{_STYLE % words}</style>")  # every word of it is ours


def box(inner: Markup, role: str = "") -> Markup:
    """A piece of a card."""
    named = attribute("role", role)
    return Markup('<div class="ispg ispguide"{}>{}</div>').format(named, inner)


def heading(title: str, state: str = "", word: str = "", level: int = 4) -> Markup:
    """A title with the state's shape and word; a screen reader is told of changes."""
    sign, usual = SIGNS.get(state, ("", ""))
    said = f"{sign} {word or usual}".strip()
    return Markup(
        '<div role="heading" aria-level="{}" class="head"><span role="status">{}</span>'
        "{}{}</div>"
    ).format(level, said, " · " if said else "", title)


def link(
    path: str,
    text: str,
    cell: str = "",
    css: str = "",
    heading: str = "",
    tip: str = "",
    label: str = "",
) -> Markup:
    """A link that JupyterLab opens without loading the page anew.

    `cell`: a cell's id; `tip`: told on hover; `label`: for a screen reader, where the
    link shows no text."""
    mark = f"#cell-id={cell}" if cell else ""
    args = json.dumps({"path": path, "id": mark})
    return Markup(
        '<a href="{}"{}{} data-commandlinker-command="rendermime:handle-local-link" '
        'data-commandlinker-args="{}"{}>{}</a>'
    ).format(
        path + mark,
        attribute("class", css),
        attribute("title", tip),
        args,
        attribute("aria-label", label),
        text,
    )


def fold(label: str, inner: Markup, open_: bool = False) -> Markup:
    """Details that a keyboard reaches."""
    return Markup("<details{}><summary>{}</summary>{}</details>").format(
        " open" if open_ else "", label, inner
    )


def words_folded(label: str, text: str) -> Markup:
    """The same with words, line by line as they are."""
    return fold(label, Markup("<pre>{}</pre>").format(text))


def three(is_: str, should: str, do: str, evidence: str = "", kind: str = "") -> Markup:
    """What is so, what should be so, what to do now; parts that are empty are left out.

    `kind`: that of the gap or the error, for whoever looks for it in the page."""
    rows = (("is", is_), ("should be", should), ("do now", do))
    lines = joined(
        Markup("<dt>{}</dt><dd>{}</dd>").format(*row) for row in rows if row[1]
    )
    more = words_folded("evidence", evidence) if evidence else NOTHING
    mark = attribute("data-kind", kind)
    return Markup('<dl class="three"{}>{}</dl>{}').format(mark, lines, more)


def problem(error: GuideError) -> Markup:
    """An error in its three parts, the evidence folded."""
    is_, should, do = (
        Markup("<br>").join(part.split("\n"))
        for part in (error.is_, error.should, error.do)
    )
    return three(is_, should, do, error.evidence, error.kind)


def running(job: Running) -> Markup:
    """Progress: a bar where it can be known, the time so far, the line of the moment."""
    now = job.doing_now
    share = now.share
    value = attribute("value", "" if share is None else f"{share:.3f}")
    what = " · ".join(part for part in (job.doing, now.step) if part)
    line = now.words if now.words != now.step else ""
    return Markup(
        '<div class="ispg-live"><progress aria-label="{}" max=1{}></progress> {} · '
        '{:.0f} s<div class="line">{}</div></div>'
    ).format(job.doing, value, what, job.seconds, line[:200] or Markup("&nbsp;"))


def resting(words: str) -> Markup:
    """The same place when nothing runs: what was last done, and how long it took."""
    return Markup('<div class="ispg-live">{}</div>').format(words)


#: Out of sight until a `Copy` is on the page.
COPYING = Markup(
    "<style>.ispg button[data-copy]{display:none;font:inherit;font-size:.85em;"
    "padding:0 8px;margin-left:6px;cursor:pointer;color:var(--jp-ui-font-color1);"
    "background:var(--jp-layout-color2);border:1px solid var(--jp-border-color1)}</style>"
)


def copy_button(text: str, what: str) -> Markup:
    """A small button in a card's HTML; `what` is told to those who cannot see it."""
    return Markup(
        '<button type="button" data-copy="{}" aria-label="copy {what}" '
        'title="copy {what}">copy</button>'
    ).format(text, what=what)


def seconds_left(end: float, left: int, over: str) -> Markup:
    """Seconds that run down, where a `Ticks` is on the page, to `end` (since 1970); `over`: what stands there then."""
    return Markup('<span data-until="{:.0f}" data-over="{}">{} s</span>').format(
        end, over, left
    )
