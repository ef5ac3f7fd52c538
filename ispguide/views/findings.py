"""A report's findings as the inside of a card: steps, things, gaps, what to type.

Pure functions over Step and Finding: the same for a look, a change and a proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ispguide.engine import report
from ispguide.engine.chapter import Step
from ispguide.engine.report import STATES, Finding
from ispguide.engine.settings import Settings
from ispguide.views import html, style

#: The worst first: a card is as well as its worst thing.
ORDER = ("failed", "gap", "blocked", "unknown", "fixed", "ok")


def worst(findings: Iterable[Finding]) -> str:
    """The state of a group of findings; "" for none."""
    there = {f.state for f in findings}
    return next((s for s in ORDER if s in there), "")


HEADS = ("state", "what should be true")


def waiting(things: Iterable[str]) -> Markup:
    """The rows before the first look, as high as they will be after it."""
    return html.table(HEADS, ((html.state("… not looked yet"), t) for t in things))


def findings_html(findings: Sequence[Finding], links: Mapping[str, Markup]) -> Markup:
    """A row a thing.  `links`: step → the link to its cell."""
    return html.table(HEADS, (_row(f, links) for f in findings))


def _row(f: Finding, links: Mapping[str, Markup]) -> Markup:
    sign, word = STATES[f.state]
    parts = [f.thing]
    if f.state in ("failed", "blocked", "unknown"):
        parts.append(_wrong(f, links))
    elif f.gap:
        parts.append(_gap(f.gap))
    if f.commands:
        parts.append(style.words_folded("by hand", "\n".join(f.commands)))
    if f.evidence and f.state not in ("failed", "blocked"):
        parts.append(style.words_folded("evidence", f.evidence))
    return html.row((html.state(f"{sign} {word}"), html.joined(parts)), f.kind)


def _gap(gap: str) -> Markup:
    return Markup("<pre>{}</pre>").format(report.difference_html(gap))


def _wrong(f: Finding, links: Mapping[str, Markup]) -> Markup:
    """What is so, what should be so, what to do now."""
    should = f"{f.thing[:1].upper()}{f.thing[1:]}."
    evidence = f.evidence if f.state == "failed" else ""
    return style.three(_gap(f.gap), should, _remedy(f, links), evidence)


def _remedy(f: Finding, links: Mapping[str, Markup]) -> str:
    if f.state == "blocked":
        named = [link for step, link in links.items() if f"“{step}”" in f.gap]
        where = Markup(" It is here: {}.").format(named[0]) if named else ""
        return Markup("What it waits for comes first.{}").format(where)
    if f.state == "unknown":
        return "Nothing is known to be broken. Look again when the reason is gone."
    if f.evidence:
        return Markup(
            "Read the server's own words under <em>evidence</em>, mend that, then "
            "<em>make it so</em> again: it goes on where it stopped."
        )
    return Markup(
        "<em>Look again</em>. If it stays, see <em>When it breaks</em> at the end of "
        "this chapter, and run the step it names."
    )


def about_step(step: Step, s: Settings) -> Markup:
    """Folded: the files with their comments, and the step's own Python."""
    files = html.joined(map(_file, step.things(s)))
    return files + style.words_folded("source of this step", step.source)


def _file(thing: Any) -> Markup:
    path, text = getattr(thing, "path", ""), getattr(thing, "text", "")
    if not (path and text):
        return html.NOTHING
    return style.words_folded(f"{path}, with its comments", text)
