"""The people of the server in use: who is there, and a form for each change.

The lists are read from the server before and after.  A password that was made is
shown beside the report (`once`), never in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from ispguide import tasks
from ispguide.engine.errors import GuideError
from ispguide.engine.words import count
from ispguide.mail.people.plan import EXAMPLE, Plan
from ispguide.notebook import inputs, switch
from ispguide.notebook.forms.acts import (
    Act,
    AddDomain,
    AddMailbox,
    Lists,
    NewPassword,
    Work,
)
from ispguide.notebook.forms.fields import FormCard
from ispguide.notebook.forms.passwords import Once
from ispguide.notebook.forms.people_changes import (
    AddAlias,
    ForgetAlias,
    Lock,
    Remove,
    SetLimit,
)
from ispguide.notebook.inputs import button
from ispguide.notebook.switch import Switch
from ispguide.tasks.base import OnServer
from ispguide.views import html, style
from ispguide.views.people import lists_html

# A file of people: its plan first, then a button that does it.
#
# The file is read when the card looks and again when it does, and never kept; passwords
# that were made are shown once, beside the report.


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
        path, on = self.path, switch.here()

        def work(_: Told) -> Plan:
            found: Plan = on(tasks.people_plan, text_of(path))
            return found

        def done(found: Plan) -> None:
            self.server = on.server
            self.told(found, "nothing is done yet")

        self.run("Looking", work, done)

    def told(self, found: Plan, word: str) -> None:
        """The plan, line by line."""
        self.plan = found
        self.state(
            "failed" if found.problems else "gap" if found.changes else "ok", word
        )
        example = "" if self.path else Markup("<pre>{}</pre>").format(EXAMPLE)
        lines = html.each("<li>{}</li>", found.words().splitlines())
        self.show(Markup("{}<ul>{}</ul>").format(example, lines))
        self.check()

    def take_in(self) -> None:
        """Do what the plan says."""
        if self.moved() or self.refuse("Nobody was added or changed."):
            return
        path, on = self.path, OnServer(self.server, switch.sudo())

        def work(watch: Told) -> Done:
            def tell(done: int, of: int) -> None:
                watch(f"{done} of {of}")

            text = text_of(path)
            found: Done = on(tasks.people_import, text, tell=tell)
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


# The people of the server in use: who is there, and a form for each change.


ACTS = (
    AddMailbox,
    NewPassword,
    AddAlias,
    Remove,
    AddDomain,
    SetLimit,
    Lock,
    ForgetAlias,
)


class PeopleCard(FormCard):
    """Domains, mailboxes and aliases."""

    def __init__(self) -> None:
        self.acts: list[Act] = [act(self.begin, self.check) for act in ACTS]
        self.once, self.lists = Once(), widgets.HTML()
        super().__init__("people.form", "People", [button("look again", self.look)])
        self.switch = Switch()
        self.bar.children = (*self.bar.children, self.switch.box)
        self.tabs = widgets.Tab([act.box for act in self.acts])
        self.tabs.titles = [act.title for act in self.acts]
        self.inside.children = (self.lists, self.once.box, self.tabs)
        self.check()

    def static(self) -> str:
        """The lists belong to the report; what was shown once does not."""
        return f"<div>{self.head.value}{self.lists.value}{self.body.value}</div>"

    def check(self, *_: Any) -> None:
        for act in self.acts:
            act.button.disabled = not (act.ready() and self.free)

    def look(self) -> None:
        """Who is there now."""
        self.once.hide()
        on = switch.here()

        def done(lists: Lists) -> None:
            self.server = on.server
            self.take(lists)

        self.run(
            "Looking",
            lambda _: on(tasks.people_list),
            done,
        )

    def take(self, lists: Lists) -> None:
        """Show them, and offer them in the forms."""
        self.lists.value = style.box(lists_html(lists))
        for act in self.acts:
            act.take(lists)
        self.state("ok", count(len(lists["mailboxes"]), "mailbox", "mailboxes"))
        self.show(Markup())
        self.check()

    def begin(self, work: Work) -> None:
        """Change something, look again, and say what was seen."""
        self.once.hide()
        on = OnServer(self.server, switch.sudo())
        if self.moved():
            self.look()
            self.rest("Another server is in use now; these are its people.")
            return
        if self.refuse("Nobody was added or changed."):
            return

        def do(_: Any) -> tuple[str | None, Lists]:
            made = work.do(on)
            return made, on(tasks.people_list)

        self.run(work.doing, do, lambda found: self._done(work, *found))

    def _done(self, work: Work, made: str | None, lists: Lists) -> None:
        for act in self.acts:
            act.clear()
        self.take(lists)
        self.show(Markup('<p role="status">✓ {}</p>').format(work.said))
        if made:
            self.once.show(work.address, made)

    def spare(self) -> Sequence[Any]:
        return [*self.once.spare(), *(s for act in self.acts for s in act.spare())]

    def close(self) -> None:
        self.once.hide()
        super().close()
