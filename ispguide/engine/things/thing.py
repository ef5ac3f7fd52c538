"""What every thing is, and what most of them share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ispguide.engine.actions import Action
from ispguide.engine.facts import Fact, Have
from ispguide.engine.gaps import Gap


@runtime_checkable
class Thing(Protocol):
    """Something that should be true."""

    follows: bool

    def facts(self) -> Iterable[Fact]: ...
    def gap(self, have: Have) -> Gap: ...
    def fix(self, have: Have) -> Sequence[Action]: ...


@dataclass(frozen=True)
class Plain:
    """What most things share: they do not follow others."""

    @property
    def follows(self) -> bool:
        return False
