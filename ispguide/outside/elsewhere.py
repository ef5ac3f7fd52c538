"""Who may be asked at another provider, to see our letters as strangers see them.

Around a practice server there is friend.test, and somebody who forges.  For a real
one nobody is known: a proof then says that it could not tell.  The practice internet
fulfils `Elsewhere` without knowing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Said(Protocol):
    """How a letter was received: the answer that decided."""

    @property
    def code(self) -> int: ...
    @property
    def text(self) -> str: ...


class BruteForced(Protocol):
    """How far somebody came who tries passwords."""

    @property
    def address(self) -> str: ...
    @property
    def tries(self) -> int: ...
    @property
    def shut(self) -> bool: ...


class Elsewhere(Protocol):
    """A strict provider elsewhere, with a mailbox that can be read."""

    address: str  #: whom to write to

    def verdict(self, mark: str, seconds: float) -> Mapping[str, str] | None:
        """{"spf": "pass", …} of the letter with that word in it, which is then thrown
        away; None when it does not come in time."""

    def forged(self, sender: str, mark: str) -> Said:
        """Somebody without any right to it writes there as `sender`."""

    def brute_forced(self, service: str, tries: int) -> BruteForced:
        """Somebody tries that many wrong passwords at our `service` (none: only looks),
        and whether he is still answered."""
