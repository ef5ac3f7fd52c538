"""The guide as text: why, what should be true, and the commands by hand.

Written from the same steps that run, against the answers of a bare server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ispguide.engine.chapter import Step
from ispguide.engine.facts import Fact
from ispguide.engine.settings import Settings

# The answers a bare server would give: for showing the guide without a server.


_ANSWERS: dict[str, Any] = {
    "file": {"kind": "none"},
    "newest": {"path": "", "time": 0},
    "unit": {
        "load": "not-found",
        "active": "inactive",
        "sub": "dead",
        "enabled": "",
        "restarts": 0,
        "result": "",
        "since": 0,
        "read": True,
    },
    "package": "",
    "user": {},
    "postconf": {},
    "master": {},
    "sql": {"error": "not installed yet"},
    "secret": {"made": False, "source_same": True},
    "listening": [],
    "run": {"rc": 1, "out": "", "err": ""},
    "probe": {"rc": 1, "out": "", "err": ""},
    "ledger": [],
    "proof": {"ok": None, "seen": "not run", "transcript": []},
    "outside": {"error": "not asked"},
}


class EmptyServer(dict[Fact, Any]):
    """A Have in which nothing is done yet."""

    def __missing__(self, fact: Fact) -> Any:
        return _ANSWERS[fact[0]]


# The guide as text: why, what should be true, and the commands by hand.


def markdown(steps: Iterable[Step], s: Settings) -> str:
    """A heading per chapter and step, its text, its things and its commands."""
    return "\n".join(line for step in steps for line in _step_markdown(step, s))


def _step_markdown(step: Step, s: Settings) -> Iterator[str]:
    yield from (f"## {step.chapter}: {step.title}", "", step.text, "")
    have = EmptyServer()
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
        lines += [a.by_hand() for t in step.things(s) for a in t.fix(EmptyServer())]
        lines.append("")
    return "\n".join(lines) + "\n"
