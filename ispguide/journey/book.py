"""The hops of the address book: what Postfix asks MariaDB about a recipient.

Pure.  Postfix does not write its questions down, so the same maps are asked once more
with the same keys.  Of a map's file only its query is ever shown.
Sources: mysql_table(5), postmap(1), ADDRESS_REWRITING_README (virtual aliases first).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ispguide import facts
from ispguide.actions import quote
from ispguide.facts import Fact, Have, failed_answer
from ispguide.journey.hop import Hop

_BOOK = "/etc/postfix/mysql-"
DOMAINS = f"{_BOOK}virtual-mailbox-domains.cf"
ALIASES = f"{_BOOK}virtual-alias-maps.cf"
ITSELF = f"{_BOOK}email2email.cf"
MAILBOXES = f"{_BOOK}virtual-mailbox-maps.cf"


def questions(to: str) -> list[tuple[str, str]]:
    """(map, key) of what Postfix may ask about an address, in its order."""
    local, _, domain = to.partition("@")
    bare = f"{local.partition('+')[0]}@{domain}"
    names = list(dict.fromkeys([to, bare]))
    aliases = [(book, name) for name in names for book in (ALIASES, ITSELF)]
    return [
        (DOMAINS, domain), *aliases, (ALIASES, f"@{domain}"),
        *((MAILBOXES, name) for name in names),
    ]  # fmt: skip


def _query(book: str, key: str) -> Fact:
    source = quote(f"mysql:{book}")
    return facts.run(f"[ -f {book} ] && postmap -q {quote(key)} {source}")


def book_facts(to: str) -> list[Fact]:
    """What to ask the server, to hear what Postfix hears."""
    asked = questions(to)
    books = dict.fromkeys(book for book, _ in asked)
    return [*(facts.file(b) for b in books), *(_query(b, key) for b, key in asked)]


def in_the_book(at: float, to: str, have: Have) -> Iterator[Hop]:
    """The questions that decide, with their answers; the first name found wins."""
    found = False
    for book, key in questions(to):
        if found and book != DOMAINS:
            return
        answer = have[_query(book, key)]
        said = str(answer.get("out", "")).strip()
        yield _question(at, book, key, said, failed_answer(answer), have)
        if book == DOMAINS and not said:
            return
        found = book != DOMAINS and bool(said)


def _question(
    at: float, book: str, key: str, said: str, failed: str, have: Have
) -> Hop:
    what, yes, no = _MEANING[book]
    if key.startswith("@"):
        what = "does {key} catch all?"
    words = f"It could not be asked: {failed}." if failed else yes if said else no
    typed = (
        f"by hand: postmap -q {quote(key)} mysql:{book}\n"
        "(Postfix does not write its questions down, so this one was asked once more "
        "for you; the stranger waits a little longer for it.)"
    )
    query = _rendered(have[facts.file(book)], key)
    detail = f"{query}\n→ {said or 'nothing'}\n{typed}"
    state = "note" if failed else "ok"
    filled = words.format(key=key, said=said) if not failed else words
    return Hop(at, "mariadb", what.format(key=key), filled, detail, state)


_MEANING = {
    DOMAINS: (
        "is {key} ours?",
        "Yes. Postfix goes on asking who lives there.",
        "No. Strangers' letters for it are not ours to carry.",
    ),
    ALIASES: (
        "does the address lead elsewhere?",
        "Yes: its mail goes to {said}.",
        "Nothing is written there.",
    ),
    ITSELF: (
        "is the address a mailbox?",
        "Yes, so it leads to itself, and no catch-all takes its mail.",
        "No mailbox has exactly this name.",
    ),
    MAILBOXES: (
        "does anybody of this name live here?",
        "Yes.",
        "No. The letter will be refused at the door.",
    ),
}


def _rendered(file: object, key: str) -> str:
    """The query of the map's file with the key in it.  No other line is shown."""
    text = str(file.get("text", "")) if isinstance(file, dict) else ""
    found = re.search(r"^query\s*=\s*(.*)$", text, re.M)
    return found[1].replace("%s", key) if found else "(there is no such map yet)"
