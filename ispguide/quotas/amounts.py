"""What somebody types for a limit, as bytes: "500 MB", "2 GB", "none".

A million bytes are an MB here, as in all that the guide shows.
"""

from __future__ import annotations

import re

from ispguide.errors import GuideError

UNITS = {"kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000}
NONE = ("0", "none", "no limit", "")
#: What the column can hold; nobody has so much disk.
MOST = 10**15
_AMOUNT = re.compile(r"(\d{1,9}(?:[.,]\d{1,3})?)\s*(kb|mb|gb)")


def bytes_of(text: str) -> int:
    """The limit in bytes, 0 for none; GuideError in a sentence when it is none of these."""
    said = text.strip().lower()
    if said in NONE:
        return 0
    found = _AMOUNT.fullmatch(said)
    size = round(float(found[1].replace(",", ".")) * UNITS[found[2]]) if found else 0
    if not 1000 <= size <= MOST:
        raise GuideError(
            f"{text!r} is no limit of a mailbox.",
            "It should be a number with its unit, like 500 MB or 2 GB, or none.",
            "Write it like that.",
            kind="bad-limit",
        )
    return size
