"""The people of the server in use: who is there, and a form for each change.

The lists are read from the server before and after.  A password that was made is
shown beside the report (`once`), never in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets as widgets

from ispguide import tasks
from ispguide.measures.words import count
from ispguide.notebook import frame, switch
from ispguide.notebook.forms.acts import (
    Act,
    AddDomain,
    AddMailbox,
    Lists,
    NewPassword,
    Work,
)
from ispguide.notebook.forms.fields import FormCard
from ispguide.notebook.forms.forwarding import AddAlias, ForgetAlias
from ispguide.notebook.forms.limits import Lock, SetLimit
from ispguide.notebook.forms.once import Once
from ispguide.notebook.forms.removing import Remove
from ispguide.notebook.inputs import button
from ispguide.notebook.people_html import lists_html
from ispguide.notebook.switching import Switch

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
        server, sudo = switch.current(), switch.sudo()

        def done(lists: Lists) -> None:
            self.server = server
            self.take(lists)

        self.run("Looking", lambda _: tasks.people_list(tasks.HERE, server, sudo), done)

    def take(self, lists: Lists) -> None:
        """Show them, and offer them in the forms."""
        self.lists.value = frame.box(lists_html(lists))
        for act in self.acts:
            act.take(lists)
        self.state("ok", count(len(lists["mailboxes"]), "mailbox", "mailboxes"))
        self.show("")
        self.check()

    def begin(self, work: Work) -> None:
        """Change something, look again, and say what was seen."""
        self.once.hide()
        server, sudo = self.server, switch.sudo()
        if self.moved():
            self.look()
            self.rest("Another server is in use now; these are its people.")
            return
        if self.refuse("Nobody was added or changed."):
            return

        def do(_: Any) -> tuple[str | None, Lists]:
            made = work.do(server, sudo)
            return made, tasks.people_list(tasks.HERE, server, sudo)

        self.run(work.doing, do, lambda found: self._done(work, *found))

    def _done(self, work: Work, made: str | None, lists: Lists) -> None:
        for act in self.acts:
            act.clear()
        self.take(lists)
        self.show(f'<p role="status">✓ {escape(work.said)}</p>')
        if made:
            self.once.show(work.address, made)

    def spare(self) -> Sequence[Any]:
        return [*self.once.spare(), *(s for act in self.acts for s in act.spare())]

    def close(self) -> None:
        self.once.hide()
        super().close()
