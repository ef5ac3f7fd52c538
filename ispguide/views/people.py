"""Who is there, as HTML: a table of each kind, or a fold for each domain of many.

Everything is escaped; names of other scripts are shown as people write them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from ispguide.engine.names import to_unicode
from ispguide.mail.people import Lists
from ispguide.mail.people.things import limit
from ispguide.mail.people.user_database import Sender
from ispguide.views import html, style

#: With more rows than this, each domain's are folded.
MANY = 40
HEADS = {
    "domains": ("domain",),
    "mailboxes": ("mailbox", "may hold", "logs in"),
    "aliases": ("mail to", "goes to"),
}


def lists_html(lists: Lists) -> Markup:
    """Domains, mailboxes and forwardings."""
    rows: dict[str, list[tuple[str, ...]]] = {
        "domains": [(to_unicode(row[0]),) for row in lists["domains"]],
        "mailboxes": [_mailbox(row) for row in lists["mailboxes"]],
        "aliases": [
            (to_unicode(row[0]), to_unicode(row[1])) for row in lists["aliases"]
        ],
    }
    return html.joined(_folded(HEADS[kind], found) for kind, found in rows.items())


def _mailbox(row: Sequence[str]) -> tuple[str, ...]:
    address, size, enabled = row[:3]
    logs_in = "yes" if enabled == "1" else "no: locked"
    return to_unicode(address), limit(int(size)), logs_in


def _folded(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    if len(rows) <= MANY or len(heads) == 1:
        return table(heads, rows)
    by_domain: dict[str, list[Sequence[str]]] = defaultdict(list)
    for row in rows:
        by_domain[row[0].rpartition("@")[2]].append(row)
    return html.joined(
        style.fold(f"{heads[0]}: {domain} ({len(found)})", table(heads, found))
        for domain, found in sorted(by_domain.items())
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """A small table, or that there is nobody yet."""
    return html.table(heads, rows, none="none yet")


def senders_rows(found: Iterable[Sender]) -> list[tuple[str, str, str]]:
    """Who may send as whom, in words."""
    return [
        (
            to_unicode(one.address),
            "nothing: it is locked" if one.locked else to_unicode(one.address),
            "" if one.locked else ", ".join(map(_name, one.names)),
        )
        for one in found
    ]


def _name(source: str) -> str:
    return (
        f"anything {to_unicode(source)}"
        if source.startswith("@")
        else to_unicode(source)
    )
