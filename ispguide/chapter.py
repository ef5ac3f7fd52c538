"""Chapter and Step: the story, and the order in which it is told.

A step is a documented function that yields the things that should be true; a proof
is a step whose things act like a user and look what happens.  Registering a name
again replaces it, because cells are run again.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ispguide.errors import NoSuchStep
from ispguide.settings import Settings

Build = Callable[[Settings], Iterable[Any]]


@dataclass(frozen=True)
class Step:
    """One documented function of a chapter.  `proves`: it acts and then looks."""

    chapter: str
    name: str
    text: str
    things: Build
    proves: bool = False

    @property
    def title(self) -> str:
        """The function's name as a heading."""
        return self.name.replace("_", " ")

    @property
    def source(self) -> str:
        """The step's Python, as it runs."""
        return textwrap.dedent(inspect.getsource(self.things))

    def __str__(self) -> str:
        return f"{self.chapter}.{self.name}"


class Chapter:
    """A row of steps.  `needs`: the chapters it rests on."""

    def __init__(
        self, name: str, title: str, number: int, needs: Sequence[Chapter] = ()
    ):
        self.name, self.title, self.number = name, title, number
        self.needs = tuple(needs)
        self._steps: dict[str, Step] = {}

    def step(self, build: Build) -> Step:
        """Decorator: a step that makes something true."""
        return self._register(build, proves=False)

    def proof(self, build: Build) -> Step:
        """Decorator: a step that proves a behaviour and leaves nothing behind."""
        return self._register(build, proves=True)

    def _register(self, build: Build, proves: bool) -> Step:
        text = inspect.getdoc(build) or ""
        step = Step(self.name, build.__name__, text, build, proves)
        self._steps[step.name] = step
        return step

    @property
    def notebook(self) -> str:
        """The notebook that tells this chapter."""
        return f"{self.number:02d}-{self.name.replace('_', '-')}.ipynb"

    @property
    def steps(self) -> tuple[Step, ...]:
        """What makes things true, in reading order."""
        return tuple(s for s in self if not s.proves)

    @property
    def proofs(self) -> tuple[Step, ...]:
        """What proves them, in reading order."""
        return tuple(s for s in self if s.proves)

    def __iter__(self) -> Iterator[Step]:
        return iter(tuple(self._steps.values()))

    def __getitem__(self, name: str) -> Step:
        return self._steps[name]

    def __contains__(self, name: str) -> bool:
        return name in self._steps


What = str | Step | Chapter


def select(chapters: Sequence[Chapter], what: Sequence[What]) -> list[Step]:
    """The steps meant by chapters, "chapter" or "chapter.step"; all for none.

    Raises NoSuchStep with the words there are."""
    if not what:
        return [step for chapter in chapters for step in chapter]
    chosen = {str(s) for w in what for s in _meant(chapters, w)}
    return [s for c in chapters for s in c if str(s) in chosen]


def _meant(chapters: Sequence[Chapter], what: What) -> Iterable[Step]:
    if isinstance(what, Step):
        return [what]
    if isinstance(what, Chapter):
        return what
    name, _, step = what.partition(".")
    chapter = next((c for c in chapters if c.name == name), None)
    if chapter is None:
        raise NoSuchStep(
            f"There is no chapter {name!r}.",
            f"The chapters are {', '.join(c.name for c in chapters)}.",
            "Write one of them, or chapter.step.",
        )
    if step and step not in chapter:
        raise NoSuchStep(
            f"The chapter {name} has no step {step!r}.",
            f"Its steps are {', '.join(s.name for s in chapter)}.",
            f"Write {name}.STEP with one of them.",
        )
    return [chapter[step]] if step else chapter


def rests_on(chapters: Sequence[Chapter], step: Step) -> list[Step]:
    """Earlier steps of its chapter, and all steps of the chapters that one needs."""
    chapter = next(c for c in chapters if c.name == step.chapter)
    own = list(chapter.steps)
    names = [s.name for s in own]
    earlier = own[: names.index(step.name)] if step.name in names else own
    return [s for c in _needed(chapter) for s in c.steps] + earlier


def _needed(chapter: Chapter) -> list[Chapter]:
    """The chapters it rests on, the deepest first, each once."""
    found: dict[str, Chapter] = {}
    for need in chapter.needs:
        for c in (*_needed(need), need):
            found[c.name] = c
    return list(found.values())
