"""What is asked besides the steps: by the lists, pictures, coach and questions.

Only recording needs it, and so only here the replay knows the notebook.  A question
that is missing here shows in a replay as "could not tell: not in the recording".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from ispguide import components, people
from ispguide.backup.returning import LIST
from ispguide.backup.things import LAST
from ispguide.dkim import rotation
from ispguide.dmarc.things import ReportsMailbox
from ispguide.dns import coach
from ispguide.facts import Fact
from ispguide.guide import Guide
from ispguide.journey.retold import journey
from ispguide.journey.travel import travel
from ispguide.measures import bans, certificate, flow, health, mailboxes, queue, scores
from ispguide.replay.recording import Row
from ispguide.settings import Settings
from ispguide.tasks_dmarc import search

#: After which chapter which letters are sent and followed.
LETTERS = {"first_mail": ("letter", "nobody"), "spam": ("letter", "spam", "nobody")}
#: What is measured; the letters of proofs and journeys count, so it is asked after them.
MEASURED: tuple[Fact, ...] = (
    queue.QUEUE, scores.VERDICTS, flow.FLOW, *mailboxes.ASKED, *bans.ASKED
)  # fmt: skip


def besides(settings: Settings) -> list[Fact]:
    """Asked of the server, whatever it answers."""
    from ispguide.notebook.asked import ASKED

    mine = [*people.LISTS, *components.UNITS, *MEASURED]
    mine += [LIST, LAST]
    mine.append(certificate.certificate_fact(settings.cert_dir))
    mine.append(health.health_fact(settings))
    mine += [rotation.QUEUE, search(ReportsMailbox(settings.domain).address)]
    return mine + [asked.fact(settings) for asked in ASKED]


def of_resolvers(guide: Guide) -> list[Fact]:
    """What the coach asks resolvers; the names depend on the server's addresses."""
    return coach.asked_of(guide.settings, guide.have, [guide.server.profile.resolver])


def letters(guide: Guide, chapter: str) -> Iterator[Row]:
    """The journeys of this chapter's letters, each as an answer."""
    for kind in LETTERS.get(chapter, ()):
        hops = travel(guide, kind, "", lambda hop: None)
        yield journey(kind), [asdict(hop) for hop in hops]
