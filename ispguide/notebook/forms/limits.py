"""What a mailbox may hold, and whether its owner may log in."""

from __future__ import annotations

from ispguide import tasks
from ispguide.names import shown
from ispguide.notebook import inputs
from ispguide.notebook.forms.acts import Act, Lists, Work
from ispguide.notebook.forms.twice import problem
from ispguide.quotas.amounts import bytes_of
from ispguide.settings import Secret


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
            self.address, [(shown(row[0]), row[0]) for row in lists["mailboxes"]]
        )

    def ready(self) -> bool:
        wrong = problem(self.limit.value, bytes_of)
        self.limit.say(wrong)
        return bool(self.address.value and self.limit.value) and not wrong

    def work(self) -> Work:
        address, limit = self.address.value, self.limit.value

        def do(server: str, sudo: Secret | None) -> None:
            tasks.people_quota(tasks.HERE, address, limit, server, sudo)

        return Work(
            f"A limit for {address}",
            f"{shown(address)} may hold {limit} now.",
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
                (shown(row[0]) + words.get(row[2], ""), row[0])
                for row in lists["mailboxes"]
            ],
        )

    def ready(self) -> bool:
        return bool(self.address.value)

    def work(self) -> Work:
        address, enabled = self.address.value, self.how.value == "unlock"
        said = "can log in again" if enabled else "is locked; its mail still comes in"

        def do(server: str, sudo: Secret | None) -> None:
            tasks.people_enable(tasks.HERE, address, enabled, server, sudo)

        return Work(
            f"{'Unlocking' if enabled else 'Locking'} {shown(address)}",
            f"{shown(address)} {said}.",
            do,
        )
