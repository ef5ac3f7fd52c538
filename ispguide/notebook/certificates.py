"""The rehearsal of a renewal, as a card: one button, and every door looked at.

It never begins by itself: a new certificate is a change, even if a welcome one.
"""

from __future__ import annotations

from typing import Any

from ispguide import tasks
from ispguide.chapters import tls
from ispguide.mail.certificates import PORTS, rehearsal
from ispguide.notebook import switch
from ispguide.notebook.card import Sure, headless, live
from ispguide.notebook.cards import StepsCard
from ispguide.notebook.show import sentence


def rehearse() -> Any:
    """Renew now, and see who shows the new certificate.  It waits for a click: a
    notebook that is run once more must change nothing."""
    if not headless():
        return live(RehearsalCard)
    return sentence(
        "A rehearsal replaces the certificate, so it waits for a click in JupyterLab. "
        "On the command line it is ./guide renew."
    )


class RehearsalCard(StepsCard):
    """A renewal in earnest, and all doors afterwards."""

    def __init__(self) -> None:
        step = rehearsal("", PORTS)
        super().__init__(tls.chapter, [step], step.name, "A renewal, rehearsed")

    def buttons(self) -> list[Any]:
        return [Sure("renew it now", self.rehearse, css="ispg-do").box]

    def rehearse(self) -> None:
        """On the server, as its timer would do it."""
        on = switch.here()
        self.change(
            "Renewing",
            lambda watch: on(tasks.renew, watch=watch),
        )
