"""The guide as text: why, what should be true, and the commands by hand.

Written from the same steps that run, against the answers of a bare server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ispguide.bare import Bare
from ispguide.chapter import Step
from ispguide.settings import Settings


def markdown(steps: Iterable[Step], s: Settings) -> str:
    """A heading per chapter and step, its text, its things and its commands."""
    return "\n".join(line for step in steps for line in _step_markdown(step, s))


def _step_markdown(step: Step, s: Settings) -> Iterator[str]:
    yield from (f"## {step.chapter}: {step.title}", "", step.text, "")
    have = Bare()
    for thing in step.things(s):
        yield f"- {thing}"
        typed = [a.by_hand() for a in thing.fix(have)]
        if typed:
            yield from ("", "  ```sh", *_indented(typed), "  ```", "")
    yield ""


def _indented(commands: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for command in commands for line in command.splitlines())


def script(steps: Iterable[Step], s: Settings) -> str:
    """The commands alone, with the text as comments; ⟦…⟧ stands for a password."""
    lines = [
        "#!/bin/sh",
        "# What the guide does, to read and to type; not to run unread.",
        "",
    ]
    for step in steps:
        lines += [f"# --- {step.chapter}: {step.title}"]
        lines += [f"# {line}" for line in step.text.splitlines()]
        lines += [a.by_hand() for t in step.things(s) for a in t.fix(Bare())]
        lines.append("")
    return "\n".join(lines) + "\n"
