"""Things in MariaDB: a database, its tables, its users and their rights.

Values reach SQL as hexadecimal literals; generated passwords as markers that only
the server resolves.  Sources: https://mariadb.com/kb/en/sql-statements/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ispguide.engine import facts
from ispguide.engine.actions import Action, Run, marker
from ispguide.engine.facts import Fact, Have, failed_answer
from ispguide.engine.gaps import NO_GAP, Gap
from ispguide.engine.things import Plain

# Text for MariaDB: literals nothing can break out of, statements on its stdin.


UTF8 = "utf8mb4"
COLLATION = "utf8mb4_unicode_ci"


def literal(text: str) -> str:
    """`text` for SQL, in a form nothing can break out of."""
    if not text:
        return "''"
    return f"CONVERT(0x{text.encode().hex()} USING {UTF8}) COLLATE {COLLATION}"


def statement(text: str, hashes: Mapping[str, str] | None = None) -> Run:
    """SQL given to MariaDB on standard input, as its root."""
    return Run("mariadb", stdin=text.rstrip() + "\n", hashes=hashes or {}, seconds=60)


# Things in MariaDB: a database, its tables, its users and their rights.


@dataclass(frozen=True)
class Database(Plain):
    """A database that speaks all of Unicode."""

    name: str

    def __str__(self) -> str:
        return f"database {self.name}"

    @property
    def _query(self) -> str:
        return (
            "SELECT default_character_set_name FROM information_schema.schemata "
            f"WHERE schema_name = '{self.name}'"
        )

    def facts(self) -> Iterable[Fact]:
        return [facts.sql(self._query)]

    def gap(self, have: Have) -> Gap:
        now = have[facts.sql(self._query)]
        if why := failed_answer(now):
            return Gap("no-answer", f"MariaDB cannot be asked: {why}.")
        if not now["rows"]:
            return Gap("missing", f"There is no database {self.name}.")
        if (seen := now["rows"][0][0]) == UTF8:
            return NO_GAP
        return Gap("differs", f"{self.name} stores {seen}, should store {UTF8}.")

    def fix(self, have: Have) -> Sequence[Action]:
        form = f"CHARACTER SET {UTF8} COLLATE {COLLATION}"
        return [
            statement(
                f"CREATE DATABASE IF NOT EXISTS {self.name} {form};\n"
                f"ALTER DATABASE {self.name} {form};"
            )
        ]


@dataclass(frozen=True)
class SqlTable(Plain):
    """A table with these columns and keys, as SHOW CREATE TABLE writes them.

    `columns`: name → definition.  `keys`: name → definition, e.g.
    "UNIQUE KEY `email` (`email`)".  Further columns are left alone."""

    database: str
    name: str
    columns: Mapping[str, str]
    keys: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"table {self.database}.{self.name}"

    @property
    def _query(self) -> str:
        return f"SHOW CREATE TABLE {self.database}.{self.name}"

    def facts(self) -> Iterable[Fact]:
        return [facts.sql(self._query)]

    def _lines(self, have: Have) -> list[str]:
        now = have[facts.sql(self._query)]
        if failed_answer(now) or not now["rows"]:
            return []
        text = now["rows"][0][1]
        # A column that differs from its table's collation says so; ours do not.
        # The default of a quota is another chapter's: the limit of a new mailbox (10).
        lines = (line.strip().rstrip(",") for line in text.splitlines())
        return [re.sub(r"(`quota` .*) \d+$", r"\1 0", line) for line in lines]

    def _wrong(self, have: Have) -> list[str]:
        lines = self._lines(have)
        want = {f"`{n}` {d}": f"column {n}" for n, d in self.columns.items()}
        want |= {d: f"key {n}" for n, d in self.keys.items()}
        return [what for line, what in want.items() if line not in lines]

    def gap(self, have: Have) -> Gap:
        now = have[facts.sql(self._query)]
        if why := failed_answer(now):
            return Gap("no-answer", f"The table {self.name} cannot be seen: {why}.")
        if wrong := ", ".join(self._wrong(have)):
            words = f"In {self.name} these are not as they should be: {wrong}."
            return Gap("differs", words)
        if f"CHARSET={UTF8}" in now["rows"][0][1]:
            return NO_GAP
        words = f"{self.name} does not store {UTF8}. It should, for every script."
        return Gap("differs", words)

    def fix(self, have: Have) -> Sequence[Action]:
        lines = self._lines(have)
        if not lines:
            return [statement(self._create())]
        return [statement(self._alter(lines))]

    def _create(self) -> str:
        parts = [f"`{n}` {d}" for n, d in self.columns.items()]
        parts += ["PRIMARY KEY (`id`)", *self.keys.values()]
        body = ",\n  ".join(parts)
        return (
            f"CREATE TABLE {self.database}.{self.name} (\n  {body}\n"
            f") ENGINE=InnoDB DEFAULT CHARSET={UTF8} COLLATE={COLLATION};"
        )

    def _alter(self, lines: list[str]) -> str:
        there = {m[1] for line in lines if (m := re.match(r"`(\w+)` ", line))}
        changes = [
            f"{'MODIFY' if n in there else 'ADD'} COLUMN `{n}` {d}"
            for n, d in self.columns.items()
            if f"`{n}` {d}" not in lines
        ]
        changes += [f"ADD {d}" for d in self.keys.values() if d not in lines]
        changes.append(f"CONVERT TO CHARACTER SET {UTF8} COLLATE {COLLATION}")
        return (
            f"ALTER TABLE {self.database}.{self.name}\n  " + ",\n  ".join(changes) + ";"
        )


@dataclass(frozen=True)
class SqlUser(Plain):
    """A database user with a generated password and just these rights.

    `grants`: as SHOW GRANTS writes them, without GRANT and TO, e.g.
    "SELECT ON `mailserver`.*".  A right too many is a gap like one too few."""

    name: str
    host: str
    secret: str
    grants: tuple[str, ...]

    def __str__(self) -> str:
        return f"database user {self.name}"

    @property
    def _who(self) -> str:
        return f"'{self.name}'@'{self.host}'"

    def _grants(self) -> Fact:
        return facts.sql(f"SHOW GRANTS FOR {self._who}")

    def _password(self) -> Fact:
        return facts.sql(
            f"SELECT user FROM mysql.user WHERE user='{self.name}' AND "
            f"host='{self.host}' AND authentication_string="
            f"PASSWORD('{marker(self.secret)}')"
        )

    def facts(self) -> Iterable[Fact]:
        return [self._grants(), self._password()]

    def gap(self, have: Have) -> Gap:
        now = have[self._grants()]
        if why := failed_answer(now):
            words = f"There is no database user {self.name} to be asked for: {why}."
            return Gap("no-answer", words)
        seen = {g for row in now["rows"] if (g := _grant(row[0]))}
        if seen != set(self.grants):
            rights = "; ".join(sorted(seen)) or "no rights"
            words = f"{self.name} has {rights}, should have {'; '.join(self.grants)}."
            return Gap("wrong-permissions", words)
        if have[self._password()].get("rows"):
            return NO_GAP
        words = f"{self.name} has another password than the one the services use."
        return Gap("wrong-password", words)

    def fix(self, have: Have) -> Sequence[Action]:
        grants = "\n".join(f"GRANT {g} TO {self._who};" for g in self.grants)
        return [
            statement(
                f"CREATE USER IF NOT EXISTS {self._who};\n"
                f"ALTER USER {self._who} IDENTIFIED BY '{marker(self.secret)}';\n"
                f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {self._who};\n{grants}"
            )
        ]


def _grant(line: str) -> str:
    """The right in a line of SHOW GRANTS, "" for the mere permission to log in."""
    match = re.match(r"GRANT (.+) TO ", line)
    return "" if not match or match[1] == "USAGE ON *.*" else match[1]
