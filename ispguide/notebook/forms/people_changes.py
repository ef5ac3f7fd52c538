"""Removing a mailbox, a forwarding or a domain: in two steps, and naming what goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from ispguide import tasks
from ispguide.engine.names import to_unicode
from ispguide.mail import people
from ispguide.mail.people.addresses import bytes_of
from ispguide.notebook import inputs
from ispguide.notebook.forms.acts import Act, Begin, Lists, Work
from ispguide.notebook.forms.passwords import problem
from ispguide.tasks.base import OnServer
from ispguide.views import html, style

# Forwardings: one begins, one ends.


class AddAlias(Act):
    """Mail to one address goes to another."""

    title, label = "a forwarding", "add the forwarding"
    boxes: frozenset[str] = frozenset()

    def take(self, lists: Lists) -> None:
        self.boxes = frozenset(row[0] for row in lists["mailboxes"])

    def make(self) -> list[inputs.Field]:
        self.source = inputs.text(
            "mail to",
            "An address, or @ and a domain for everything that has no mailbox there.",
        )
        self.destination = inputs.text(
            "goes to",
            "Any address, here or elsewhere. A mailbox with a forwarding keeps nothing, "
            "unless it is forwarded to itself too.",
        )
        return [self.source, self.destination]

    def ready(self) -> bool:
        source, destination = self.source.value, self.destination.value
        wrong = problem(source, lambda a: people.valid_address(a, catch_all=True))
        self.source.say(wrong)
        other = problem(destination, people.valid_address)
        if source and source == destination and source not in self.boxes:
            other = "A forwarding to itself would run in a circle."
        self.destination.say(other)
        return bool(source and destination) and not (wrong or other)

    def work(self) -> Work:
        source, destination = self.source.value, self.destination.value
        return Work(
            f"A forwarding for {source}",
            f"Mail to {source} goes to {destination}.",
            lambda on: on(tasks.people_alias, source, destination),
        )


class ForgetAlias(Act):
    """One forwarding ends; others of the same address stay."""

    title, label = "end a forwarding", "end it"

    def make(self) -> list[inputs.Field]:
        self.row = inputs.choice("forwarding", [])
        return [self.row]

    def take(self, lists: Lists) -> None:
        inputs.offer(
            self.row,
            [
                (f"{to_unicode(row[0])} → {to_unicode(row[1])}", " ".join(row[:2]))
                for row in lists["aliases"]
            ],
        )

    def ready(self) -> bool:
        return bool(self.row.value)

    def work(self) -> Work:
        source, destination = self.row.value.split()

        def do(on: OnServer) -> None:
            on(tasks.people_forget, source, destination)

        words = f"Mail to {to_unicode(source)} does not go to {to_unicode(destination)} any more."
        return Work(f"Ending a forwarding of {to_unicode(source)}", words, do)


# What a mailbox may hold, and whether its owner may log in.


class SetLimit(Act):
    """More room, or less."""

    title, label = "a limit", "set the limit"

    def make(self) -> list[inputs.Field]:
        self.address = inputs.choice("mailbox", [])
        self.limit = inputs.text(
            "may hold", "With its unit, or none. It counts at once.", like="2 GB"
        )
        return [self.address, self.limit]

    def take(self, lists: Lists) -> None:
        inputs.offer(
            self.address, [(to_unicode(row[0]), row[0]) for row in lists["mailboxes"]]
        )

    def ready(self) -> bool:
        wrong = problem(self.limit.value, bytes_of)
        self.limit.say(wrong)
        return bool(self.address.value and self.limit.value) and not wrong

    def work(self) -> Work:
        address, limit = self.address.value, self.limit.value

        def do(on: OnServer) -> None:
            on(tasks.people_quota, address, limit)

        return Work(
            f"A limit for {address}",
            f"{to_unicode(address)} may hold {limit} now.",
            do,
            address,
        )


class Lock(Act):
    """Nobody logs in for a while: somebody has left, or a password was stolen."""

    title, label = "lock", "do it"

    def make(self) -> list[inputs.Field]:
        self.address = inputs.choice("mailbox", [])
        self.how = inputs.choice(
            "from now on",
            [("nobody logs in", "lock"), ("its owner logs in again", "unlock")],
            "Mail for it comes in all the same, and its password stays what it was.",
        )
        return [self.address, self.how]

    def take(self, lists: Lists) -> None:
        words = {"0": " (locked)"}
        inputs.offer(
            self.address,
            [
                (to_unicode(row[0]) + words.get(row[2], ""), row[0])
                for row in lists["mailboxes"]
            ],
        )

    def ready(self) -> bool:
        return bool(self.address.value)

    def work(self) -> Work:
        address, enabled = self.address.value, self.how.value == "unlock"
        said = "can log in again" if enabled else "is locked; its mail still comes in"

        def do(on: OnServer) -> None:
            on(tasks.people_enable, address, enabled)

        return Work(
            f"{'Unlocking' if enabled else 'Locking'} {to_unicode(address)}",
            f"{to_unicode(address)} {said}.",
            do,
        )


# Removing a mailbox, a forwarding or a domain: in two steps, and naming what goes.


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
            (f"{word} {to_unicode(name)}", name)
            for kind, word in kinds
            for name in dict.fromkeys(row[0] for row in lists[kind])
        ]
        inputs.offer(self.what, names)
        self.back()

    def ready(self) -> bool:
        return bool(self.what.value)

    def press(self) -> None:
        """Name what would go, and ask."""
        items = html.each("<li>{}</li>", goes(self._lists, self.what.value))
        told = Markup("<p>This goes:</p><ul>{}</ul><p>{}</p>")
        self._asked.value = style.box(told.format(items, self._of_mail()), role="alert")
        self._yes.description = f"yes, remove {to_unicode(self.what.value)}"
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

        def do(on: OnServer) -> None:
            on(tasks.people_remove, what, with_mail=mail)

        self.mail.input.value = False
        return Work(
            f"Removing {to_unicode(what)}", f"{to_unicode(what)} is gone. {left}", do
        )
