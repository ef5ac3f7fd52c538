"""The whole guide at a glance: every chapter's state, and where it goes on."""

from __future__ import annotations

from html import escape

from ispguide import tasks
from ispguide.notebook import frame, switch
from ispguide.notebook.card import Card
from ispguide.notebook.cards import publish
from ispguide.notebook.chapter_card import map_html
from ispguide.notebook.inputs import button
from ispguide.notebook.switching import Switch
from ispguide.overview import CHAPTER_STATES, ChapterState, Overview


class GlanceCard(Card):
    """A look at everything; changes nothing, whatever the switch says."""

    def __init__(self) -> None:
        super().__init__(
            "start.look", "The whole guide", [button("look again", self.look)]
        )
        self.switch = Switch()
        self.bar.children = (*self.bar.children, self.switch.box)
        self.show(map_html(None, ()))

    def look(self) -> None:
        """One exchange."""
        self.state("busy", "looking")
        name, sudo = switch.current(), switch.sudo()
        self.run(
            "Looking at the whole guide",
            lambda _: tasks.overview(tasks.HERE, name, sudo),
            self.take,
        )

    def refresh_map(self) -> None:
        """Something was changed: look again, when nothing else is to do."""
        name, sudo = switch.current(), switch.sudo()
        self.run(
            "Looking",
            lambda _: tasks.overview(tasks.HERE, name, sudo),
            self.take,
            quiet=True,
        )

    def take(self, found: Overview) -> None:
        """The map, and the first thing that is open in each chapter."""
        left = [c for c in found.chapters if c.state not in ("proved", "true")]
        open_ = f"{len(left)} chapter{'s' if len(left) > 1 else ''} open"
        self.state("gap" if left else "ok", open_ if left else "all true")
        self.show(map_html(None, found.chapters) + _open_html(left))
        publish(found.report, gently=True)


def _open_html(left: list[ChapterState]) -> str:
    rows = "".join(
        f'<tr><td class="state">{" ".join(CHAPTER_STATES[c.state])}</td>'
        f"<td>{frame.link(c.chapter.notebook, f'{c.chapter.number:02d} {c.chapter.title}', c.step)}</td>"
        f"<td>{escape(c.missing.splitlines()[0])}</td></tr>"
        for c in left
    )
    heads = "".join(
        f'<th scope="col">{h}</th>' for h in ("state", "chapter", "first of all")
    )
    return (
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        if left
        else ""
    )
