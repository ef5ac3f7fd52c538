"""rspamd's list of who signs: a line a domain, with the key's selector and since when.

Pure.  Source: https://docs.rspamd.com/modules/dkim_signing/ (selector_map)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

FOLDER = "/var/lib/rspamd/dkim"
MAP = "/etc/rspamd/dkim_selectors.map"
HEAD = (
    "# Written by ispguide, chapter 15: which key signs for which domain, and since when.\n"
    f"# DOMAIN SELECTOR; the key lies in {FOLDER}/DOMAIN.SELECTOR.key.\n"
)
_SINCE = "%Y-%m-%d %H:%M:%S UTC"


@dataclass(frozen=True)
class Entry:
    """A line of rspamd's list.  `since`: seconds since 1970, 0 when it does not say."""

    domain: str
    selector: str
    since: int = 0

    def line(self) -> str:
        when = datetime.fromtimestamp(self.since, UTC).strftime(_SINCE)
        return f"{self.domain} {self.selector} # since {when}"


_LINE = re.compile(r"\s*([^\s#]+)\s+([^\s#]+)(?:\s*#\s*since ([-0-9: ]+UTC))?")


def entries(list_: str) -> list[Entry]:
    """The lines of rspamd's list that say something."""
    found = (_LINE.match(line) for line in list_.splitlines())
    return [Entry(m[1].lower(), m[2], _time(m[3])) for m in found if m]


def _time(text: str | None) -> int:
    if not text:
        return 0
    return int(datetime.strptime(text, _SINCE).replace(tzinfo=UTC).timestamp())


def with_entries(list_: str, new: Iterable[Entry], gone: Iterable[str] = ()) -> str:
    """The list with these lines instead of those of the same domains; lines of others,
    and what somebody wrote between them, stay."""
    new = list(new)
    away = {e.domain for e in new} | set(gone)
    kept = [
        line
        for line in (list_ or HEAD).splitlines()
        if not ((m := _LINE.match(line)) and m[1].lower() in away)
    ]
    return "\n".join([*kept, *(e.line() for e in new)]) + "\n"
