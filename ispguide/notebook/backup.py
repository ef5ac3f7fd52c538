"""The safe in a notebook: `backups`, `key`, `target`, `mailbox`.

A thin view over tasks.  The password is shown once, beside the card's report and never
in it, and only after a press of the button.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from ispguide import tasks
from ispguide.mail.backup.restore import Repository
from ispguide.notebook import inputs, switch
from ispguide.notebook.card import PictureCard, Sure, Watch, headless, live
from ispguide.notebook.forms.fields import FormCard
from ispguide.notebook.forms.passwords import Once
from ispguide.notebook.show import Shown, guarded, sentence
from ispguide.notebook.switch import Switch
from ispguide.tasks.backup import Target
from ispguide.tasks.base import OnServer
from ispguide.views import backup, html, style

# One mailbox back from a backup: a form with two choices and a button.
#
# What is there now stays: the letters go into the folder Restored.


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
        on = switch.here()

        def work(_: Watch) -> tuple[Any, Repository]:
            people = on(tasks.people_list)
            return people, on(tasks.backup_list)

        self.run("Looking", work, lambda found: self.take(*found))

    def take(self, people: Any, found: Repository) -> None:
        """Offer them."""
        inputs.offer(self.who, [(row[0], row[0]) for row in people["mailboxes"]])
        newest = reversed(found.snapshots)
        told = [(backup.moment(one.time), one.number) for one in newest]
        inputs.offer(self.which, told)
        many = len(found.snapshots)
        self.state("", "1 backup" if many == 1 else f"{many} backups")

    def bring(self) -> None:
        """Into the folder Restored; what is there now stays."""
        if self.refuse("Nothing was brought back."):
            return
        who, which = self.who.value, self.which.value
        on = switch.here()

        def work(watch: Watch) -> None:
            on(tasks.restore_mailbox, who, which, watch=watch)

        self.run(f"Bringing {who} back", work, lambda _: self.brought(who))

    def brought(self, who: str) -> None:
        """Where to look."""
        self.state("ok", "brought back")
        told = Markup("<p>✓ The letters are in the folder Restored of {}.</p>")
        self.show(told.format(who))


# The safe in a notebook: `backups`, `key`, `target`, `mailbox`.


def backups() -> Any:
    """Which backups there are, how they grew, and a button for one more."""
    if not headless():
        return live(BackupsCard, BackupsCard.look)

    def work() -> Shown:
        found = switch.here()(tasks.backup_list)
        told = style.style() + style.box(backup.backups_html(found))
        return Shown(told, backup.backups_text(found))

    return guarded(work)


def key() -> Any:
    """The page for the drawer, shown once, after a press of the button."""
    if not headless():
        return live(KeyCard)
    return sentence(
        "The page for your drawer holds a password, so it waits for a click in "
        "JupyterLab. On the command line it is ./guide backup key."
    )


def target() -> Any:
    """What another machine must be told, and which fingerprint it shows."""
    if not headless():
        return live(TargetCard, TargetCard.look)
    return guarded(lambda: sentence(target_text(switch.here()(tasks.backup_target))))


def mailbox() -> Any:
    """A form to bring one mailbox back, beside what is there now."""
    if not headless():
        return live(MailboxCard, MailboxCard.look)
    return sentence(
        "To bring a mailbox back is a change, so it waits for a click in JupyterLab. "
        "On the command line it is ./guide restore mailbox ADDRESS."
    )


class BackupsCard(PictureCard):
    """The list, and one more."""

    def __init__(self) -> None:
        super().__init__("safe.backups", "The backups")
        now = Sure("make a backup now", self.make, css="ispg-do").box
        self.bar.children = (now, *self.bar.children)

    def ask(self, on: OnServer) -> tuple[Repository, Markup]:
        # Drawn on the worker too: the first plot loads a library for a second.
        return drawn(on(tasks.backup_list))

    def draw(self, seen: tuple[Repository, Markup]) -> Markup:
        self.state(*backup.state_of(seen[0]))
        return seen[1]

    def make(self) -> None:
        """As each night's."""
        on = switch.here()
        self.state("busy", "at work")

        def work(watch: Watch) -> tuple[Repository, Markup]:
            return drawn(on(tasks.backup_now, watch=watch))

        self.run("A backup", work, self.take)


def drawn(found: Repository) -> tuple[Repository, Markup]:
    """The backups, and how they look."""
    return found, backup.backups_html(found)


class KeyCard(FormCard):
    """One button; what it shows goes by itself."""

    def __init__(self) -> None:
        self.once = Once()
        show = inputs.button("show me the page", self.ask, "ispg-do")
        super().__init__("safe.key", "The page for your drawer", [show])
        self.inside.children = (self.once.box,)
        self.state("", "not shown")

    def ask(self) -> None:
        """From the server to the page, and nowhere else."""
        on = switch.here()

        def work(_: Watch) -> list[str]:
            return list(on(tasks.backup_key))

        self.run("Asking for it", work, self.take)

    def take(self, lines: list[str]) -> None:
        """Shown, and the report says only that it was."""
        self.state("ok", "shown")
        self.show(Markup("<p>It was shown. Is it in your drawer?</p>"))
        self.once.tell("Print it, or write it down by hand:", "\n".join(lines))

    def spare(self) -> Any:
        return self.once.spare()

    def close(self) -> None:
        self.once.hide()
        super().close()


class TargetCard(PictureCard):
    """The other machine, as it shows itself now."""

    def __init__(self) -> None:
        super().__init__("safe.target", "The other machine")

    def ask(self, on: OnServer) -> Target | None:
        return on(tasks.backup_target)

    def draw(self, seen: Target | None) -> Markup:
        same = seen is None or seen.compared in seen.fingerprints
        self.state("ok" if same else "gap", "known" if seen and same else "")
        return html.each("<p>{}</p>", target_text(seen).splitlines())


def target_text(found: Target | None) -> str:
    """The same in words."""
    if found is None:
        return (
            "There is none: the backups go into a folder of this server. That helps "
            "against mistakes, and not when the server is lost."
        )
    public = found.public or "it is made by the step below"
    shown = ", ".join(found.fingerprints) or "nothing: it does not answer"
    same = found.compared in found.fingerprints
    compared = (
        "That is the one you compared." if same else "Nobody has compared it yet."
    )
    return (
        f"The server's public key, for ~/.ssh/authorized_keys at {found.machine}:\n"
        f"{public}\n{found.machine} shows: {shown}\n{compared}"
    )
