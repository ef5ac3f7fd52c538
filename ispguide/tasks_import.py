"""The Fabric task that takes in a file of people, after a plan of it was seen.

So many lines at a time are one transaction of the database: all of them, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fabric import task

from ispguide import addressbook as ours
from ispguide.actions import Run
from ispguide.errors import GuideError
from ispguide.opening import PRACTICE, open_guide
from ispguide.people.plan import Change, Plan, plan
from ispguide.sqltext import statement

#: Lines in one transaction: a hash takes the server a quarter of a second.
AT_ONCE = 40


def _ignore(done: int, of: int) -> None:
    """Nobody watches."""


@task
def people_plan(c: Any, text: str, server: str = PRACTICE, sudo: Any = None) -> Plan:
    """What this file would do; nothing is done."""
    guide = open_guide(server, sudo)
    with guide.server:
        return plan(text, ours.lists(guide))


@task
def people_import(
    c: Any,
    text: str,
    server: str = PRACTICE,
    sudo: Any = None,
    tell: Callable[[int, int], None] = _ignore,
) -> tuple[Plan, dict[str, str]]:
    """Do it; the plan as it was done, and the passwords that were made.

    With a single line that cannot be, nothing at all is done."""
    guide = open_guide(server, sudo)
    with guide.server:
        todo = plan(text, ours.lists(guide))
        if todo.problems:
            raise GuideError(
                "\n".join(todo.problems),
                "Every line should be one that can be done.",
                "Nothing was changed. Correct the file and look at its plan again.",
                kind="bad-lines",
            )
        made: dict[str, str] = {}
        for start in range(0, len(todo.changes), AT_ONCE):
            part = todo.changes[start : start + AT_ONCE]
            run, passwords = _transaction(part)
            ours.change(guide, run, f"import, lines {part[0].line} to {part[-1].line}")
            made |= passwords
            tell(start + len(part), len(todo.changes))
        return todo, made


def _transaction(part: Sequence[Change]) -> tuple[Run, dict[str, str]]:
    """All of them or none, and the passwords that were made."""
    hashes: dict[str, str] = {}
    made: dict[str, str] = {}

    def sql() -> Iterator[str]:
        yield "START TRANSACTION;\n"
        for number, change in enumerate(part):
            name = f"new-password-{number}"
            if change.mailbox:
                own, secret = ours.given_or_made(change.password)
                hashes[name] = secret.reveal()
                made.update({change.mailbox: own} if own else {})
            yield change.sql(name)
        yield "COMMIT;\n"

    return statement("".join(sql()), hashes=hashes), made
