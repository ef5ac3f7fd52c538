"""The seal in a notebook: `spf`, `policy`, `reports`, `sample`, `rotation`.

A thin view over tasks: where a rotation stands is looked up each time, so a card can
be closed between any two stages.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import Any

from markupsafe import Markup

from ispguide import tasks
from ispguide.engine.errors import GuideError
from ispguide.mail.dkim.rotation import STAGES, Turn
from ispguide.mail.dmarc.reports import of_xml
from ispguide.notebook import switch
from ispguide.notebook.browser import Ticks
from ispguide.notebook.card import PictureCard, Sure, Watch, headless
from ispguide.notebook.show import Shown, guarded, problem
from ispguide.tasks.authentication import Reports
from ispguide.tasks.base import OnServer
from ispguide.views import authentication, style

View = tuple[str, str, Callable[..., Any], Callable[[Any], Markup], Callable[[Any], str], Callable[[Any], tuple[str, str]]]  # fmt: skip

#: What is looked at: title, task, HTML, text, (state, words).
SPF = ("spf", "SPF, word by word", tasks.spf_counted, authentication.spf_html,
       lambda found: authentication.spf_state(found)[1], authentication.spf_state)  # fmt: skip
POLICY = ("policy", "What others shall do with forgeries", tasks.dmarc_reports,
          authentication.ladder_html, authentication.ladder_text,
          lambda found: ("ok" if found.policy else "gap", f"p={found.policy or 'nothing'}"))  # fmt: skip
REPORTS = ("reports", "What others saw in your name", tasks.dmarc_reports,
           authentication.reports_html, authentication.reports_text, authentication.state)  # fmt: skip


def spf() -> Any:
    """The SPF record followed to its addresses, with the look-ups counted."""
    return _shown(SPF)


def policy() -> Any:
    """none, quarantine, reject: where you stand, and whether to go on."""
    return _shown(POLICY)


def reports() -> Any:
    """The aggregate reports that came, as a picture and tables."""
    return _shown(REPORTS)


def sample() -> Shown:
    """What a report looks like, before the first one has come: an invented one."""
    text = resources.files("ispguide.notebook").joinpath("sample-report.xml")
    report = of_xml(text.read_bytes())
    own = (report.rows[0].address,)
    found = Reports((report,), (), own, report.policy, "dmarc@example.test")
    html = style.style() + style.box(authentication.reports_html(found))
    return Shown(html, authentication.reports_text(found))


def rotation() -> Any:
    """Where the change of each domain's key stands, and its next stage."""
    if headless():
        return guarded(_rotation_plain)
    return _live(RotationCard)


def _rotation_plain() -> Shown:
    found = switch.here()(tasks.dkim_turns)
    html = style.style() + style.box(authentication.rotation_html(found))
    return Shown(html, authentication.rotation_text(found))


def _shown(view: View) -> Any:
    if not headless():
        return _live(lambda: ViewCard(view))
    _, _, task, html, text, _ = view

    def work() -> Shown:
        found = switch.here()(task)
        return Shown(style.style() + style.box(html(found)), text(found))

    return guarded(work)


def _live(make: Callable[[], PictureCard]) -> Any:
    try:
        card = make()
    except GuideError as error:
        return problem(error)
    card.look()
    return card


class ViewCard(PictureCard):
    """One look, shown.  Its key begins otherwise than those of the chapter's steps."""

    def __init__(self, view: View):
        name, title, self._task, self._html, _, self._state_of = view
        super().__init__(f"seal.{name}", title)

    def ask(self, on: OnServer) -> Any:
        # Drawn on the worker too: the first plot loads a library for a second.
        found = on(self._task)
        return self._state_of(found), self._html(found)

    def draw(self, seen: tuple[tuple[str, str], Markup]) -> Markup:
        self.state(*seen[0])
        return seen[1]


class RotationCard(PictureCard):
    """The stages, and a button for the next one of each domain."""

    def __init__(self) -> None:
        super().__init__("seal.rotation", "Another key")
        self.first = self.bar.children
        self.inside.children = (Ticks(),)

    def ask(self, on: OnServer) -> list[Turn]:
        return list(on(tasks.dkim_turns))

    def draw(self, seen: list[Turn]) -> Markup:
        self.state(*authentication.summary(seen))
        doable = [self._button(turn, len(seen) > 1) for turn in seen if turn.doable]
        self.bar.children = (self.first[0], *doable, *self.first[1:])
        return authentication.rotation_html(seen)

    def _button(self, turn: Turn, several: bool) -> Any:
        what = STAGES[turn.next] + (f", {turn.domain}" if several else "")
        return Sure(what, lambda: self.go_on(turn.domain), css="ispg-do").box

    def go_on(self, domain: str) -> None:
        """The next stage, whichever that is by now."""
        on = switch.here()
        self.state("busy", "at work")

        def work(watch: Watch) -> list[Turn]:
            return list(on(tasks.dkim_rotate, domain, key=None, watch=watch))

        self.run("The next stage", work, self.take)
