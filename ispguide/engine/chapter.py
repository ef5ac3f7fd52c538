"""Chapter and Step: the story, and the order in which it is told.

A step is a documented function that yields the things that should be true; a proof
is a step whose things act like a user and look what happens.  Registering a name
again replaces it, because cells are run again.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ispguide.engine.errors import NoSuchStep
from ispguide.engine.settings import Settings

Build = Callable[[Settings], Iterable[Any]]


@dataclass(frozen=True)
class Step:
    """One documented function of a chapter.  `proves`: it acts and then looks.

    `aside`: nothing else waits for it."""

    chapter: str
    name: str
    text: str
    build: Build
    proves: bool = False
    aside: bool = False

    def things(self, s: Settings) -> Iterable[Any]:
        """What should be true; nothing where the reader left the chapter out."""
        return () if getattr(s, self.chapter, True) is False else self.build(s)

    @property
    def title(self) -> str:
        """The function's name as a heading; what its text writes in capitals, as TLSA,
        is an abbreviation."""
        words = self.name.split("_")
        told = set(re.findall(r"[A-Z]{2,}", self.text))
        return " ".join(w.upper() if w.upper() in told else w for w in words)

    @property
    def source(self) -> str:
        """The step's Python, as it runs."""
        return textwrap.dedent(inspect.getsource(self.build))

    def __str__(self) -> str:
        return f"{self.chapter}.{self.name}"


class Chapter:
    """A row of steps.  `needs`: the chapters it rests on.

    `learn`: one sentence for the reader; `minutes`: what it takes to read and do;
    `settings`: the names of those decisions that are this chapter's own.  A chapter
    whose name is a decision of yes or no can be left out; then it has no gaps.
    `former`: what steps were called in the version before, and are called now; the old
    names are still understood, on the command line and in the ledger of a server."""

    def __init__(
        self,
        name: str,
        title: str,
        number: int,
        needs: Sequence[Chapter] = (),
        *,
        learn: str = "",
        minutes: int = 0,
        settings: Sequence[str] = (),
        former: Mapping[str, str] = MappingProxyType({}),
    ):
        self.name, self.title, self.number = name, title, number
        self.needs, self.settings = tuple(needs), tuple(settings)
        self.learn, self.minutes, self.former = learn, minutes, former
        self._steps: dict[str, Step] = {}

    def step(self, build: Build) -> Step:
        """Decorator: a step that makes something true."""
        return self._register(build)

    def aside(self, build: Build) -> Step:
        """Decorator: likewise, but nothing rests on it.  For what depends on others in
        the world, and without which the rest is as good."""
        return self._register(build, aside=True)

    def proof(self, build: Build) -> Step:
        """Decorator: a step that proves a behaviour and leaves nothing behind."""
        return self._register(build, proves=True)

    def _register(self, build: Build, **kind: bool) -> Step:
        text = inspect.getdoc(build) or ""
        step = Step(self.name, build.__name__, text, build, **kind)
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
        return self._steps[self.former.get(name, name)]

    def __contains__(self, name: str) -> bool:
        return self.former.get(name, name) in self._steps


What = str | Step | Chapter


def select(chapters: Sequence[Chapter], what: Sequence[What]) -> list[Step]:
    """The steps meant by chapters, "chapter" or "chapter.step"; all for none.

    A Step of no chapter is taken as it is.  Raises NoSuchStep with the words there are."""
    told = [step for chapter in chapters for step in chapter]
    chosen = {str(s): s for w in what for s in _meant(chapters, w)}
    if not what:
        return told
    apart = chosen.keys() - {str(s) for s in told}
    return [s for s in told if str(s) in chosen] + [chosen[name] for name in apart]


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


def called_now(chapters: Sequence[Chapter], name: str) -> str:
    """ "chapter.step", as it may stand in an old ledger, by the name of today."""
    known = next((c for c in chapters if name.startswith(f"{c.name}.")), None)
    step = name.partition(".")[2]
    return f"{known.name}.{known.former.get(step, step)}" if known else name


def rests_on(chapters: Sequence[Chapter], step: Step) -> list[Step]:
    """Earlier steps of its chapter, and all steps of the chapters that one needs, but
    for those aside."""
    chapter = next(c for c in chapters if c.name == step.chapter)
    own = list(chapter.steps)
    names = [s.name for s in own]
    earlier = own[: names.index(step.name)] if step.name in names else own
    return [
        s
        for s in (*(s for c in _needed(chapter) for s in c.steps), *earlier)
        if not s.aside
    ]


def _needed(chapter: Chapter) -> list[Chapter]:
    """The chapters it rests on, the deepest first, each once."""
    found: dict[str, Chapter] = {}
    for need in chapter.needs:
        for c in (*_needed(need), need):
            found[c.name] = c
    return list(found.values())
