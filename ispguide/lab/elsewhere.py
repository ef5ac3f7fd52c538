"""friend.test as the guide's proofs meet it: its verdict on a letter, and on a forged one.

What it took is thrown away when its verdict has been read.  Decides nothing.
"""

from __future__ import annotations

import time

from ispguide.lab import friend, guesser, spammer


class FriendTest:
    """Ben, and his strict provider."""

    address = friend.BEN

    def verdict(self, mark: str, seconds: float) -> dict[str, str] | None:
        """What friend.test found; None when the letter does not come in time."""
        end = time.monotonic() + seconds
        while not (found := friend.inbox(mark)):
            if time.monotonic() > end:
                return None
            time.sleep(0.25)
        friend.discard(mark)
        return found[0].verdict

    def forged(self, sender: str, mark: str) -> spammer.Said:
        """Sent from an address of spammer.test that is otherwise as it should be."""
        return spammer.forge(self.address, sender, subject=f"Your invoice, {mark}")

    def guessed(self, service: str, tries: int) -> guesser.Guessed:
        """From the address of spammer.test that has no reverse name."""
        return guesser.guess(service, tries)
