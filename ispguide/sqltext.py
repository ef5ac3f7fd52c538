"""Text for MariaDB: literals nothing can break out of, statements on its stdin."""

from __future__ import annotations

from collections.abc import Mapping

from ispguide.actions import Run

UTF8 = "utf8mb4"
COLLATION = "utf8mb4_unicode_ci"


def literal(text: str) -> str:
    """`text` for SQL, in a form nothing can break out of."""
    if not text:
        return "''"
    return f"CONVERT(0x{text.encode().hex()} USING {UTF8}) COLLATE {COLLATION}"


def statement(text: str, hashes: Mapping[str, str] | None = None) -> Run:
    """SQL given to MariaDB on standard input, as its root."""
    return Run("mariadb", stdin=text.rstrip() + "\n", hashes=hashes or {}, seconds=60)
