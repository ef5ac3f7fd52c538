"""Removing a mailbox, a forwarding or a domain: in two steps, and naming what goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets

from ispguide import tasks
from ispguide.names import shown
from ispguide.notebook import frame, inputs
from ispguide.notebook.forms.acts import Act, Begin, Lists, Work
from ispguide.settings import Secret


def goes(lists: Lists, what: str) -> list[str]:
    """What the server forgets with `what`, in words; as `people.remove` does it."""

    def meant(address: str) -> bool:
        whole = "@" not in what
        return address.rpartition("@")[2] == what if whole else address == what

    logins = [row[0] for row in lists["mailboxes"] if meant(row[0])]
    aliases = [
        f"{source} → {destination}"
        for source, destination in (row[:2] for row in lists["aliases"])
        if meant(source) or ("@" in what and destination == what)
    ]
    domain = [f"the domain {what}"] if "@" not in what else []
    return [
        *domain,
        *(f"the login of {address}" for address in logins),
        *(f"the forwarding {alias}" for alias in aliases),
    ]


class Remove(Act):
    """The first press asks; the second one, beside what goes, does it."""

    title, label = "remove", "remove …"

    def __init__(self, begin: Begin, changed: Callable[..., None]):
        self._lists: Lists = {"domains": [], "mailboxes": [], "aliases": []}
        self._asked = widgets.HTML()
        self._yes = inputs.button("yes, remove", self._agreed, "ispg-do")
        self._no = inputs.button("no, leave it", self.back)
        self._question = inputs.column(self._asked, inputs.row(self._yes, self._no))
        super().__init__(begin, changed)
        self._form = self.box.children

    def make(self) -> list[inputs.Field]:
        self.what = inputs.choice("what to remove", [])
        self.mail = inputs.tick(
            "its letters too, for good", "Without, they stay below /var/vmail."
        )
        return [self.what, self.mail]

    def take(self, lists: Lists) -> None:
        self._lists = lists
        kinds = (
            ("mailboxes", "mailbox"),
            ("aliases", "forwarding of"),
            ("domains", "domain"),
        )
        names = [
            (f"{word} {shown(name)}", name)
            for kind, word in kinds
            for name in dict.fromkeys(row[0] for row in lists[kind])
        ]
        inputs.offer(self.what, names)
        self.back()

    def ready(self) -> bool:
        return bool(self.what.value)

    def press(self) -> None:
        """Name what would go, and ask."""
        items = "".join(
            f"<li>{escape(x)}</li>" for x in goes(self._lists, self.what.value)
        )
        self._asked.value = frame.box(
            f"<p>This goes:</p><ul>{items}</ul><p>{escape(self._of_mail())}</p>",
            role="alert",
        )
        self._yes.description = f"yes, remove {shown(self.what.value)}"
        self.what.input.disabled = self.mail.input.disabled = True
        self.box.children = (self.what.box, self.mail.box, self._question)

    def _of_mail(self) -> str:
        """What becomes of the letters."""
        if self.mail.value:
            return (
                "And all its letters on the disk, for good: nobody can bring them back."
            )
        return "The mail on disk, below /var/vmail, stays."

    def spare(self) -> Sequence[Any]:
        return [*self._form, self._question]

    def back(self) -> None:
        """As before the question."""
        self.what.input.disabled = self.mail.input.disabled = False
        self.box.children = self._form

    def _agreed(self) -> None:
        work = self.work()
        self.back()
        self._begin(work)

    def work(self) -> Work:
        what, mail = self.what.value, self.mail.value
        left = (
            "Its letters are gone too."
            if mail
            else ("Its mail, if there was any, is still in /var/vmail.")
        )

        def do(server: str, sudo: Secret | None) -> None:
            tasks.people_remove(tasks.HERE, what, server, sudo, mail)

        self.mail.input.value = False
        return Work(f"Removing {shown(what)}", f"{shown(what)} is gone. {left}", do)
