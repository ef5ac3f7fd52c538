"""The Fabric task that only asks: facts, without a chapter around them.

`tasks` offers it with the others.  It changes nothing and judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric import task

from ispguide.facts import Fact, Have
from ispguide.opening import PRACTICE, open_guide


@task
def facts_of(
    c: Any, facts: Sequence[Fact] = (), server: str = PRACTICE, sudo: Any = None
) -> Have:
    """The server's answers to these questions, in one exchange."""
    guide = open_guide(server, sudo)
    with guide.server:
        guide.exchange(tell=facts)
        return guide.have
