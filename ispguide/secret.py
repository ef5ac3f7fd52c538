"""A password on its way in, in a wrapping that cannot be shown by accident.

Keeps nothing: generated secrets are made on the server and never leave it.
"""

from __future__ import annotations

from typing import Any


class Secret:
    """A password on its way in.  Deliberately not a str: formatting shows dots."""

    __slots__ = ("_value",)

    def __init__(self, value: str):
        self._value = value

    def reveal(self) -> str:
        """The text itself, for the one place that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "•••"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a Secret is not written anywhere")
