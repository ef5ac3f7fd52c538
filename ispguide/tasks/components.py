"""The programs of a mail server, and how each of them stands.

Pure: from a look at the whole guide and at the units.  A component is true when the
steps that make it are, and it runs; `notebook.pictures` draws it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ispguide.chapters import GUIDE
from ispguide.engine import facts
from ispguide.engine.chapter import Chapter
from ispguide.engine.facts import Fact
from ispguide.engine.overview import Overview
from ispguide.engine.report import Finding


@dataclass(frozen=True)
class Part:
    """A component.  `steps`: chapters, or chapter.step; `chapter`: where it is told.

    `also`: further chapters in which it plays a part."""

    key: str
    name: str
    about: str
    chapter: str
    steps: tuple[str, ...]
    units: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def told_in(self) -> Chapter | None:
        """The chapter, if this guide has it already."""
        return next((c for c in GUIDE if c.name == self.chapter), None)

    def made_by(self, chapter: str, step: str) -> bool:
        """Whether this step makes a part of it."""
        return chapter in self.steps or f"{chapter}.{step}" in self.steps

    def lit_by(self, chapter: str) -> bool:
        """Whether it belongs to what this chapter is about."""
        own = {step.partition(".")[0] for step in self.steps}
        return bool(chapter) and chapter in {self.chapter, *own, *self.also}


PARTS: tuple[Part, ...] = (
    Part(
        "machine", "The server itself", "Debian, its name, its clock, its updates",
        "server", ("server", "packages"), also=("packages", "backup", "moving"),
    ),
    Part(
        "dns", "DNS", "tells the world where mail for your domain goes",
        "dns", ("dns",), also=("dkim",),
    ),
    Part(
        "smtp", "SMTP", "the counter for other mail servers, port 25",
        "postfix", ("postfix",), ("postfix@-",), ("first_mail",),
    ),
    Part(
        "submission", "Submission", "the counter for your own people, ports 587 and 465",
        "sending", ("sending",),
    ),
    Part(
        "mariadb", "MariaDB", "the address book: domains, mailboxes, forwardings",
        "database", ("database",), ("mariadb",), ("people",),
    ),
    Part(
        "rspamd", "rspamd", "gives each mail a score: the higher, the more like spam",
        "spam", ("spam.milter", "spam.verdicts", "spam.learning"), ("rspamd",),
        ("dkim",),
    ),
    Part(
        "redis", "Redis", "rspamd's memory", "spam", ("spam.redis",), ("redis-server",),
    ),
    Part(
        "lmtp", "LMTP", "where Postfix hands mail to Dovecot",
        "delivery", ("delivery.lmtp",), also=("first_mail", "quotas"),
    ),
    Part(
        "sieve", "Sieve", "filter rules: which folder, whose rules",
        "delivery", ("delivery.sieve", "spam.junk"),
    ),
    Part(
        "imap", "IMAP", "shows mail to your programs, after the right password",
        "dovecot", ("dovecot.logins", "dovecot.encryption"), ("dovecot",),
        ("first_mail",),
    ),
    Part(
        "mailboxes", "Mailboxes", "the wall of boxes, /var/vmail",
        "dovecot", ("dovecot.mail_user", "dovecot.mail_location"),
        also=("first_mail", "quotas", "people", "backup"),
    ),
    Part(
        "apache", "Apache", "the sign above the door, and web pages",
        "tls", ("tls.web_server", "tls.plain_site", "tls.secure_site", "spam.web_page"),
        ("apache2",), ("webmail", "autoconfig"),
    ),
    Part(
        "roundcube", "Roundcube", "a mail program that lives in a web page",
        "webmail", ("webmail",), ("php8.2-fpm",),
    ),
    Part(
        "certbot", "certbot", "fetches the certificate and renews it in time",
        "tls", ("tls.certificate", "tls.renewal"), ("certbot.timer",),
    ),
)  # fmt: skip

#: Shape and word of a component's state.
PART_STATES = {
    "proved": ("✔", "proved"),
    "true": ("✓", "true"),
    "open": ("○", "open"),
    "drifted": ("↯", "drifted"),
    "failed": ("✗", "proof failed"),
    "stopped": ("✗", "does not run"),
    "unknown": ("?", "could not tell"),
    "later": ("·", "comes later"),
    "unseen": ("…", "not looked yet"),
}


@dataclass(frozen=True)
class PartState:
    """A component: a key of PART_STATES, and what is missing in words."""

    part: Part
    state: str = "unseen"
    why: str = ""


UNSEEN = tuple(PartState(part) for part in PARTS)
UNITS: tuple[Fact, ...] = tuple(facts.unit(u) for part in PARTS for u in part.units)


def states(
    found: Overview, have: Mapping[Fact, Any], parts: Iterable[Part] = PARTS
) -> tuple[PartState, ...]:
    """Every component from one look."""
    return tuple(PartState(part, *_state(part, found, have)) for part in parts)


def _state(part: Part, found: Overview, have: Mapping[Fact, Any]) -> tuple[str, str]:
    mine = [f for f in found.report if part.made_by(f.chapter, f.step)]
    if not mine:
        return "later", "This guide does not make it yet."
    gaps = [f for f in mine if f.state == "gap"]
    for finding in gaps:
        if f"{finding.chapter}.{finding.step}" not in found.made:
            return "open", finding.gap  # what was never made need not run
    for unit in part.units:
        if why := _stopped(unit, have[facts.unit(unit)]):
            return why
    if gaps:
        return "drifted", gaps[0].gap
    if all(f.state == "unknown" for f in mine):
        return "unknown", mine[0].gap
    return _proof(part, mine, found)


def _stopped(unit: str, answer: Mapping[str, Any]) -> tuple[str, str] | None:
    if why := facts.failed_answer(answer):
        return "unknown", why
    if answer["load"] == "not-found":
        return "open", f"{unit} is not installed yet."
    if answer["active"] not in ("active", "reloading"):
        return "stopped", f"{unit} is {answer['active']}."
    return None


def _proof(part: Part, mine: list[Finding], found: Overview) -> tuple[str, str]:
    """All is true; the chapter's proofs say whether it was seen to work."""
    told = next((s for s in found.chapters if s.chapter.name == part.chapter), None)
    if told and told.state in ("proved", "failed"):
        return told.state, told.missing
    return "true", f"{len(mine)} things are as they should be; not proved yet."
