"""What a saved notebook shows where a live card was.

A card that nobody drives is an error on the page, so on saving JupyterLab puts the
card's last report in its place (ispguide/saving.py).  The kernel leaves
that report in a file by the card's model id; it holds what the report says and
nothing that was typed.
"""

from __future__ import annotations

from ispguide.saving import folder


def keep(model: str, html: str) -> None:
    """The last report of the card with this model id, whole or not at all."""
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    part = folder() / f"{model}.part"
    part.write_text(html)
    part.replace(folder() / f"{model}.html")


def forget(model: str) -> None:
    """The card is gone."""
    (folder() / f"{model}.html").unlink(missing_ok=True)
