"""Units of systemd that run, start at boot, and have read what was last written.

"Must restart" is never kept in memory: it is a fact about the server.
Source: systemctl(1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ispguide.engine import facts
from ispguide.engine.actions import Action, Run, Start
from ispguide.engine.facts import Fact, Have, failed_answer
from ispguide.engine.gaps import NO_GAP, Gap, Unsure
from ispguide.engine.things.thing import Plain


@dataclass(frozen=True)
class Service:
    """A unit that runs, starts at boot, and is younger than what it reads.

    `reads`: paths whose newest change must be older than the unit's last start or
    reload.  `test`: must succeed before a restart.  `watch`: the unit to look at
    when it differs from the one to type.  `reload`: enough after a change."""

    unit: str
    reads: tuple[str, ...] | str = ()
    test: str = ""
    watch: str = ""
    reload: bool = False
    ports: tuple[int, ...] = ()
    follows: bool = field(default=True, init=False)

    def __str__(self) -> str:
        return f"service {self.unit}"

    def _paths(self) -> tuple[str, ...]:
        return (self.reads,) if isinstance(self.reads, str) else self.reads

    def facts(self) -> Iterable[Fact]:
        yield facts.unit(self.unit)
        yield facts.unit(self.watch or self.unit)
        if self.reads:
            yield facts.newest(*self._paths())
        if self.ports:
            yield facts.listening()

    def gap(self, have: Have) -> Gap:
        now = have[facts.unit(self.watch or self.unit)]
        if why := failed_answer(now):
            return Unsure(f"Could not ask for {self.unit}: {why}.")
        if now["load"] == "not-found" and now["active"] != "active":
            return Gap(
                "not-installed",
                f"There is no service {self.unit}: its package is not installed.",
            )
        if now["active"] != "active":
            return Gap(
                "not-running",
                f"{self.unit} is {_activity(now)}. It should run. "
                f"`journalctl -u {self.watch or self.unit} -n 20` tells why it does not.",
            )
        return self._boot_gap(have) or self._fresh_gap(have) or self._port_gap(have)

    def _boot_gap(self, have: Have) -> Gap:
        state = have[facts.unit(self.unit)]["enabled"]
        if state in ("enabled", "enabled-runtime", "static", "alias", "generated", ""):
            return NO_GAP
        return Gap(
            "not-enabled",
            f"{self.unit} runs, but is {state}: it would not start at boot. It should.",
        )

    def _fresh_gap(self, have: Have) -> Gap:
        if not self.reads:
            return NO_GAP
        since = have[facts.unit(self.watch or self.unit)]["since"]
        newest = have[facts.newest(*self._paths())]
        if since > newest["time"]:
            return NO_GAP
        return Gap(
            "stale",
            f"{self.unit} still runs with what it read before {newest['path']} "
            f"changed. It should read it again: a {'reload' if self.reload else 'restart'}.",
        )

    def _port_gap(self, have: Have) -> Gap:
        open_ = (
            {port for _, port, _ in have[facts.listening()]} if self.ports else set()
        )
        closed = [str(p) for p in self.ports if p not in open_]
        if not closed:
            return NO_GAP
        return Gap(
            "port-closed",
            f"{self.unit} runs, but nothing listens on port {', '.join(closed)} yet.",
        )

    def fix(self, have: Have) -> Sequence[Action]:
        now = have[facts.unit(self.watch or self.unit)]
        running = now.get("active") == "active" and not self._port_gap(have)
        verb = "reload" if self.reload and running else "restart"
        return [
            Start(self.unit, verb, self.test, self.watch or self.unit, ports=self.ports)
        ]


@dataclass(frozen=True)
class UnitRead(Plain):
    """systemd knows a unit as its files are now; a drop-in counts for nothing before."""

    unit: str

    def __str__(self) -> str:
        return f"systemd has read how {self.unit} is to be started"

    def facts(self) -> Iterable[Fact]:
        return [facts.unit(self.unit)]

    def gap(self, have: Have) -> Gap:
        now = have[facts.unit(self.unit)]
        if why := failed_answer(now):
            return Unsure(f"Could not tell whether {self}: {why}.")
        return NO_GAP if now["read"] else Gap("not-done", f"Not so yet: {self}.")

    def fix(self, have: Have) -> Sequence[Action]:
        return [Run("systemctl daemon-reload")]


def _activity(now: dict[str, Any]) -> str:
    if now["active"] == "failed":
        return f"not running: it failed ({now['result']})"
    return f"not running ({now['active']})"
