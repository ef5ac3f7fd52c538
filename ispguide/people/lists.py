"""Who is there: the questions, and their answers as lists.

The mailboxes of proofs are left out: they exist for seconds, and belong to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ispguide import facts
from ispguide.errors import GuideError
from ispguide.facts import Fact

DB = "mailserver"
Lists = dict[str, list[list[str]]]

DOMAINS = facts.sql(f"SELECT name FROM {DB}.virtual_domains ORDER BY name")
#: address, limit in bytes, "1" when its owner may log in.
MAILBOXES = facts.sql(
    f"SELECT email, quota, enabled FROM {DB}.virtual_users "
    "WHERE email NOT LIKE 'ispguide-proof-%' ORDER BY email"
)
ALIASES = facts.sql(
    f"SELECT source, destination FROM {DB}.virtual_aliases "
    "WHERE source NOT LIKE 'ispguide-proof-%' ORDER BY source, destination"
)
LISTS: tuple[Fact, ...] = (DOMAINS, MAILBOXES, ALIASES)


def lists_of(have: Mapping[Fact, Any]) -> Lists:
    """{domains, mailboxes, aliases}, each a list of rows; GuideError when unread."""
    for fact in LISTS:
        if "error" in have[fact]:
            raise GuideError(
                f"The list of people cannot be read: {have[fact]['error']}.",
                "The chapter database should be true first.",
                "./guide apply database",
                kind="no-answer",
            )
    names = ("domains", "mailboxes", "aliases")
    return {n: have[f]["rows"] for n, f in zip(names, LISTS, strict=True)}
