"""Answers of a reader, judged against what the server says.  Pure functions.

A judge gets what was typed, the server's answers and the settings.  It is generous
about how something is written and strict about what it means.  Where the server
could not say, it says so and calls nobody wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ispguide.engine import facts
from ispguide.engine.facts import Fact, Have, Ran, failed_answer
from ispguide.engine.settings import Settings


@dataclass(frozen=True)
class Verdict:
    """`right` is None when it could not be judged; `so`: what is so; `why`: more."""

    right: bool | None
    so: str
    why: str = ""


class CannotJudge(Exception):
    """The reason why nobody can say."""


# what the server said


def output(have: Have, fact: Fact) -> str:
    """What a command that looks has printed."""
    ran = Ran.of(have.get(fact, {"error": "the server was not asked"}))
    if ran.why:
        raise CannotJudge(f"The server could not say: {ran.why}.")
    if not ran.ok or not ran.out.strip():
        said = ran.err.strip().splitlines()
        raise CannotJudge("The server does not know yet. " + (said[-1] if said else ""))
    return ran.out.strip()


def rows(have: Have, fact: Fact) -> list[list[str]]:
    """The rows that MariaDB answered."""
    answer = have.get(fact, {"error": "the server was not asked"})
    if reason := failed_answer(answer):
        raise CannotJudge(f"The address book could not say: {reason}.")
    return list(answer["rows"])


# what was typed


def plain(text: str) -> str:
    """A word without what people write around it."""
    return text.strip().strip("`'\"<>.").lower()


def number(text: str) -> float:
    """The one number in it, or a word for nothing."""
    if plain(text) in ("none", "no", "nothing", "zero", "empty", "it is empty"):
        return 0
    found = re.findall(r"\d+(?:[.,]\d+)?", text)
    if len(found) != 1:
        raise CannotJudge("Write it as one number.")
    return float(found[0].replace(",", "."))


MONTHS = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)


def day(text: str) -> date:
    """A day as people and programs write it; day before month where both are numbers."""
    words = re.findall(r"\d+|[a-z]+", text.lower().partition("=")[2] or text.lower())
    month = next((w for w in words if w[:3] in MONTHS), "")
    numbers = [int(w) for w in words if w.isdigit()]
    try:
        if month:
            year = next(n for n in numbers if n > 1000)
            return date(year, MONTHS.index(month[:3]) + 1, numbers[0])
        first, second, third = numbers[:3]
        return date(*(first, second, third) if first > 31 else (third, second, first))
    except (ValueError, StopIteration) as error:
        raise CannotJudge("Write the day like 2026-12-31.") from error


# the judges, one a chapter

NAME = facts.run("hostname -f")


def full_name(said: str, have: Have, s: Settings) -> Verdict:
    """02: what the server calls itself."""
    so = output(have, NAME)
    if plain(said) == plain(so):
        return Verdict(True, f"The server answers {so}.")
    short = plain(said) == plain(so).partition(".")[0]
    why = "Yours is the short name; other servers want the full one." if short else ""
    return Verdict(False, f"The server answers {so}.", why)


POSTFIX = facts.package("postfix")


def version(said: str, have: Have, s: Settings) -> Verdict:
    """03: which Postfix is installed; as many of its numbers as were given."""
    so = have.get(POSTFIX)
    if not isinstance(so, str) or not so:
        raise CannotJudge(failed_answer(so) or "Postfix is not installed yet.")
    upstream = plain(so).partition("-")[0]
    mine = plain(said).removeprefix("postfix").strip()
    enough = mine.count(".") >= 1 and f"{upstream}.".startswith(f"{mine}.")
    right = mine == plain(so) or enough
    why = "" if right else "The part after the hyphen counts Debian's own corrections."
    return Verdict(right, f"Installed is {so}.", why)


def certificate_end(s: Settings) -> Fact:
    """The question for the last day of the certificate in use."""
    return facts.run(f"openssl x509 -enddate -noout -in {s.cert_dir}/cert.pem")


def last_day(said: str, have: Have, s: Settings) -> Verdict:
    """04: when the certificate ends, in universal time."""
    text = output(have, certificate_end(s)).partition("=")[2]
    so = datetime.strptime(text, "%b %d %H:%M:%S %Y %Z").date()
    mine = day(said)
    near = abs(mine - so) <= timedelta(days=1)
    why = "certbot begins to renew it thirty days before."
    if mine != so:
        why = "A day apart: it counts in universal time." if near else ""
    return Verdict(mine == so, f"It ends on {so:%d %B %Y} ({so}).", why)


RIGHTS = facts.sql(
    "SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES "
    "WHERE GRANTEE = \"'mailserver'@'127.0.0.1'\""
)
WORDS = {"read": "select", "reads": "select", "reading": "select", "look": "select"}
KNOWN = {"select", "insert", "update", "delete", "create", "drop", "alter", "all"}


def rights(said: str, have: Have, s: Settings) -> Verdict:
    """05: which rights the reader of the address book has."""
    so = {row[0].lower() for row in rows(have, RIGHTS)}
    if not so:
        raise CannotJudge("The user mailserver is not there yet.")
    words = re.findall("[a-z]+", said.lower())
    mine = {WORDS.get(w, w) for w in words} & KNOWN
    if not mine:
        raise CannotJudge("Name the rights, like SELECT or INSERT.")
    told = ", ".join(sorted(so)).upper()
    more = ", ".join(sorted(mine - so)).upper()
    why = f"It may not do {more}: a thief could." if more else ""
    return Verdict(mine == so, f"It has {told}, and no other right.", why)


def roots_mail(s: Settings) -> Fact:
    """The question where the machine's own letters go."""
    at = f"root@{s.hostname}"
    return facts.run(f"postmap -q {at} regexp:/etc/postfix/ispguide-system-mail")


def root_reader(said: str, have: Have, s: Settings) -> Verdict:
    """06: who reads what the machine writes to root."""
    so = output(have, roots_mail(s))
    return Verdict(plain(said) == plain(so), f"The map answers {so}.")
