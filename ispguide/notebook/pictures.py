"""Pictures where people would rather look than read.

`big_picture`, `journey`, `trace`, `health`, `mail_flow`, `queue`, `spam_scores`,
`mailboxes`, `quota_usage`, `certificate`, `bans`: each is a live card in JupyterLab, and the same
as plain HTML where a script runs the notebooks.
Matplotlib is loaded when a plot is drawn, not before.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from ispguide.engine.errors import GuideError
from ispguide.notebook import switch
from ispguide.notebook.card import headless, live
from ispguide.notebook.show import Shown, guarded, problem, sentence
from ispguide.views import style


def big_picture(highlight: str = "") -> Any:
    """The whole mail server, with the state of each component; a chapter lights up."""
    from ispguide.notebook.journey import BigPictureCard

    return _plain_picture(highlight) if headless() else live(
        lambda: BigPictureCard(highlight), lambda card: card.look()
    )  # fmt: skip


def _plain_picture(highlight: str) -> Any:
    from ispguide import tasks
    from ispguide.tasks.components import UNSEEN
    from ispguide.views import diagram

    try:
        states, why = switch.here()(tasks.parts), Markup()
    except GuideError as error:  # the drawing is worth showing without a server too
        states, why = UNSEEN, problem(error)._repr_html_()
    return _shown(why + diagram.big_picture(states, highlight), diagram.as_text(states))


def journey(kind: str = "letter", to: str = "") -> Any:
    """Send a letter, and watch every hop.  `kind`, `to`: where nobody can press."""
    if not headless():
        from ispguide.notebook.journey import JourneyCard

        return live(JourneyCard)
    if switch.position() == switch.LOOK:
        return sentence(
            "Looking only: the journey sends a real letter, so it did not begin. "
            f"Turn the switch to “{switch.DO}” in 00-start to see it."
        )
    return guarded(lambda: _plain_journey(kind, to))


def _plain_journey(kind: str, to: str) -> Shown:
    from ispguide import tasks
    from ispguide.views.journey import hops_text, timeline

    hops = switch.here()(tasks.travel, kind, to)
    return _shown(timeline(hops), hops_text(hops))


def trace(what: str = "") -> Any:
    """Where a letter went.  `what`: an address, a Message-ID or a queue id."""
    if not headless():
        from ispguide.notebook.journey import TraceCard

        return live(lambda: TraceCard(what))
    if not what:
        return sentence(
            "Nobody is asked for here: give an address, or run it in JupyterLab."
        )
    return guarded(lambda: _plain_trace(what))


def _plain_trace(what: str) -> Shown:
    from ispguide import tasks
    from ispguide.views.journey import ways_html, ways_text

    seen = switch.here()(tasks.trace, what)
    return _shown(ways_html(seen), ways_text(seen))


def health() -> Any:
    """How the server is, judged in words: fine, look, or act."""
    return _measured("health")


def mail_flow() -> Any:
    """What came, went and was refused in the last days, and why."""
    return _measured("mail_flow")


def queue() -> Any:
    """The mails that wait: how many, how old, why."""
    return _measured("queue")


def spam_scores() -> Any:
    """The points rspamd gave to the last mails."""
    return _measured("spam_scores")


def mailboxes() -> Any:
    """Size and number of mails of each mailbox."""
    return _measured("mailboxes")


def quota_usage() -> Any:
    """How full each mailbox is, of what it may hold."""
    return _measured("quota_usage")


def certificate() -> Any:
    """The life of the certificate in use."""
    return _measured("certificate")


def bans() -> Any:
    """Who guesses passwords, and who is shut out."""
    return _measured("bans")


def _measured(name: str) -> Any:
    from ispguide.notebook import measures

    if not headless():
        return live(lambda: measures.MeasureCard(name), lambda card: card.look())
    return guarded(lambda: _plain_measure(measures.MEASURES[name]))


def _plain_measure(measure: Any) -> Shown:

    seen = switch.here()(measure.task)
    return _shown(measure.html(seen), f"{measure.title}. {measure.words(seen)}")


def _shown(html: Markup, text: str) -> Shown:
    return Shown(style.style() + style.box(html), text)
