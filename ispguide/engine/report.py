"""What a look or a change found: one Finding per thing, in reading order.

Notebook, command line and tests read this and nothing else.  Rendering is pure:
`text()` for a terminal, HTML for a cell, `frame` for pandas, `as_dict()` for scripts.
Everything from the server is escaped, because a server may be hostile.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup

# A unified difference as HTML, with the words that changed marked.
#
# Pure; everything is escaped, because a server may be hostile.


_WORDS = re.compile(r"\s+|[\w.@-]+|.")


def difference_html(text: str) -> Markup:
    """Lines that go in <del>, lines that come in <ins>, changed words in <mark>."""
    lines, out = text.splitlines(), list[str]()
    while lines:
        gone = list(_taken(lines, "-"))
        come = list(_taken(lines, "+"))
        if gone or come:
            out += _block(gone, come)
        else:
            out.append(f"{lines.pop(0)}\n")
    return Markup().join(out)


def _taken(lines: list[str], sign: str) -> Iterator[str]:
    while lines and lines[0].startswith(sign):
        yield lines.pop(0)


def _block(gone: list[str], come: list[str]) -> list[str]:
    # The head of a difference (---, +++) names files; it holds no words to compare.
    paired = list(zip(gone, come, strict=False)) if not _is_head(gone) else []
    marked = [_words(old, new) for old, new in paired]
    left = [*(m[0] for m in marked), *gone[len(marked) :]]
    right = [*(m[1] for m in marked), *come[len(marked) :]]
    goes, comes = Markup("<del>{}</del>\n"), Markup("<ins>{}</ins>\n")
    return [*map(goes.format, left), *map(comes.format, right)]


def _is_head(gone: list[str]) -> bool:
    return bool(gone) and gone[0].startswith("---")


def _words(old: str, new: str) -> tuple[Markup, Markup]:
    """Both lines, what differs between them marked; signs stay outside."""
    a, b = _WORDS.findall(old[1:]), _WORDS.findall(new[1:])
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    left, right = ["-"], ["+"]
    for op, i1, i2, j1, j2 in matcher.get_opcodes():
        left.append(_mark("".join(a[i1:i2]), op != "equal"))
        right.append(_mark("".join(b[j1:j2]), op != "equal"))
    return Markup().join(left), Markup().join(right)


def _mark(text: str, changed: bool) -> str:
    return Markup("<mark>{}</mark>").format(text) if changed and text else text


# What a look or a change found: one Finding per thing, in reading order.


#: How a state is shown: a shape and a word, never colour alone.
STATES = {
    "ok": ("✓", "true"),
    "fixed": ("✚", "made true"),
    "gap": ("○", "not so yet"),
    "failed": ("✗", "failed"),
    "blocked": ("‖", "waits"),
    "unknown": ("?", "could not tell"),
}


@dataclass(frozen=True)
class Finding:
    """One thing: its state, the gap in words, and what one would type by hand.

    `kind`: what is not so, as one of `gaps.KINDS`; "" where all is well.
    `seconds`: its share of the time its step took.  `evidence`: folded below."""

    chapter: str
    step: str
    thing: str
    state: str
    gap: str = ""
    commands: tuple[str, ...] = ()
    seconds: float = 0.0
    evidence: str = ""
    kind: str = ""

    def now(self, **changes: Any) -> Finding:
        """The same finding with another state."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Report:
    """Findings and the cost of getting them.  `prose`: (heading, text) per step."""

    findings: tuple[Finding, ...]
    exchanges: int = 0
    actions: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    busy: Mapping[str, Any] | None = None  #: {id, who, step, since}: a run under way

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    @property
    def ok(self) -> bool:
        """No gap, nothing failed, nothing waits; "could not tell" is not broken."""
        return all(f.state in ("ok", "fixed", "unknown") for f in self)

    def __add__(self, other: Report) -> Report:
        return Report(
            self.findings + other.findings,
            self.exchanges + other.exchanges,
            self.actions + other.actions,
            self.seconds + other.seconds,
            self.notes + other.notes,
            other.busy or self.busy,
        )

    def only(self, *states: str) -> tuple[Finding, ...]:
        """The findings in one of these states."""
        return tuple(f for f in self if f.state in states)

    def summary(self) -> str:
        """One line: how many things in which state, and what it cost."""
        counts = {s: len(self.only(s)) for s in STATES}
        parts = [f"{n} {STATES[s][1]}" for s, n in counts.items() if n]
        cost = (
            f"{self.exchanges} exchanges, {self.actions} actions, {self.seconds:.1f} s"
        )
        return f"{', '.join(parts) or 'nothing to look at'} ({cost})"

    def as_dict(self) -> dict[str, Any]:
        """The object behind --json."""
        names = ("chapter", "step", "thing", "state", "kind", "gap", "seconds")
        rows = [{n: getattr(f, n) for n in names} for f in self]
        for row in rows:
            row["seconds"] = round(row["seconds"], 3)
        return {
            "ok": self.ok,
            "exchanges": self.exchanges,
            "actions": self.actions,
            "seconds": round(self.seconds, 3),
            "findings": rows,
        }

    @property
    def frame(self) -> Any:
        """A pandas DataFrame, one row per thing."""
        import pandas

        return pandas.DataFrame(self.as_dict()["findings"])

    def text(self, verbose: bool = False) -> str:
        """For a terminal: every step, and each thing that is not simply true."""
        return to_text(self, verbose)

    def _repr_html_(self) -> str:
        return to_html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.text())


@dataclass
class Draft:
    """A report in the making."""

    exchanges: int
    begin: float
    findings: list[Finding] = field(default_factory=list)
    actions: int = 0
    done: Report = field(default_factory=lambda: Report(()))

    def extend(self, more: Iterable[Finding]) -> None:
        self.findings.extend(more)


# A Report as text for a terminal and as HTML for a cell.  Pure functions.
#
# Everything from the server is escaped, because a server may be hostile.


def to_text(report: Report, verbose: bool = False) -> str:
    """Every step, and each thing that is not simply true (all of them: verbose)."""
    lines: list[str] = list(report.notes)
    for (chapter, step), group in _by_step(report):
        lines.append(f"{_worst(group)} {chapter}.{step}")
        for f in group:
            if verbose or f.state != "ok":
                lines += _text_lines(f)
    return "\n".join([*lines, report.summary()])


def to_html(report: Report) -> Markup:
    """A table per step; readable without widgets and without a kernel."""
    notes = Markup().join(map(Markup("<p>{}</p>").format, report.notes))
    steps = Markup().join(_step_html(key, found) for key, found in _by_step(report))
    return Markup(
        '<div class="ispguide" role="status">{}{}<p><small>{}</small></p></div>'
    ).format(notes, steps, report.summary())


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


def _step_html(key: tuple[str, str], group: list[Finding]) -> Markup:
    chapter, step = key
    heading = f"{_worst(group)} {chapter}: {step.replace('_', ' ')}"
    return Markup(
        '<h4>{}</h4><table style="width:100%"><thead><tr>'
        '<th scope="col" style="text-align:left;width:9em">state</th>'
        '<th scope="col" style="text-align:left">what should be true</th>'
        "</tr></thead><tbody>{}</tbody></table>"
    ).format(heading, Markup().join(map(_row_html, group)))


def _row_html(f: Finding) -> Markup:
    sign, word = STATES[f.state]
    parts = [f.thing]
    if f.gap:
        parts.append(Markup("<pre>{}</pre>").format(difference_html(f.gap)))
    if f.commands:
        parts.append(_fold("by hand", "\n".join(f.commands)))
    if f.evidence:
        parts.append(_fold("evidence", f.evidence))
    return Markup(
        '<tr><td style="text-align:left;vertical-align:top;white-space:nowrap">{} {}</td>'
        '<td style="text-align:left;vertical-align:top">{}</td></tr>'
    ).format(sign, word, Markup().join(parts))


def _fold(label: str, text: str) -> Markup:
    form = "<details><summary>{}</summary><pre>{}</pre></details>"
    return Markup(form).format(label, text)
