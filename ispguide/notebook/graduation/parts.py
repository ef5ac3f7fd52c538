"""What both forms of the report share: sentences, tables as rows, and the pictures."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

from ispguide.components import PART_STATES
from ispguide.dns.coach import Row
from ispguide.graduation import Graduation
from ispguide.measures.certificate import certificate_words
from ispguide.measures.flow import KINDS, Flow, flow_words
from ispguide.measures.health import health_words
from ispguide.notebook.pictures import axes, diagram, flow_plots, plot
from ispguide.overview import CHAPTER_STATES
from ispguide.report import STATES
from ispguide.settings import Settings

#: Title, sentence, SVG.
Picture = tuple[str, str, str]
Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def moment(seconds: float) -> str:
    """A time as a person writes it."""
    form = "%d %b %Y, %H:%M"
    return time.strftime(form, time.localtime(seconds)) if seconds else "never"


def at_a_glance(seen: Graduation) -> list[str]:
    """The report in a few sentences."""
    states = Counter(c.state for c in seen.overview.chapters)
    chapters = ", ".join(
        f"{states[state]} {word}"
        for state, (_, word) in CHAPTER_STATES.items()
        if states[state]
    )
    held = sum(p.state == "ok" for p in seen.proofs)
    right = sum(row.state == "ok" for row in seen.records)
    lines = [
        f"{len(seen.overview.chapters)} chapters: {chapters}.",
        f"{sum(f.state == 'ok' for f in seen.overview.report)} of {len(seen.overview.report)} things are as they should be.",
        f"{held} of {len(seen.proofs)} proofs held.",
        f"{right} of {len(seen.records)} DNS records are right.",
        health_words(seen.health) if seen.health else "How the server is could not be told.",
    ]  # fmt: skip
    lines += [] if seen.flow else ["The mail of the last days could not be told."]
    if not seen.certificate:
        return [*lines, "The certificate could not be told."]
    return [
        *lines,
        certificate_words(seen.certificate).replace("It ", "The certificate ", 1),
    ]


def built(seen: Graduation) -> Table:
    """What was built, a row a chapter."""
    rows: list[tuple[str, ...]] = []
    for one in seen.overview.chapters:
        sign, word = CHAPTER_STATES[one.state]
        when, who = seen.made.get(one.chapter.name, (0.0, ""))
        steps = ", ".join(step.title for step in one.chapter.steps)
        done = f"{moment(when)}, by {who}" if who else moment(when)
        title = f"{one.chapter.number:02d} {one.chapter.title}"
        rows.append(
            (f"{sign} {word}", title, one.chapter.learn, steps or "proofs only", done)
        )
    return ("state", "chapter", "what it is about", "steps", "last changed"), rows


def components(seen: Graduation) -> Table:
    """The programs, a row each: what the picture shows."""
    rows: list[tuple[str, ...]] = [
        (" ".join(PART_STATES[p.state]), p.part.name, p.part.about)
        for p in seen.parts if p.state != "later"
    ]  # fmt: skip
    return ("state", "part", "what it does"), rows


def proofs(seen: Graduation) -> Table:
    """Every proof with its evidence, and when it was tried."""
    rows: list[tuple[str, ...]] = []
    for p in seen.proofs:
        sign, word = STATES[p.state]
        words = "held" if p.state == "ok" else word
        said = p.evidence or "Run the report with the proofs to see it."
        when = f"{moment(p.time)}, by {p.who}" if p.who else moment(p.time)
        rows.append((f"{sign} {words}", p.chapter, p.sentence, said, when))
    return ("state", "chapter", "what was proved", "evidence", "when"), rows


def records(seen: Graduation) -> Table:
    """The DNS table: what should be there, and whether it is."""
    rows = [_record(row) for row in seen.records]
    return ("state", "name", "type", "value", "why"), rows


def _record(row: Row) -> tuple[str, ...]:
    value = " | ".join(row.proposed.values) or "nothing"
    state = (
        row.word
        if row.record.level == "required"
        else f"{row.word} ({row.record.level})"
    )
    return state, row.record.name, row.record.type, value, row.record.why


def pictures(seen: Graduation) -> Iterator[Picture]:
    """Every picture that there is something to draw for."""
    yield "The mail server", "Every part, and how it stands.", diagram.drawn(seen.parts)
    if seen.flow and any(seen.flow.of(kind) for kind in KINDS):
        yield from _of_mail(seen.flow, seen.settings)
    if cert := seen.certificate:
        words = certificate_words(cert)
        drawn = plot.draw(lambda a: axes.life(a, cert), "The certificate", words, 1.5)
        yield "The certificate's life", words, drawn


def _of_mail(mail: Flow, s: Settings) -> Iterator[Picture]:
    table, labels = flow_plots.stretches(mail, s)
    words = flow_words(mail)
    drawn = plot.draw(lambda a: flow_plots.bars(a, table, labels), "Mail", words, 3.0)
    yield "Mail of the last days", words, drawn
    if mail.of("refused") + mail.of("later"):
        why, words = mail.reasons(), "Why mail was refused, or told to come again."
        high = 0.8 + 0.32 * len(why)
        drawn = plot.draw(lambda a: flow_plots.lying(a, why), "Refused", words, high)
        yield "Refused", words, drawn
    if mail.of("score"):
        points, words = mail.points(), "How many points the spam filter gave."
        drawn = plot.draw(lambda a: flow_plots.spread(a, points, s), "Points", words)
        yield "Points", words, drawn
