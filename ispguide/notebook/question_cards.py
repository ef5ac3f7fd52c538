"""The cards of the questions: a field or a choice, a button, and the verdict.

The answer lives in the card and nowhere else: what a saved notebook keeps is the
question alone.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from ispguide import tasks
from ispguide.notebook import frame, glossary, switch
from ispguide.notebook.asked import Asked
from ispguide.notebook.card import Card, Watch
from ispguide.notebook.inputs import button
from ispguide.notebook.judging import Verdict
from ispguide.notebook.questions import Choices, verdict_html
from ispguide.opening import known_settings

STATES = {True: ("ok", "right"), False: ("gap", "not so"), None: ("unknown", "")}


class QuestionCard(Card):
    """A question with a place for the answer.  `field` holds what was answered."""

    def __init__(self, chapter: str, question: str, field: Any, hint: str, cell: str):
        self.field, self.hint, self.cell = field, hint, cell
        parts = [field, button("check my answer", self.check)]
        wide = isinstance(field, widgets.RadioButtons)
        super().__init__(f"{chapter}.ask.{question}", question, () if wide else parts)
        if wide:  # the button stands below all answers
            self.inside.children = (
                field,
                widgets.HBox(parts[1:]).add_class("ispg-bar"),
            )
            self.live.layout.display = "none"

    def about(self) -> str:
        return f'<div class="soft">{glossary.explained(self.hint)}</div>'

    def static(self) -> str:
        """The question alone: an answer is kept nowhere."""
        return f"<div>{frame.style()}{frame.box(frame.heading(self.title))}</div>"

    def said(self) -> str:
        """What was answered, "" for nothing."""
        return (self.field.value or "").strip()

    def check(self) -> None:
        """Judge the answer."""
        raise NotImplementedError

    def tell(self, verdict: Verdict, said: str) -> None:
        """The verdict, in the heading and below."""
        self.state(*STATES[verdict.right])
        self.show(verdict_html(verdict, said, self.cell))


class ChooseCard(QuestionCard):
    """Some answers to choose from; nobody has to be asked."""

    def __init__(self, chapter: str, choices: Choices):
        self.choices = choices
        says = [c.say for c in choices.choices]
        field = widgets.RadioButtons(options=says, value=None)
        field.layout.width = "auto"
        super().__init__(chapter, choices.text, field, "", choices.cell)

    def check(self) -> None:
        said = self.said()
        self.tell(self.choices.judged(said), said)


class AskCard(QuestionCard):
    """A field, and the server is asked what is so."""

    def __init__(self, chapter: str, asked: Asked):
        self.asked = asked
        field = widgets.Text(description="Your answer", continuous_update=False)
        super().__init__(chapter, asked.text, field, asked.how, asked.cell)
        field.observe(lambda _: self.check(), "value")

    def check(self) -> None:
        said = self.said()
        if not said:
            self.tell(Verdict(None, "Write an answer first."), "")
            return
        name, sudo = switch.current(), switch.sudo()

        def work(_: Watch) -> Verdict:
            settings = known_settings(name)
            facts = [self.asked.fact(settings)]
            have = tasks.facts_of(tasks.HERE, facts, name, sudo)
            return self.asked.judged(said, have, settings)

        self.run("Asking the server", work, lambda verdict: self.tell(verdict, said))
