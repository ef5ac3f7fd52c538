"""The questions at the end of a chapter, and what is said about an answer.

`quiz`: open, the answer folded away.  `ask`: judged, by the server or against known
choices.  What a reader types lives as long as the card; nothing keeps it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from ispguide import tasks
from ispguide.engine.errors import GuideError
from ispguide.notebook import switch
from ispguide.notebook.card import Card, Watch, headless
from ispguide.notebook.inputs import button
from ispguide.notebook.show import Shown
from ispguide.quiz.asked import BY_TEXT, Asked
from ispguide.quiz.judging import Verdict
from ispguide.tasks.base import known_settings
from ispguide.views import glossary, html, style


@dataclass(frozen=True)
class Choice:
    """One answer to choose, and why it is right or not."""

    say: str
    why: str
    right: bool = False


@dataclass(frozen=True)
class Choices:
    """A question with its answers.  `cell`: where to read it again."""

    text: str
    cell: str
    choices: tuple[Choice, ...]

    def judged(self, said: str) -> Verdict:
        """What is right about one of the answers."""
        mine = next((c for c in self.choices if c.say == said), None)
        if mine is None:
            return Verdict(None, "Choose one of the answers first.")
        return Verdict(mine.right, "", mine.why)


def quiz(question: str) -> Shown:
    """A question, and its answer folded away."""
    return _folded(question, _read()["answers"][question])


def ask(chapter: str, question: str) -> Any:
    """A question of this chapter, to be answered and judged."""
    asked = BY_TEXT.get(question)
    if asked is None and question not in known_choices():
        raise GuideError(
            f"No answer is known to the question “{question}”.",
            "It should be one of those in ispguide/quiz.",
            "Write it as it stands there.",
            kind="no-such-question",
        )
    if headless():
        return _folded(question, asked.how if asked else _right(question))
    if asked:
        return AskCard(chapter, asked)
    return ChooseCard(chapter, known_choices()[question])


@cache
def known_choices() -> dict[str, Choices]:
    """Every question with choices, by its words."""
    return {
        text: Choices(text, q["cell"], tuple(Choice(**c) for c in q["choices"]))
        for text, q in _read()["choices"].items()
    }


def verdict_html(verdict: Verdict, said: str, cell: str) -> Markup:
    """What is so, what was said, and where to look."""
    parts = (
        ("so", glossary.explained(verdict.so)),
        ("you said", said),
        ("because", glossary.explained(verdict.why)),
        ("look", cell_link(cell)),
    )
    pair = Markup("<dt>{}</dt><dd>{}</dd>")
    told = html.joined(pair.format(*part) for part in parts if part[1])
    return Markup('<dl class="three">{}</dl>').format(told)


def cell_link(cell: str) -> Markup:
    """A link to a cell given as notebook#cell."""
    notebook, _, name = cell.partition("#")
    words = f"{notebook[:2]} {name.replace('_', ' ').replace('-', ' ')}"
    return style.link(notebook, words, name)


def _folded(question: str, answer: str) -> Shown:
    told = Markup(
        '<div class="ispguide"><p>{}</p><details><summary>Think first, then look'
        "</summary><p>{}</p></details></div>"
    ).format(question, glossary.explained(answer))
    return Shown(told, f"{question}\n\n{answer}")


def _right(question: str) -> str:
    right = next(c for c in known_choices()[question].choices if c.right)
    return f"{right.say}. {right.why}"


@cache
def _read() -> dict[str, Any]:
    text = resources.files("ispguide.quiz").joinpath("questions.toml").read_text()
    return tomllib.loads(text)


# The cards of the questions: a field or a choice, a button, and the verdict.
#
# The answer lives in the card and nowhere else: what a saved notebook keeps is the
# question alone.


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

    def about(self) -> Markup:
        return Markup('<div class="soft">{}</div>').format(
            glossary.explained(self.hint)
        )

    def static(self) -> str:
        """The question alone: an answer is kept nowhere."""
        return f"<div>{style.style()}{style.box(style.heading(self.title))}</div>"

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
        on = switch.here()

        def work(_: Watch) -> Verdict:
            settings = known_settings(on.server)
            facts = [self.asked.fact(settings)]
            have = on(tasks.facts_of, facts)
            return self.asked.judged(said, have, settings)

        self.run("Asking the server", work, lambda verdict: self.tell(verdict, said))
