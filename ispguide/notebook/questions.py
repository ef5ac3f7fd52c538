"""The questions at the end of a chapter, and what is said about an answer.

`quiz`: open, the answer folded away.  `ask`: judged, by the server or against known
choices.  What a reader types lives as long as the card; nothing keeps it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from typing import Any

from ispguide.errors import GuideError
from ispguide.notebook import frame, glossary
from ispguide.notebook.asked import BY_TEXT
from ispguide.notebook.card import headless
from ispguide.notebook.judging import Verdict
from ispguide.notebook.show import Shown


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
    return _folded(question, _read("answers.toml")[question])


def ask(chapter: str, question: str) -> Any:
    """A question of this chapter, to be answered and judged."""
    asked = BY_TEXT.get(question)
    if asked is None and question not in known_choices():
        raise GuideError(
            f"No answer is known to the question “{question}”.",
            "It should be one of those in ispguide/notebook.",
            "Write it as it stands there.",
            kind="no-such-question",
        )
    if headless():
        return _folded(question, asked.how if asked else _right(question))
    from ispguide.notebook.question_cards import AskCard, ChooseCard

    if asked:
        return AskCard(chapter, asked)
    return ChooseCard(chapter, known_choices()[question])


@cache
def known_choices() -> dict[str, Choices]:
    """Every question with choices, by its words."""
    return {
        text: Choices(text, q["cell"], tuple(Choice(**c) for c in q["choices"]))
        for text, q in _read("choices.toml").items()
    }


def verdict_html(verdict: Verdict, said: str, cell: str) -> str:
    """What is so, what was said, and where to look."""
    parts = (("so", verdict.so), ("you said", said), ("because", verdict.why))
    told = "".join(
        f"<dt>{name}</dt><dd>{glossary.explained(text) if name != 'you said' else escape(text)}</dd>"
        for name, text in parts
        if text
    )
    return f'<dl class="three">{told}<dt>look</dt><dd>{cell_link(cell)}</dd></dl>'


def cell_link(cell: str) -> str:
    """A link to a cell given as notebook#cell."""
    notebook, _, name = cell.partition("#")
    words = f"{notebook[:2]} {name.replace('_', ' ').replace('-', ' ')}"
    return frame.link(notebook, words, name)


def _folded(question: str, answer: str) -> Shown:
    html = (
        f"<p>{escape(question)}</p><details><summary>Think first, then look</summary>"
        f"<p>{glossary.explained(answer)}</p></details>"
    )
    return Shown(f'<div class="ispguide">{html}</div>', f"{question}\n\n{answer}")


def _right(question: str) -> str:
    right = next(c for c in known_choices()[question].choices if c.right)
    return f"{right.say}. {right.why}"


@cache
def _read(name: str) -> dict[str, Any]:
    text = resources.files("ispguide.notebook").joinpath(name).read_text()
    return tomllib.loads(text)
