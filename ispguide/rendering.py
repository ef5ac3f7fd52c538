"""A Report as text for a terminal and as HTML for a cell.  Pure functions.

Everything from the server is escaped, because a server may be hostile.
"""

from __future__ import annotations

from html import escape

from ispguide import differences
from ispguide.report import STATES, Finding, Report


def to_text(report: Report, verbose: bool = False) -> str:
    """Every step, and each thing that is not simply true (all of them: verbose)."""
    lines: list[str] = list(report.notes)
    for (chapter, step), group in _by_step(report):
        lines.append(f"{_worst(group)} {chapter}.{step}")
        for f in group:
            if verbose or f.state != "ok":
                lines += _text_lines(f)
    return "\n".join([*lines, report.summary()])


def to_html(report: Report) -> str:
    """A table per step; readable without widgets and without a kernel."""
    notes = "".join(f"<p>{escape(n)}</p>" for n in report.notes)
    steps = "".join(_step_html(key, group) for key, group in _by_step(report))
    return (
        f'<div class="ispguide" role="status">{notes}{steps}'
        f"<p><small>{escape(report.summary())}</small></p></div>"
    )


def _by_step(
    report: Report,
) -> list[tuple[tuple[str, str], list[Finding]]]:
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in report:
        groups.setdefault((finding.chapter, finding.step), []).append(finding)
    return list(groups.items())


def _worst(group: list[Finding]) -> str:
    order = ("failed", "gap", "blocked", "unknown", "fixed", "ok")
    state = next(s for s in order if any(f.state == s for f in group))
    return STATES[state][0]


def _text_lines(f: Finding) -> list[str]:
    sign, word = STATES[f.state]
    lines = [f"    {sign} {f.thing}: {word}"]
    for text in (f.gap, f.evidence):
        lines += [f"        {line}" for line in text.splitlines()]
    return lines


def _step_html(key: tuple[str, str], group: list[Finding]) -> str:
    chapter, step = key
    heading = f"{_worst(group)} {chapter}: {step.replace('_', ' ')}"
    rows = "".join(map(_row_html, group))
    return (
        f"<h4>{escape(heading)}</h4>"
        '<table style="width:100%"><thead><tr>'
        '<th scope="col" style="text-align:left;width:9em">state</th>'
        '<th scope="col" style="text-align:left">what should be true</th>'
        f"</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row_html(f: Finding) -> str:
    sign, word = STATES[f.state]
    parts = [escape(f.thing)]
    if f.gap:
        parts.append(f"<pre>{differences.to_html(f.gap)}</pre>")
    if f.commands:
        typed = escape("\n".join(f.commands))
        parts.append(_fold("by hand", f"<pre>{typed}</pre>"))
    if f.evidence:
        parts.append(_fold("evidence", f"<pre>{escape(f.evidence)}</pre>"))
    cell = '<td style="text-align:left;vertical-align:top'
    return (
        f'<tr>{cell};white-space:nowrap">{sign} {word}</td>'
        f'{cell}">{"".join(parts)}</td></tr>'
    )


def _fold(label: str, inner: str) -> str:
    return f"<details><summary>{label}</summary>{inner}</details>"
