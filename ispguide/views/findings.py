"""A report's findings as the inside of a card: steps, things, gaps, what to type.

Pure functions over Step and Finding: the same for a look, a change and a proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from ispguide.engine import report
from ispguide.engine.chapter import Step
from ispguide.engine.report import STATES, Finding
from ispguide.engine.settings import Settings
from ispguide.views import style

#: The worst first: a card is as well as its worst thing.
ORDER = ("failed", "gap", "blocked", "unknown", "fixed", "ok")


def worst(findings: Iterable[Finding]) -> str:
    """The state of a group of findings; "" for none."""
    there = {f.state for f in findings}
    return next((s for s in ORDER if s in there), "")


def waiting(things: Iterable[str]) -> str:
    """The rows before the first look, as high as they will be after it."""
    rows = "".join(
        f'<tr><td class="state">… not looked yet</td><td>{escape(t)}</td></tr>'
        for t in things
    )
    return _table(rows)


def findings_html(findings: Sequence[Finding], links: Mapping[str, str]) -> str:
    """A row a thing.  `links`: step → HTML of the link to its cell."""
    return _table("".join(_row(f, links) for f in findings))


def _table(rows: str) -> str:
    return (
        '<table><thead><tr><th scope="col">state</th>'
        '<th scope="col">what should be true</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _row(f: Finding, links: Mapping[str, str]) -> str:
    sign, word = STATES[f.state]
    parts = [escape(f.thing)]
    if f.state in ("failed", "blocked", "unknown"):
        parts.append(_wrong(f, links))
    elif f.gap:
        parts.append(_gap(f.gap))
    if f.commands:
        typed = "\n".join(f.commands)
        parts.append(style.fold("by hand", f"<pre>{escape(typed)}</pre>"))
    if f.evidence and f.state not in ("failed", "blocked"):
        parts.append(style.fold("evidence", f"<pre>{escape(f.evidence)}</pre>"))
    mark = f' data-kind="{f.kind}"' if f.kind else ""
    state = f'<td class="state">{sign} {word}</td>'
    return f"<tr{mark}>{state}<td>{''.join(parts)}</td></tr>"


def _gap(gap: str) -> str:
    return f"<pre>{report.difference_html(gap)}</pre>"


def _wrong(f: Finding, links: Mapping[str, str]) -> str:
    """What is so, what should be so, what to do now."""
    should = f"{escape(f.thing[:1].upper() + f.thing[1:])}."
    evidence = f.evidence if f.state == "failed" else ""
    return style.three(_gap(f.gap), should, _remedy(f, links), evidence)


def _remedy(f: Finding, links: Mapping[str, str]) -> str:
    if f.state == "blocked":
        named = [html for step, html in links.items() if f"“{step}”" in f.gap]
        where = f" It is here: {named[0]}." if named else ""
        return f"What it waits for comes first.{where}"
    if f.state == "unknown":
        return "Nothing is known to be broken. Look again when the reason is gone."
    if f.evidence:
        return (
            "Read the server's own words under <em>evidence</em>, mend that, then "
            "<em>make it so</em> again: it goes on where it stopped."
        )
    return (
        "<em>Look again</em>. If it stays, see <em>When it breaks</em> at the end of "
        "this chapter, and run the step it names."
    )


def about_step(step: Step, s: Settings) -> str:
    """Folded: the files with their comments, and the step's own Python."""
    things = list(step.things(s))
    files = "".join(map(_file, things))
    source = style.fold("source of this step", f"<pre>{escape(step.source)}</pre>")
    return files + source


def _file(thing: Any) -> str:
    path, text = getattr(thing, "path", ""), getattr(thing, "text", "")
    if not (path and text):
        return ""
    label = f"{path}, with its comments"
    return style.fold(label, f"<pre>{escape(text)}</pre>")
