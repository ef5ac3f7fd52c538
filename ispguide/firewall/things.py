"""The rules of the firewall as a thing: the file, what is in force, and the next start.

The port of SSH is no decision but a fact: where sshd listens, and by which port we came
in.  So the rules fit a server whose SSH is elsewhere, and no look ever depends on whose
computer it is made from.
Manuals: nft(8), sshd(8) (SSH_CONNECTION), proc(5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ispguide import facts
from ispguide.actions import Action, Run
from ispguide.facts import Fact, Have, failed_answer
from ispguide.firewall import ports
from ispguide.firewall.rules import (
    LISTING,
    RULES,
    SSH_CONNECTION,
    TABLE,
    TRY,
    UNIT,
    Try,
)
from ispguide.gaps import NO_GAP, Gap, Unsure
from ispguide.settings import Settings
from ispguide.things import File

#: The port by which this question came in.
CAME_BY = facts.run(f"{SSH_CONNECTION} | cut -d' ' -f4")
IN_FORCE = facts.run(f"nft -s list table {TABLE} | cmp - {LISTING}")

#: After an undo: the earlier rules, or none at all.
AS_BEFORE = f"""if [ -e {RULES} ]; then nft -f {RULES}; nft -s list table {TABLE} > {LISTING}
else systemctl stop {UNIT} || true
  rm -f /etc/systemd/system/sysinit.target.wants/{UNIT} {LISTING}
  systemctl daemon-reload; fi"""


class Firewall(File):
    """The rules as the template says, in force now and at the next start."""

    def __init__(self, s: Settings):
        object.__setattr__(self, "_s", s)
        super().__init__(RULES, s, **_doors(s, [22]))

    def __str__(self) -> str:
        return "the rules of the firewall"

    def facts(self) -> Iterable[Fact]:
        yield from super().facts()
        yield from (facts.listening(), CAME_BY, IN_FORCE, facts.unit(UNIT))

    def _wanted(self, have: Have) -> File:
        here: Any = have[facts.listening()]
        listening = [] if failed_answer(here) else here
        came_by = have[CAME_BY].get("out", "")
        ssh = ports.of_ssh(listening, came_by)
        return File(RULES, self._s, **_doors(self._s, ssh))  # type: ignore[attr-defined]

    def gap(self, have: Have) -> Gap:
        if gap := self._wanted(have).gap(have):
            return gap
        now = have[IN_FORCE]
        if why := failed_answer(now):
            return Unsure(f"Could not tell which rules are in force: {why}.")
        if now["rc"]:
            return Gap(
                "stale",
                f"The rules in {RULES} are not those in force. They should be. "
                f"`nft list table {TABLE}` shows what is.",
            )
        if have[facts.unit(UNIT)]["enabled"] == "enabled":
            return NO_GAP
        words = f"{UNIT} is not enabled: the rules would be gone after a restart."
        return Gap("not-enabled", words)

    def fix(self, have: Have) -> Sequence[Action]:
        return [Try(TRY, stdin=self._wanted(have).text)]

    @property
    def undone(self) -> Sequence[Action]:
        """What an undo needs beside the files."""
        return [Run(AS_BEFORE)]


def _doors(s: Settings, ssh: list[int]) -> dict[str, Any]:
    more = ports.own(s.more_ports)
    return {"ssh": ssh, "doors": ports.mail_and_web(s), "own": more}
