"""The cards of the plots: a look at the server, drawn, and looked at again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ispguide import tasks
from ispguide.mail.log import traffic
from ispguide.mail.measures import bans, certificate, health, mailboxes
from ispguide.notebook.card import PictureCard
from ispguide.tasks.base import OnServer
from ispguide.views import watching


@dataclass(frozen=True)
class Measure:
    """What is asked, how it is said, how it is drawn."""

    title: str
    task: Callable[..., Any]
    words: Callable[[Any], str]
    html: Callable[[Any], Markup]
    #: State and word of the card; a plot judges nothing.
    judged: Callable[[Any], tuple[str, str]] = lambda seen: ("ok", "looked")


MEASURES = {
    "queue": Measure(
        "The queue", tasks.measure_queue, traffic.queue_words, watching.queue_html
    ),
    "spam_scores": Measure(
        "What rspamd thought of the last mails",
        tasks.measure_scores,
        lambda seen: traffic.score_words(seen[0]),
        watching.scores_html,
    ),
    "mailboxes": Measure(
        "The mailboxes",
        tasks.measure_mailboxes,
        mailboxes.box_words,
        watching.mailboxes_html,
    ),
    "quota_usage": Measure(
        "How full the mailboxes are",
        tasks.measure_mailboxes,
        mailboxes.usage_words,
        watching.usage_html,
    ),
    "certificate": Measure(
        "The certificate's life",
        tasks.measure_certificate,
        certificate.certificate_words,
        watching.certificate_html,
    ),
    "bans": Measure(
        "Who guesses, and who is shut out",
        tasks.measure_bans,
        bans.guard_words,
        watching.bans_html,
    ),
    "health": Measure(
        "How the server is",
        tasks.health,
        lambda seen: health.health_words(seen[0]),
        watching.health_html,
        watching.judged,
    ),
    "mail_flow": Measure(
        "Mail of the last days",
        tasks.mail_flow,
        lambda seen: traffic.flow_words(seen[0]),
        watching.flow_html,
    ),
}


class MeasureCard(PictureCard):
    """One of them, by its name."""

    def __init__(self, name: str):
        self.measure = MEASURES[name]
        super().__init__(f"picture.{name}", self.measure.title)

    def ask(self, on: OnServer) -> Any:
        # Drawn on the worker too: the first plot loads a library for a second.
        seen = on(self.measure.task)
        return self.measure.html(seen), self.measure.judged(seen)

    def draw(self, seen: tuple[Markup, tuple[str, str]]) -> Markup:
        html, judged = seen
        self.state(*judged)
        return html
