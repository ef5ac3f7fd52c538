"""Things only a mail server has: Postfix settings and services, mail domains.

Sources: postconf(1), master(5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ispguide.engine import facts
from ispguide.engine.actions import Action, Run, quote
from ispguide.engine.facts import Fact, Have, failed_answer
from ispguide.engine.gaps import NO_GAP, Gap, together
from ispguide.engine.things import Plain
from ispguide.mail.mariadb import literal, statement

#: Postfix tools wait 2 s when main.cf is younger than that, so its mtime is set back
#: after an edit; freshness looks at the ctime, which nobody can set back.
_COOL = "touch -d '10 seconds ago' /etc/postfix/{}"


@dataclass(frozen=True, init=False)
class Postconf(Plain):
    """Parameters of main.cf, by their own names.  Others stay as they are."""

    values: tuple[tuple[str, str], ...]

    def __init__(self, **values: str):
        pairs = tuple((k, " ".join(v.split())) for k, v in values.items())
        object.__setattr__(self, "values", pairs)

    def __str__(self) -> str:
        names = [name for name, _ in self.values]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return f"Postfix settings {', '.join(names[:3])}{more}"

    def facts(self) -> Iterable[Fact]:
        return [facts.postconf()]

    def _wrong(self, have: Have) -> list[tuple[str, str]]:
        now = have[facts.postconf()]
        return [(k, v) for k, v in self.values if now.get(k) != v]

    def gap(self, have: Have) -> Gap:
        now = have[facts.postconf()]
        if why := failed_answer(now):
            return Gap("no-answer", f"Postfix cannot be asked for its settings: {why}.")
        said = {k: f"is {v!r}" for k, v in now.items()}
        return together(
            Gap("differs", f"{k} {said.get(k, 'is not set')}, should be {v!r}.")
            for k, v in self._wrong(have)
        )

    def fix(self, have: Have) -> Sequence[Action]:
        pairs = " ".join(quote(f"{k} = {v}") for k, v in self._wrong(have))
        command = f"postconf -e {pairs} && {_COOL.format('main.cf')}"
        return [Run(command, touches=("/etc/postfix/main.cf",))]


@dataclass(frozen=True)
class MasterService(Plain):
    """A service of master.cf with the options it needs; other options stay.

    `name`: as postconf -M has it, "submission/inet"; `line`: its eight columns."""

    name: str
    line: str
    options: Mapping[str, str]

    def __str__(self) -> str:
        return f"Postfix service {self.name}"

    def facts(self) -> Iterable[Fact]:
        return [facts.master()]

    def _wrong(self, have: Have) -> dict[str, str]:
        now = have[facts.master()].get(self.name, {}).get("options", {})
        return {k: v for k, v in self.options.items() if now.get(k) != v}

    def gap(self, have: Have) -> Gap:
        all_ = have[facts.master()]
        if why := failed_answer(all_):
            return Gap("no-answer", f"Postfix cannot be asked for its services: {why}.")
        if self.name not in all_:
            words = f"The service {self.name} is not in master.cf. It should be."
            return Gap("missing", words)
        line, options = all_[self.name]["line"], all_[self.name]["options"]
        if line != self.line:
            words = f"master.cf says {line!r}, should say {self.line!r}."
            return Gap("differs", words)
        said = {k: options.get(k, "not set") for k in self.options}
        return together(
            Gap("differs", f"{self.name}: {k} is {said[k]!r}, should be {v!r}.")
            for k, v in self._wrong(have).items()
        )

    def fix(self, have: Have) -> Sequence[Action]:
        now = have[facts.master()].get(self.name, {})
        commands = []
        options = self._wrong(have)
        if now.get("line") != self.line:
            # -M replaces the whole entry, so options made by hand are given again.
            options = {**now.get("options", {}), **self.options}
            commands.append(f"postconf -M {quote(f'{self.name}={self.line}')}")
        pairs = " ".join(quote(f"{self.name}/{k}={v}") for k, v in options.items())
        commands += [f"postconf -P {pairs}"] if pairs else []
        command = " && ".join([*commands, _COOL.format("master.cf")])
        return [Run(command, touches=("/etc/postfix/master.cf",))]


@dataclass(frozen=True)
class MailDomain(Plain):
    """A row in the list of domains this server takes mail for."""

    name: str

    def __str__(self) -> str:
        return f"mail domain {self.name}"

    @property
    def _query(self) -> str:
        return (
            "SELECT name FROM mailserver.virtual_domains "
            f"WHERE name = {literal(self.name)}"
        )

    def facts(self) -> Iterable[Fact]:
        return [facts.sql(self._query)]

    def gap(self, have: Have) -> Gap:
        now = have[facts.sql(self._query)]
        if why := failed_answer(now):
            return Gap("no-answer", f"The list of domains cannot be read: {why}.")
        if now["rows"]:
            return NO_GAP
        return Gap("missing", f"{self.name} is not in the list of domains.")

    def fix(self, have: Have) -> Sequence[Action]:
        return [
            statement(
                "INSERT IGNORE INTO mailserver.virtual_domains (name) "
                f"VALUES ({literal(self.name)});"
            )
        ]
