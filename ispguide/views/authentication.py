"""SPF, DKIM and DMARC as HTML and as text: the record's look-ups, the rotation of a key,
the ladder of policies, the reports.

Pure; everything that came from outside is escaped.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from ispguide.mail.dkim.rotation import FIRST, STAGES, Turn, spoken
from ispguide.mail.dmarc.reports import (
    LADDER,
    Aggregate,
    Row,
    Source,
    advice,
    lines,
    sources,
)
from ispguide.mail.dns.spf import LOOKUPS, VOIDS, Node, verdict
from ispguide.tasks.authentication import Reports, Spf
from ispguide.views import html, plot, style, svg

# DMARC reports as a picture and tables.  Pure; everything in them is escaped.


#: More senders would be too small to read; the table has all.
MOST = 10
#: More reports than that are not listed row by row.
LISTED = 30


def state(found: Reports) -> tuple[str, str]:
    """(state, words) for the card's heading."""
    if not found.reports:
        return "unknown", "no report has come yet"
    total = sum(r.count for r in found.reports)
    failed = sum(s.failed for s in sources(found.reports, found.own) if s.ours)
    words = f"{len(found.reports)} reports about {total} letters"
    return ("gap" if failed else "ok"), words


def reports_html(found: Reports) -> Markup:
    """What to do, who sent in your name, and the reports one by one."""
    advised = advice(list(found.reports), found.own, found.policy)
    said, others = Markup("<p>{}</p>").format(advised), html.NOTHING
    if found.others:
        others = Markup("<p>{} letters at {} held no report: {}.</p>").format(
            len(found.others), found.address, found.others[0]
        )
    if not found.reports:
        return said + others
    who = sources(found.reports, found.own)
    drawn = plot.draw(
        lambda axes: draw(axes, who[:MOST]),
        "Letters in your name, by the machine that sent them",
        "; ".join(lines(found.reports, found.own)[:MOST]),
        0.9 + 0.42 * min(len(who), MOST),
    )
    heads = ("address", "who", "letters", "vouched for", "not", "signed by")
    table = html.table(heads, map(_source, who))
    single = html.joined(_report(r) for r in found.reports[:LISTED])
    folded = style.fold("the reports, one by one", single)
    return said + drawn + table + folded + others


def draw(axes: Any, who: Sequence[Source]) -> None:
    """A bar a sender: what was vouched for, and after it, hatched, what was not."""
    names = [
        f"{s.address}\n{'this server' if s.ours else 'somebody else'}" for s in who
    ]
    passed, failed = [s.passed for s in who], [s.failed for s in who]
    axes.barh(names, passed, height=0.55, color=plot.GOOD, label="vouched for")
    bars = axes.barh(names, failed, height=0.55, left=passed, color="none",
                     edgecolor=plot.BAD, hatch="///", label="not vouched for")  # fmt: skip
    axes.bar_label(bars, [f"{s.passed} and {s.failed}" for s in who], padding=6)
    axes.set_xlim(0, max(s.count for s in who) * 1.2)
    axes.invert_yaxis()
    axes.set_xlabel("letters")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    # After the legend, which takes its samples from the first bars.
    for bar, s in zip(bars, who, strict=True):
        bar.set_visible(bool(s.failed))  # one of no width is still a line


def _source(s: Source) -> tuple[str, ...]:
    who = "this server" if s.ours else "somebody else"
    return (
        s.address,
        who,
        str(s.count),
        str(s.passed),
        str(s.failed),
        ", ".join(s.names),
    )


def _report(report: Aggregate) -> Markup:
    begin, end = (
        time.strftime("%d %b %Y", time.gmtime(t)) for t in (report.begin, report.end)
    )
    title = f"{report.org}, {begin}" + (f" to {end}" if end != begin else "")
    heads = ("from", "letters", "DKIM", "SPF", "what they did", "why")
    rows = html.table(heads, map(_row, report.rows[:LISTED]))
    return style.heading(title, level=6) + rows


def _row(row: Row) -> tuple[str, ...]:
    signed = ", ".join(f"{d}: {said}" for d, _, said in row.signed) or "unsigned"
    sent = f"{row.sent[0]}: {row.sent[1]}"
    return (
        row.address,
        str(row.count),
        f"{'✓' if row.dkim else '✗'} {signed}",
        f"{'✓' if row.spf else '✗'} {sent}",
        row.done,
        ", ".join(row.reasons),
    )


def reports_text(found: Reports) -> str:
    """The same for a terminal."""
    said = advice(list(found.reports), found.own, found.policy)
    return "\n".join([*lines(found.reports, found.own), said])


# Rotation and the ladder of DMARC as HTML and as text.


WIDE, HIGH, GAP = 128, 58, 18
#: What each stage is called in the picture, in two lines.
SHORT = {
    "make": ("make", "a new key"), "publish": ("publish", "its half"),
    "sign": ("sign", "with it"), "wait": ("wait", "for old notes"),
    "withdraw": ("withdraw", "the old half"), "destroy": ("destroy", "the old key"),
}  # fmt: skip


# rotation


def summary(turns: Sequence[Turn]) -> tuple[str, str]:
    """(state, words) of all domains together."""
    open_ = [t for t in turns if not t.resting]
    if any(t.next == FIRST for t in turns):
        return "gap", "not every domain is signed for"
    if not open_:
        return "ok", "no change of keys is under way"
    return "blocked" if all(t.next == "wait" for t in open_) else "gap", "under way"


def rotation_html(turns: Sequence[Turn]) -> Markup:
    """A row of stages a domain, and what is so and comes next."""
    return html.joined(_turn(t) for t in turns)


def _turn(t: Turn) -> Markup:
    parts = [style.heading(t.domain, level=5)]
    if t.next != FIRST:
        parts.append(stages_svg(t))
    parts.append(Markup("<p>{}{}</p>{}").format(t.why, _left(t), _keys(t)))
    return html.joined(parts)


def _left(t: Turn) -> str:
    """The seconds run where they are few."""
    if not t.wait:
        return ""
    if t.wait > 7200:
        return f" {spoken(t.wait)} left."
    over = "it is over: look again"
    runs = style.seconds_left(time.time() + t.wait, t.wait, over)
    return Markup(" Left: {}.").format(runs)


def _keys(t: Turn) -> Markup:
    rows = [
        ("signs now", t.signing, _when(t.since)),
        ("comes next", t.new, "signs nothing yet"),
        ("had its turn", t.old, "signs nothing any more"),
    ]
    name = Markup("<code>{}</code>")
    cells = [
        (html.label(word), name.format(key.name), f"{key.bits} bits", more)
        for word, key, more in rows
        if key
    ]
    return html.table((), cells) if cells else html.NOTHING


def _when(moment: int) -> str:
    if not moment:
        return ""
    return time.strftime("since %d %b %Y %H:%M UTC", time.gmtime(moment))


def stages_svg(t: Turn) -> Markup:
    """The stages in a row; what is done, what is next and what is to come by form."""
    names = list(STAGES)
    at = names.index(t.next) if t.next in names else 1 if t.new else 4
    own = svg.name()
    parts = [svg.head(own), *(p for i, n in enumerate(names) for p in _stage(i, n, at))]
    parts += [
        svg.arrow([(x - GAP + 1, HIGH / 2 + 6), (x - 2, HIGH / 2 + 6)], own)
        for x in (i * (WIDE + GAP) for i in range(1, len(names)))
    ]
    words = f"Next: {STAGES.get(t.next, 'look again')}."
    size = (len(names) * (WIDE + GAP) - GAP + 4, HIGH + 36)
    return svg.drawing(own, size, f"Change of the key of {t.domain}", words, html.joined(parts), scale=1.2)  # fmt: skip


def _stage(i: int, name: str, at: int) -> Iterator[Markup]:
    x, done, now = i * (WIDE + GAP) + 2, i < at, i == at
    colour = style.GOOD if done else svg.BLUE if now else svg.LINE
    yield svg.box(x, 6, WIDE, HIGH, colour, 3 if now else 1.5, dashed=not (done or now))
    middle = x + WIDE / 2
    for line, y in zip(SHORT[name], (28, 48), strict=True):
        yield svg.text(middle, y, line, 14, "font-weight:600" if now else "")
    word = "✓ done" if done else "▲ next" if now else "to come"
    yield svg.text(middle, HIGH + 26, word, 13)


def rotation_text(turns: Sequence[Turn]) -> str:
    """The same for a terminal."""
    return "\n".join(
        f"{t.domain}: {t.signing.selector if t.signing else 'nobody signs'}; "
        f"next: {STAGES.get(t.next, 'look again')}. {t.why}"
        for t in turns
    )


# the ladder


def ladder_html(found: Reports) -> Markup:
    """The three rungs, where you stand, and whether to go on."""
    heads = ("you", "p=", "others do with a forgery", "and then")
    rungs = html.table(heads, (_rung(found, *rung) for rung in LADDER))
    said = advice(list(found.reports), found.own, found.policy)
    return Markup("{}<p>{}</p>").format(rungs, said)


def _rung(found: Reports, word: str, does: str, then: str) -> tuple[str, ...]:
    here = word == found.policy
    shown = Markup("<strong>{}</strong>").format(word) if here else word
    return html.state("▶ are here" if here else ""), shown, does, then


def ladder_text(found: Reports) -> str:
    """The same for a terminal."""
    lines = [
        f"{'→' if w == found.policy else ' '} {w:10} {d} {t}" for w, d, t in LADDER
    ]
    return "\n".join([*lines, advice(list(found.reports), found.own, found.policy)])


# The SPF record, word by word, with its look-ups counted.  Pure; all is escaped.


def spf_state(spf: Spf) -> tuple[str, str]:
    """(state, words) of the record."""
    if spf.why:
        return "unknown", "could not be told"
    node = spf.node
    if not spf.text or not node or node["broken"]:
        return "gap", "broken" if spf.text else "there is not exactly one record"
    words = f"{node['lookups']} of {LOOKUPS} look-ups"
    good = node["lookups"] <= LOOKUPS and node["voids"] <= VOIDS
    return ("ok" if good else "gap"), words


def spf_html(spf: Spf) -> Markup:
    """The record, word by word, and what it says of this server."""
    if spf.why or not spf.text:
        why = spf.why or "There is not exactly one SPF record: see chapter 14."
        return Markup("<p>{}</p>").format(why)
    node = spf.node
    own = html.joined(
        Markup("<li>{}: <strong>{}</strong></li>").format(a, verdict(node["terms"], a))
        for a in spf.own
    )
    return Markup(
        "<p><code>{}</code></p>{}<p>{}</p>{}<p>It says of this server:</p><ul>{}</ul>"
    ).format(
        spf.text,
        _meter(node),
        node["broken"] or node["unsure"],
        html.table(("word", "leads to"), _terms(node["terms"])),
        own,
    )


def _meter(node: Node) -> Markup:
    """How many of the look-ups that others make are used up."""
    return Markup(
        '<p><meter min="0" max="{most}" high="{high}" optimum="0" value="{}" '
        'aria-label="look-ups"></meter> {} of {most} look-ups, '
        "{} of {} that lead nowhere</p>"
    ).format(
        min(node["lookups"], LOOKUPS),
        node["lookups"],
        node["voids"],
        VOIDS,
        most=LOOKUPS,
        high=LOOKUPS - 2,
    )


def _terms(terms: Sequence[Node], deep: int = 0) -> Iterator[tuple[str, ...]]:
    """A row a word, those that it leads to below it."""
    for term in terms:
        yield _term(term, deep)
        yield from _terms(term.get("inner", ()), deep + 1)


def _term(term: Node, deep: int) -> tuple[str, ...]:
    word = html.Cell('<td style="padding-left:{}em"><code>{}</code></td>')
    to = (
        ", ".join(term.get("networks", ()))
        if "inner" not in term
        else "what stands below"
    )
    to = "everybody else" if term["text"].lower().endswith("all") else to
    return word.format(deep * 1.6, term["text"]), to
