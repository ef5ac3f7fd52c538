"""Forwardings: one begins, one ends."""

from __future__ import annotations

from ispguide import people as book
from ispguide import tasks
from ispguide.names import shown
from ispguide.notebook import inputs
from ispguide.notebook.forms.acts import Act, Lists, Work
from ispguide.notebook.forms.twice import problem
from ispguide.settings import Secret


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
        wrong = problem(source, lambda a: book.valid_address(a, catch_all=True))
        self.source.say(wrong)
        other = problem(destination, book.valid_address)
        if source and source == destination and source not in self.boxes:
            other = "A forwarding to itself would run in a circle."
        self.destination.say(other)
        return bool(source and destination) and not (wrong or other)

    def work(self) -> Work:
        source, destination = self.source.value, self.destination.value
        return Work(
            f"A forwarding for {source}",
            f"Mail to {source} goes to {destination}.",
            lambda server, sudo: tasks.people_alias(
                tasks.HERE, source, destination, server, sudo
            ),
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
                (f"{shown(row[0])} → {shown(row[1])}", " ".join(row[:2]))
                for row in lists["aliases"]
            ],
        )

    def ready(self) -> bool:
        return bool(self.row.value)

    def work(self) -> Work:
        source, destination = self.row.value.split()

        def do(server: str, sudo: Secret | None) -> None:
            tasks.people_forget(tasks.HERE, source, destination, server, sudo)

        words = f"Mail to {shown(source)} does not go to {shown(destination)} any more."
        return Work(f"Ending a forwarding of {shown(source)}", words, do)
