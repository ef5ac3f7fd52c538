"""The hops of a letter: what a hop is, the SMTP dialogue, the questions to MariaDB.

Pure: the record of a talk goes in, hops come out.
Sources: RFC 5321 (SMTP), RFC 3207 (STARTTLS).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ispguide.engine import facts
from ispguide.engine.actions import quote
from ispguide.engine.facts import Fact, Have, Ran

# Hop: one thing that happened to a letter.  Pure data, and their order.


#: Who holds the letter, in the order of the way.
STATIONS = {
    "stranger": "A stranger",
    "postfix": "Postfix",
    "mariadb": "MariaDB",
    "rspamd": "rspamd",
    "dovecot": "Dovecot",
    "reader": "The reader",
}

#: Shape and word of what became of the letter at a hop.
HOP_STATES = {
    "ok": ("✓", "goes on"),
    "no": ("✗", "refused"),
    "wait": ("‖", "waits"),
    "note": ("!", "look here"),
}


@dataclass(frozen=True)
class Hop:
    """One thing that happened.  `at`: seconds since the stranger knocked.

    `what` is short, `words` are for a newcomer, `detail` is what programs said."""

    at: float
    who: str
    what: str
    words: str
    detail: str = ""
    state: str = "ok"


def in_order(hops: Sequence[Hop]) -> list[Hop]:
    """By time; what happened at the same moment, as it was heard."""
    return sorted(hops, key=lambda hop: hop.at)


def outcome(hops: Sequence[Hop]) -> Hop | None:
    """The hop that says what became of the letter: a no, the mailbox, or a wait."""
    ordered = in_order(hops)
    for state, who in (("no", "postfix"), ("ok", "reader"), ("ok", "dovecot")):
        if found := [h for h in ordered if (h.state, h.who) == (state, who)]:
            return found[-1] if state == "ok" else found[0]
    waits = [h for h in ordered if h.state == "wait"]
    return waits[-1] if waits else None


# The hops of the address book: what Postfix asks MariaDB about a recipient.
#
# Pure.  Postfix does not write its questions down, so the same maps are asked once more
# with the same keys.  Of a map's file only its query is ever shown.
# Sources: mysql_table(5), postmap(1), ADDRESS_REWRITING_README (virtual aliases first).


_MAPS = "/etc/postfix/mysql-"
DOMAINS = f"{_MAPS}virtual-mailbox-domains.cf"
ALIASES = f"{_MAPS}virtual-alias-maps.cf"
ITSELF = f"{_MAPS}email2email.cf"
MAILBOXES = f"{_MAPS}virtual-mailbox-maps.cf"


def questions(to: str) -> list[tuple[str, str]]:
    """(map, key) of what Postfix may ask about an address, in its order."""
    local, _, domain = to.partition("@")
    bare = f"{local.partition('+')[0]}@{domain}"
    names = list(dict.fromkeys([to, bare]))
    aliases = [(table, name) for name in names for table in (ALIASES, ITSELF)]
    return [
        (DOMAINS, domain), *aliases, (ALIASES, f"@{domain}"),
        *((MAILBOXES, name) for name in names),
    ]  # fmt: skip


def _query(table: str, key: str) -> Fact:
    source = quote(f"mysql:{table}")
    return facts.run(f"[ -f {table} ] && postmap -q {quote(key)} {source}")


def user_database_facts(to: str) -> list[Fact]:
    """What to ask the server, to hear what Postfix hears."""
    asked = questions(to)
    tables = dict.fromkeys(table for table, _ in asked)
    return [*(facts.file(b) for b in tables), *(_query(b, key) for b, key in asked)]


def in_the_user_database(at: float, to: str, have: Have) -> Iterator[Hop]:
    """The questions that decide, with their answers; the first name found wins."""
    found = False
    for table, key in questions(to):
        if found and table != DOMAINS:
            return
        ran = Ran.of(have[_query(table, key)])
        said = ran.out.strip()
        yield _question(at, table, key, said, ran.why, have)
        if table == DOMAINS and not said:
            return
        found = table != DOMAINS and bool(said)


def _question(
    at: float, table: str, key: str, said: str, failed: str, have: Have
) -> Hop:
    what, yes, no = _MEANING[table]
    if key.startswith("@"):
        what = "does {key} catch all?"
    words = f"It could not be asked: {failed}." if failed else yes if said else no
    typed = (
        f"by hand: postmap -q {quote(key)} mysql:{table}\n"
        "(Postfix does not write its questions down, so this one was asked once more "
        "for you; the stranger waits a little longer for it.)"
    )
    query = _rendered(have[facts.file(table)], key)
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


# The hops that are heard at the door: the SMTP dialogue, turn by turn.


@dataclass(frozen=True)
class Turn:
    """What one side said, and all the other side answered."""

    at: float
    said: str
    heard: tuple[str, ...] = ()
    answered: float = 0.0

    @property
    def last(self) -> str:
        """The answer's deciding line."""
        return self.heard[-1] if self.heard else ""

    @property
    def verb(self) -> str:
        """The command; "" where the server speaks first, "." for the letter."""
        word = self.said.partition(" ")[0].rstrip(":")
        if self.said.startswith(("MAIL FROM", "RCPT TO")) or word in SAID:
            return word
        return "." if self.said else ""

    @property
    def state(self) -> str:
        """How the answer's first digit decides."""
        return {"4": "wait", "5": "no"}.get(self.last[:1], "ok")


def turns(record: Iterable[tuple[float, str]]) -> list[Turn]:
    """The record of a talk (see `outside.Talk`), as said and heard."""
    found: list[Turn] = []
    for at, line in record:
        if line.startswith("C: ") or not found:
            said = line[3:] if line.startswith("C: ") else ""
            found.append(Turn(at, said))
        if line.startswith("S: "):
            last = found.pop()
            found.append(Turn(last.at, last.said, (*last.heard, line[3:]), at))
    return found


@dataclass(frozen=True)
class Meaning:
    """What a turn means: said, and answered with yes, not now, or no."""

    what: str
    yes: str
    wait: str = "Not now, says Postfix."
    no: str = "No, says Postfix."
    open: str = ""  #: said before there is an answer; then the answer is its own hop


SAID: dict[str, Meaning] = {
    "": Meaning(
        "knocks at port 25",
        "Any mail server in the world may open a connection here. Postfix tells its name.",
    ),
    "EHLO": Meaning(
        "says hello",
        "The stranger says who he is, which nobody has proved. Postfix lists what it "
        "can do.",
    ),
    "STARTTLS": Meaning(
        "asks to whisper",
        "“Let nobody on the way listen.” From here on everything is encrypted.",
    ),
    "MAIL": Meaning(
        "names the sender",
        "The first line of the envelope. Anybody can write anything there.",
    ),
    "RCPT": Meaning(
        "names the recipient",
        "“Yes, for this one I take letters. Go on.”",
        "Not now: the stranger's server keeps the letter and tries again later.",
        "Refused at the door. The stranger still holds the letter, so his own server "
        "tells him; we never send a bounce to somebody whose name was forged.",
        "The second line of the envelope. Before Postfix answers, it looks into the "
        "address book.",
    ),
    "DATA": Meaning(
        "asks to hand the letter over",
        "“Go on,” says Postfix, “and end with a line that is a dot.”",
    ),
    ".": Meaning(
        "hands the letter over",
        "It lies safely on our disk, and from this moment it is ours to look after.",
        "Not now: the stranger keeps the letter and comes again. Grey lists do this to "
        "people they have never met.",
        "The last word is no, while the stranger still waits on the line. The letter is "
        "not here, was never here, and nobody gets a bounce.",
        "Head and body, as they are. The stranger waits on the line for the last word.",
    ),
    "QUIT": Meaning("says goodbye", "Both hang up."),
}


def smtp_dialogue(record: Iterable[tuple[float, str]]) -> Iterator[Hop]:
    """The hops of an SMTP dialogue, as far as it has come."""
    whispering = False
    for turn in turns(record):
        meaning = SAID[turn.verb]
        if turn.verb == "EHLO" and whispering:
            meaning = AGAIN
        whispering = whispering or turn.verb == "STARTTLS"
        if meaning.open:
            said = f"stranger: {turn.said}"
            yield Hop(turn.at, "stranger", meaning.what, meaning.open, said)
        if turn.heard:
            yield _answered(turn, meaning)


AGAIN = Meaning(
    "says hello again", "What was said in the open does not count, so they begin anew."
)


def _answered(turn: Turn, meaning: Meaning) -> Hop:
    words = {"ok": meaning.yes, "wait": meaning.wait, "no": meaning.no}[turn.state]
    if not meaning.open:
        return Hop(turn.at, "stranger", meaning.what, words, _spoken(turn), turn.state)
    said = "\n".join(f"Postfix:  {line}" for line in turn.heard)
    answer = f"answers {turn.last[:3]}"
    return Hop(turn.answered, "postfix", answer, words, said, turn.state)


def _spoken(turn: Turn) -> str:
    said = [f"stranger: {turn.said}"] if turn.said else []
    return "\n".join([*said, *(f"Postfix:  {line}" for line in turn.heard)])


def queued_as(said: str) -> str:
    """The number Postfix gave the letter, from its last word."""
    found = re.search(r"queued as (\w+)", said)
    return found[1] if found else ""
