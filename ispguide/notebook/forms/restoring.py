"""One mailbox back from a backup: a form with two choices and a button.

What is there now stays: the letters go into the folder Restored.
"""

from __future__ import annotations

from html import escape
from typing import Any

from ispguide import tasks
from ispguide.backup.returning import Safe
from ispguide.notebook import inputs, safe_html, switch
from ispguide.notebook.card import Watch
from ispguide.notebook.forms.fields import FormCard
from ispguide.notebook.switching import Switch


class MailboxCard(FormCard):
    """Which mailbox, from which backup."""

    def __init__(self) -> None:
        self.who = inputs.choice("mailbox", [("choose …", "")])
        self.which = inputs.choice("from the backup of", [("choose …", "")])
        self.button = inputs.button("bring it back", self.bring, "ispg-do")
        again = inputs.button("look again", self.look)
        super().__init__("safe.mailbox", "One mailbox back", [again])
        self.switch = Switch()
        self.bar.children = (*self.bar.children, self.switch.box)
        parts = (self.who.box, self.which.box, inputs.row(self.button))
        self.inside.children = parts
        for field in (self.who, self.which):
            field.on_change(self.check)
        self.check()

    def check(self, *_: Any) -> None:
        ready = self.free and bool(self.who.value) and bool(self.which.value)
        self.button.disabled = not ready

    def look(self) -> None:
        """Who is there, and which backups."""
        name, sudo = switch.current(), switch.sudo()

        def work(_: Watch) -> tuple[Any, Safe]:
            people = tasks.people_list(tasks.HERE, name, sudo)
            return people, tasks.backup_list(tasks.HERE, name, sudo)

        self.run("Looking", work, lambda found: self.take(*found))

    def take(self, people: Any, found: Safe) -> None:
        """Offer them."""
        inputs.offer(self.who, [(row[0], row[0]) for row in people["mailboxes"]])
        newest = reversed(found.snapshots)
        told = [(safe_html.moment(one.time), one.number) for one in newest]
        inputs.offer(self.which, told)
        many = len(found.snapshots)
        self.state("", "1 backup" if many == 1 else f"{many} backups")

    def bring(self) -> None:
        """Into the folder Restored; what is there now stays."""
        if self.refuse("Nothing was brought back."):
            return
        who, which = self.who.value, self.which.value
        name, sudo = switch.current(), switch.sudo()

        def work(watch: Watch) -> None:
            tasks.restore_mailbox(tasks.HERE, who, which, name, sudo, watch)

        self.run(f"Bringing {who} back", work, lambda _: self.brought(who))

    def brought(self, who: str) -> None:
        """Where to look."""
        self.state("ok", "brought back")
        self.show(f"<p>✓ The letters are in the folder Restored of {escape(who)}.</p>")
