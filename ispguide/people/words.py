"""Who is there, as lines for people to read."""

from __future__ import annotations

from ispguide.names import shown
from ispguide.quotas.things import limit


def in_words(kind: str, row: list[str]) -> str:
    """A row of one of the lists, on one line."""
    if kind == "aliases":
        return f"{shown(row[0])} → {shown(row[1])}"
    if kind == "domains":
        return shown(row[0])
    locked = ", locked" if row[2] == "0" else ""
    return f"{shown(row[0])}  ({limit(int(row[1]))}{locked})"
