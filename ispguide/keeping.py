"""Passwords that somebody typed and the server has to keep, as data for `actions`.

Those the server makes for itself are `actions.MakeSecret`.  A value is never part of
what is shown or recorded; on the server it is known before anything is said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class KeepSecret:
    """Keep what was typed as the server's secret `name`, in place of an older one.

    A file that holds the older one is to be removed before, in the same run: later
    nobody would know what to hide in it.  `value`: the password (revealed)."""

    name: str
    value: str = field(repr=False, compare=False)

    do: ClassVar[str] = "keep"

    def by_hand(self) -> str:
        return f"keep the password you typed as the secret {self.name}"


@dataclass(frozen=True)
class ForgetSecret:
    """The server's secret `name` is not needed any more."""

    name: str

    do: ClassVar[str] = "forget"

    def by_hand(self) -> str:
        return f"forget the secret {self.name}"
