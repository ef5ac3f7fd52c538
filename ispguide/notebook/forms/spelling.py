"""Names of other scripts: typed and shown as people write them, kept as the DNS has them."""

from __future__ import annotations

from typing import Any

from ispguide.names import kept, shown


def as_kept(value: Any) -> Any:
    """What was typed, as the settings keep it: domains in A-labels."""
    return kept(value) if isinstance(value, str) else value


def as_shown(value: Any) -> Any:
    """What the settings keep, as people write it."""
    return shown(value) if isinstance(value, str) else value
