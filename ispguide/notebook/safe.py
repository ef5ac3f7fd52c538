"""The safe in a notebook: `backups`, `key`, `target`, `mailbox`.

A thin view over tasks.  The password is shown once, beside the card's report and never
in it, and only after a press of the button.
"""

from __future__ import annotations

from html import escape
from typing import Any

from ispguide import tasks
from ispguide.backup.returning import Safe
from ispguide.notebook import frame, inputs, safe_html, switch
from ispguide.notebook.card import Watch, headless, live
from ispguide.notebook.forms.fields import FormCard
from ispguide.notebook.forms.once import Once
from ispguide.notebook.forms.restoring import MailboxCard
from ispguide.notebook.pictures.card import PictureCard
from ispguide.notebook.plain import guarded
from ispguide.notebook.show import Shown, sentence
from ispguide.notebook.sure import Sure
from ispguide.tasks_backup import Target


def backups() -> Any:
    """Which backups there are, how they grew, and a button for one more."""
    if not headless():
        return live(BackupsCard, BackupsCard.look)

    def work() -> Shown:
        found = tasks.backup_list(tasks.HERE, switch.current())
        html = frame.style() + frame.box(safe_html.backups_html(found))
        return Shown(html, safe_html.backups_text(found))

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
    return guarded(
        lambda: sentence(target_text(tasks.backup_target(tasks.HERE, switch.current())))
    )


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

    def ask(self, server: str, sudo: Any) -> tuple[Safe, str]:
        # Drawn on the worker too: the first plot loads a library for a second.
        return drawn(tasks.backup_list(tasks.HERE, server, sudo))

    def draw(self, seen: tuple[Safe, str]) -> str:
        self.state(*safe_html.state_of(seen[0]))
        return seen[1]

    def make(self) -> None:
        """As each night's."""
        name, sudo = switch.current(), switch.sudo()
        self.state("busy", "at work")

        def work(watch: Watch) -> tuple[Safe, str]:
            return drawn(tasks.backup_now(tasks.HERE, name, sudo, watch))

        self.run("A backup", work, self.take)


def drawn(found: Safe) -> tuple[Safe, str]:
    """The backups, and how they look."""
    return found, safe_html.backups_html(found)


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
        name, sudo = switch.current(), switch.sudo()

        def work(_: Watch) -> list[str]:
            return list(tasks.backup_key(tasks.HERE, name, sudo))

        self.run("Asking for it", work, self.take)

    def take(self, lines: list[str]) -> None:
        """Shown, and the report says only that it was."""
        self.state("ok", "shown")
        self.show("<p>It was shown. Is it in your drawer?</p>")
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

    def ask(self, server: str, sudo: Any) -> Target | None:
        return tasks.backup_target(tasks.HERE, server, sudo)  # type: ignore[no-any-return]

    def draw(self, seen: Target | None) -> str:
        same = seen is None or seen.compared in seen.fingerprints
        self.state("ok" if same else "gap", "known" if seen and same else "")
        lines = target_text(seen).splitlines()
        return "".join(f"<p>{escape(line)}</p>" for line in lines)


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
