"""What a saved notebook shows where a live card was.

A card that nobody drives is an error on the page, so on saving JupyterLab puts the
card's last report in its place (ispguide/saving.py).  The kernel leaves
that report in a file by the card's model id; it holds what the report says and
nothing that was typed.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from ispguide.saving import folder

#: A cell and the work of its card may both have something to show at the same moment.
_ALONE = Lock()


def keep(model: Callable[[], str | None], html: Callable[[], str]) -> None:
    """The last report of the card with this model id, whole or not at all.

    Both are asked when nobody else writes: so the report that stays is the latest, and
    a card that was closed meanwhile (it has no id then) leaves none."""
    with _ALONE:
        if not (name := model()):
            return
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        part = folder() / f"{name}.part"
        part.write_text(html())
        part.replace(folder() / f"{name}.html")


def forget(model: str) -> None:
    """The card is gone."""
    with _ALONE:
        (folder() / f"{model}.html").unlink(missing_ok=True)
