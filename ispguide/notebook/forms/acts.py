"""What can be done with people: one small form each.

A form judges what was typed and turns it into a job; the card around it runs the job
and shows the lists anew.  Passwords leave their fields before the job begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ispguide import tasks
from ispguide.engine.names import to_unicode
from ispguide.mail import people
from ispguide.notebook import inputs
from ispguide.notebook.forms.passwords import Twice, problem
from ispguide.tasks.base import OnServer

Lists = dict[str, list[list[str]]]


@dataclass(frozen=True)
class Work:
    """What to do: `do(on)` returns a password if one was made."""

    doing: str
    said: str
    do: Callable[[OnServer], str | None]
    address: str = ""


Begin = Callable[[Work], None]


class Act:
    """One form with one button.  `begin` hands its work over."""

    title = label = ""

    def __init__(self, begin: Begin, changed: Callable[..., None]):
        self._begin = begin
        self.inputs = self.make()
        for one in self.inputs:
            one.on_change(changed)
        self.button = inputs.button(self.label, self.press, "ispg-do")
        self.box = inputs.column(*(f.box for f in self.inputs), inputs.row(self.button))

    def make(self) -> list[inputs.Field]:
        """The inputs, from top to bottom."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Say what is wrong beside each input; whether the button may be pressed."""
        raise NotImplementedError

    def work(self) -> Work:
        """What the button does."""
        raise NotImplementedError

    def take(self, lists: Lists) -> None:
        """The lists as they are on the server now."""

    def spare(self) -> Sequence[Any]:
        """Parts that are not on the page all the time."""
        return ()

    def press(self) -> None:
        """Hand the work over."""
        self._begin(self.work())

    def clear(self) -> None:
        """It is done: nothing is left in the fields of text."""
        for one in self.inputs:
            if hasattr(one.input, "placeholder"):
                one.input.value = ""


class AddMailbox(Act):
    """Somebody new."""

    title, label = "a new mailbox", "add the mailbox"

    def make(self) -> list[inputs.Field]:
        self.address = inputs.text(
            "mail address", "Its domain must be one of the list above.", like="anna@…"
        )
        self.password = Twice()
        return [self.address, *self.password.fields]

    def ready(self) -> bool:
        wrong = problem(self.address.value, people.valid_mailbox)
        self.address.say(wrong)
        return self.password.ready() and bool(self.address.value) and not wrong

    def work(self) -> Work:
        address, secret = self.address.value, self.password.taken()
        return Work(
            f"Adding {address}",
            f"{address} has a mailbox.",
            lambda on: on(tasks.people_add, address, secret),
            address,
        )


class NewPassword(Act):
    """The old one was lost, or known to too many."""

    title, label = "a new password", "set the new password"

    def make(self) -> list[inputs.Field]:
        self.address = inputs.choice("mailbox", [])
        self.password = Twice()
        return [self.address, *self.password.fields]

    def take(self, lists: Lists) -> None:
        boxes = [(to_unicode(row[0]), row[0]) for row in lists["mailboxes"]]
        inputs.offer(self.address, boxes)

    def ready(self) -> bool:
        return self.password.ready() and bool(self.address.value)

    def work(self) -> Work:
        address, secret = self.address.value, self.password.taken()
        return Work(
            f"A new password for {address}",
            f"{address} has another password.",
            lambda on: on(tasks.people_password, address, secret),
            address,
        )


class AddDomain(Act):
    """One more name behind the @."""

    title, label = "a domain", "add the domain"

    def make(self) -> list[inputs.Field]:
        self.domain = inputs.text(
            "mail domain",
            "Its MX record in the DNS must point here too.",
            like="example.org",
        )
        return [self.domain]

    def ready(self) -> bool:
        wrong = problem(self.domain.value, people.valid_domain)
        self.domain.say(wrong)
        return bool(self.domain.value) and not wrong

    def work(self) -> Work:
        domain = self.domain.value
        return Work(
            f"Adding {domain}",
            f"{domain} is a mail domain of this server.",
            lambda on: on(tasks.people_add, domain, None),
        )
