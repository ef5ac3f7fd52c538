"""A file of people: its plan first, then a button that does it.

The file is read when the card looks and again when it does, and never kept; passwords
that were made are shown once, beside the report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ispguide import tasks
from ispguide.errors import GuideError
from ispguide.notebook import inputs, switch
from ispguide.notebook.forms.fields import FormCard
from ispguide.notebook.forms.once import Once
from ispguide.notebook.inputs import button
from ispguide.notebook.switching import Switch
from ispguide.people.plan import EXAMPLE, Plan

Told = Callable[[str], None]
Done = tuple[Plan, dict[str, str]]


def text_of(path: str) -> str:
    """What the file says; without a path, an example."""
    try:
        return Path(path).read_text(encoding="utf-8") if path else EXAMPLE
    except (OSError, UnicodeDecodeError) as error:
        raise GuideError(
            f"{path} cannot be read: {error}.",
            "It should be a text file (CSV, UTF-8) beside this notebook.",
            "Put it there, or write its whole path.",
            kind="file-not-read",
        ) from error


class FileCard(FormCard):
    """What a file would do, and the button for it."""

    def __init__(self, path: str = ""):
        self.path, self.plan, self.once = path, Plan(), Once()
        self.go = inputs.button("take them in", self.take_in, "ispg-do")
        title = "People from a file" if path else "People from a file: an example"
        super().__init__("people.file", title, [button("look again", self.look)])
        self.switch = Switch()
        self.bar.children = (*self.bar.children, self.switch.box)
        self.inside.children = (self.once.box, inputs.row(self.go))
        self.check()

    def check(self, *_: Any) -> None:
        able = bool(self.path and self.plan.changes and not self.plan.problems)
        self.go.disabled = not (able and self.free)

    def look(self) -> None:
        """What would be done."""
        self.once.hide()
        path, server, sudo = self.path, switch.current(), switch.sudo()

        def work(_: Told) -> Plan:
            found: Plan = tasks.people_plan(tasks.HERE, text_of(path), server, sudo)
            return found

        def done(found: Plan) -> None:
            self.server = server
            self.told(found, "nothing is done yet")

        self.run("Looking", work, done)

    def told(self, found: Plan, word: str) -> None:
        """The plan, line by line."""
        self.plan = found
        self.state(
            "failed" if found.problems else "gap" if found.changes else "ok", word
        )
        example = "" if self.path else f"<pre>{escape(EXAMPLE)}</pre>"
        lines = "".join(f"<li>{escape(x)}</li>" for x in found.words().splitlines())
        self.show(f"{example}<ul>{lines}</ul>")
        self.check()

    def take_in(self) -> None:
        """Do what the plan says."""
        if self.moved() or self.refuse("Nobody was added or changed."):
            return
        path, server, sudo = self.path, self.server, switch.sudo()

        def work(watch: Told) -> Done:
            def tell(done: int, of: int) -> None:
                watch(f"{done} of {of}")

            text = text_of(path)
            found: Done = tasks.people_import(tasks.HERE, text, server, sudo, tell)
            return found

        self.run("Taking them in", work, self.done)

    def done(self, found: Done) -> None:
        """What was done, and the passwords that were made."""
        plan, made = found
        self.told(plan, "")
        self.plan = Plan()
        self.state("ok", "done")
        self.check()
        self.once.show_all(made)

    def spare(self) -> Sequence[Any]:
        return self.once.spare()

    def close(self) -> None:
        self.once.hide()
        super().close()
