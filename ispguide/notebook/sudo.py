"""Asks for the sudo password in the card that needs it.

Each notebook has a kernel of its own, and the password lives in a kernel's memory
(`switch`) and nowhere else; so whichever card is refused asks for it where it stands.
The field is emptied before anything else happens.  Writes nothing anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ispguide.notebook import switch

if TYPE_CHECKING:
    from ispguide.notebook.card import Card


def ask(card: Card) -> None:
    """Put the question into the card, once.  A new answer replaces the last one."""
    from ispguide.notebook.card import every
    from ispguide.notebook.forms.fields import Hidden, button, row, taken, words

    if any("ispg-sudo" in child._dom_classes for child in card.inside.children):
        return
    field = Hidden(description="password for sudo")
    field.style.description_width = "initial"
    field.layout.width = "auto"
    note = words(
        "It stays in the memory of this notebook's kernel and is never saved. "
        "Not needed for root, nor where sudo asks for none."
    )

    def use() -> None:
        if secret := taken(field):
            switch.remember_sudo(secret)
            card.inside.children = [c for c in card.inside.children if c is not box]
            card.rest("Kept in memory. Now press again what was refused.")
            for part in every(box):
                part.close()

    box = row(field, button("use this password", use), note).add_class("ispg-sudo")
    card.inside.children = (box, *card.inside.children)
