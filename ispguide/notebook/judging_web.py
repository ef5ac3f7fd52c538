"""Answers of a reader about webmail and mail programs, judged.  Pure, as `judging` is.

Sources: https://mariadb.com/kb/en/information-schema-column_privileges-table/
"""

from __future__ import annotations

import re

from ispguide import facts
from ispguide.facts import Have
from ispguide.notebook.judging import KNOWN, CannotJudge, Verdict, output, plain, rows
from ispguide.settings import Settings

RUNS_AS = facts.run(
    "sed -n 's/^user = //p' /etc/php/8.2/fpm/pool.d/ispguide-autoconfig.conf"
)


def runs_as(said: str, have: Have, s: Settings) -> Verdict:
    """17: as whom the script runs that answers mail programs."""
    so = output(have, RUNS_AS)
    why = "That one may read webmail's settings." if plain(said) == "www-data" else ""
    return Verdict(plain(said) == so, f"It runs as {so}.", why)


HAND = facts.sql(
    "SELECT PRIVILEGE_TYPE FROM information_schema.COLUMN_PRIVILEGES "
    "WHERE GRANTEE = \"'webmail-password'@'localhost'\" AND COLUMN_NAME = 'password'"
)


def hand(said: str, have: Have, s: Settings) -> Verdict:
    """11: what webmail may do with passwords."""
    so = {row[0].lower() for row in rows(have, HAND)}
    if not so:
        raise CannotJudge("The user webmail-password is not there yet.")
    mine = set(re.findall("[a-z]+", said.lower())) & KNOWN
    if not mine:
        raise CannotJudge("Name the right, like SELECT or INSERT.")
    why = "It may not even read the hash of the old one." if "select" in mine else ""
    return Verdict(mine == so, f"It has {', '.join(sorted(so)).upper()}.", why)
