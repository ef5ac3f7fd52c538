"""The first lesson: whose door is this?  The server's fingerprint is compared.

It is shown big, beside the command that prints the same one on a way nobody in between
controls.  Only an equal one from there, or a deliberate tick, opens the button.
Connects to nobody itself.
Source: ssh-keygen(1), RFC 4251 4.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

import ipywidgets as widgets

from ispguide.errors import UnknownServer
from ispguide.notebook import frame, inputs

_WHY = (
    "A server proves who it is with a key that nobody can copy from outside; the "
    "fingerprint is its short form. Somebody between you and the server can answer "
    "in its place, and then reads and changes all you send. He can show you any "
    "fingerprint but the right one. So fetch the right one on a way that is not his: "
    "the console on your provider's web page."
)


def fingerprint_in(line: str) -> str:
    """The fingerprint in what `ssh-keygen -lf` printed; "" when there is none."""
    found = re.search(r"SHA256:[A-Za-z0-9+/]{43}(?![A-Za-z0-9+/])", line)
    return found[0] if found else ""


def lesson_html(host: str, fingerprint: str, command: str) -> str:
    """Both sides of the comparison, and why it matters."""
    return (
        '<div role="heading" aria-level="5" class="head">Whose door is this?</div>'
        f'<p>{escape(_WHY)}</p><div class="lesson">'
        f"<div>{escape(host)} shows this one:<pre>{escape(fingerprint)}</pre></div>"
        "<div>Its console prints the real one, when you type there:"
        f"<pre>{escape(command)}</pre></div></div>"
    )


class Lesson:
    """The comparison.  `trust` is called when the reader says that both are equal."""

    def __init__(self, trust: Callable[[], None], changed: Callable[[], None]):
        self.shown, self._told = "", widgets.HTML()
        self.pasted = inputs.text(
            "fingerprint from the console",
            "Copy the line that the console printed; this page compares it letter for letter.",
            like="SHA256:…",
        )
        self.by_eye = inputs.tick(
            "or: the console lets me copy nothing, and I compared them by eye, to the last letter"
        )
        self.trust = inputs.button(
            "they are equal: trust this server", trust, "ispg-do"
        )
        for one in (self.pasted, self.by_eye):
            one.on_change(lambda _: changed())
        self.box = inputs.column(
            self._told, self.pasted.box, self.by_eye.box, inputs.row(self.trust)
        )

    def begin(self, host: str, error: UnknownServer) -> None:
        """Show what this server showed; nothing is compared yet."""
        self.shown = error.fingerprint
        self.pasted.input.value, self.by_eye.input.value = "", False
        told = lesson_html(host, error.fingerprint, error.command)
        self._told.value = frame.box(told, role="status")

    def check(self, free: bool) -> None:
        """Say how the comparison stands, and whether the button may be pressed."""
        pasted = self.pasted.value
        there = fingerprint_in(pasted)
        equal = bool(there) and there == self.shown
        self.pasted.say(self._wrong(pasted, there), "They are equal." if equal else "")
        judged = equal if pasted else self.by_eye.value
        self.trust.disabled = not (free and judged)

    def _wrong(self, pasted: str, there: str) -> str:
        if not pasted or there == self.shown:
            return ""
        if not there:
            return (
                "This is no fingerprint. It begins with SHA256: and has 43 signs more."
            )
        return (
            "They are not equal. Do not go on: either the console printed another kind "
            "of key than the command above asks for, or somebody answers in its place."
        )
