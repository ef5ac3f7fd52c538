"""What a look or a change found: one Finding per thing, in reading order.

Notebook, command line and tests read this and nothing else.  Rendering is pure:
`text()` for a terminal, HTML for a cell, `frame` for pandas, `as_dict()` for scripts.
Everything from the server is escaped, because a server may be hostile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

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
        from ispguide.rendering import to_text

        return to_text(self, verbose)

    def _repr_html_(self) -> str:
        from ispguide.rendering import to_html

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
