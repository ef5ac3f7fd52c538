"""The firewall: which rules should be in force, and how they are changed without risk.

What should be true, and how a change takes itself back.  Knows only
the table of its own, `inet ispguide`; tables of others are neither read nor touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ispguide.engine import facts
from ispguide.engine.actions import Action, Run
from ispguide.engine.facts import Fact, Have, Ran, failed_answer
from ispguide.engine.gaps import NO_GAP, Gap, Unsure
from ispguide.engine.problems import PORT, words
from ispguide.engine.settings import Settings
from ispguide.engine.things import File

# Doors that stay open: those of the guide's programs, of SSH, and the reader's own.
#
# Pure.


#: Port → whose it is; those of POP3 only where it is wanted.
MAIL = {25: "letters from other servers", 465: "sending", 587: "sending"}
READING = {143: "reading", 993: "reading"}
POP3 = {110: "fetching (POP3)", 995: "fetching (POP3)"}
WEB = {80: "the web, to be sent on", 443: "the web"}


def mail_and_web(s: Settings) -> dict[int, str]:
    """The doors of what the guide builds."""
    return MAIL | READING | (POP3 if s.pop3 else {}) | WEB


def own(text: str) -> dict[str, list[int]]:
    """{"tcp": […], "udp": […]} of doors as the reader writes them: 8080, 51820/udp."""
    found: dict[str, set[int]] = {"tcp": set(), "udp": set()}
    for word in words(text):
        if match := PORT.fullmatch(word):
            found[match[2] or "tcp"].add(int(match[1]))
    return {kind: sorted(ports) for kind, ports in found.items()}


def of_ssh(listening: Iterable[tuple[str, int, str]], came_by: str) -> list[int]:
    """Where sshd answers the world, and the port we came in by.

    sshd also holds ports for those who forward theirs, on the machine itself."""
    inside = ("127.", "::1", "[::1")
    found = {
        int(port)
        for address, port, program in listening
        if program == "sshd" and not str(address).startswith(inside)
    }
    return sorted(found | {int(word) for word in came_by.split() if word.isdigit()})


# The trial of new rules: what the server does, and how it takes them back by itself.
#
# Whoever locks himself out cannot unlock.  So new rules are only tried: they lie in
# /run, a timer on the server puts the old ones back, and only a *new* connection, which
# the new rules have let in, stops that timer and writes them down (`outside.trial`).  A restart in
# between forgets the new rules, because nothing of them is on the disk yet.
# Manuals: systemd-run(1), nft(8).  Pure.


RULES = "/etc/nftables.d/ispguide.nft"
UNIT = "ispguide-firewall.service"
TABLE = "inet ispguide"
#: What was in force when the rules were last let in: a change by hand shows.
LISTING = "/var/lib/ispguide/firewall.listing"
#: Prints from where and to where this question came.  sudo keeps it from the question
#: itself, and so the processes above are looked at, too (sshd(8), proc(5)).
SSH_CONNECTION = r"""p=$$; while [ "$p" -gt 1 ]; do
  tr '\0' '\n' < /proc/$p/environ | sed -n 's/^SSH_CONNECTION=//p' | grep . && break
  p=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$p/status)
done"""
#: Seconds until untried rules go again.
SECONDS = 30

TRY = f"""install -d -m 0700 /run/ispguide-firewall
cd /run/ispguide-firewall
cat > new
nft -c -f new
{{ echo 'table {TABLE}'; echo 'delete table {TABLE}'
  nft list table {TABLE} 2>/dev/null || true; }} > before
systemctl stop ispguide-take-back.timer 2>/dev/null || true
systemd-run -q --collect --on-active={SECONDS} --timer-property=AccuracySec=1 \\
  --unit=ispguide-take-back nft -f /run/ispguide-firewall/before
nft -f new"""

KEEP = f"""systemctl stop ispguide-take-back.timer
install -D -m 0644 /run/ispguide-firewall/new {RULES}.part
sync {RULES}.part
mv {RULES}.part {RULES}
systemctl enable -q {UNIT}
systemctl reload-or-restart {UNIT}
nft -s list table {TABLE} > {LISTING}"""


@dataclass(frozen=True)
class Try(Run):
    """Rules to be tried; `stdin`: the whole file."""

    def by_hand(self) -> str:
        return (
            f"{super().by_hand()}\n"
            f"# then, from another terminal, over a new SSH connection:\n{KEEP}"
        )


# The rules of the firewall as a thing: the file, what is in force, and the next start.
#
# The port of SSH is no decision but a fact: where sshd listens, and by which port we came
# in.  So the rules fit a server whose SSH is elsewhere, and no look ever depends on whose
# computer it is made from.
# Manuals: nft(8), sshd(8) (SSH_CONNECTION), proc(5).


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
        super().__init__(RULES, s, **_ports(s, [22]))

    def __str__(self) -> str:
        return "the rules of the firewall (nftables)"

    def facts(self) -> Iterable[Fact]:
        yield from super().facts()
        yield from (facts.listening(), CAME_BY, IN_FORCE, facts.unit(UNIT))

    def _wanted(self, have: Have) -> File:
        here: Any = have[facts.listening()]
        listening = [] if failed_answer(here) else here
        ssh = of_ssh(listening, Ran.of(have[CAME_BY]).out)
        return File(RULES, self._s, **_ports(self._s, ssh))  # type: ignore[attr-defined]

    def gap(self, have: Have) -> Gap:
        if gap := self._wanted(have).gap(have):
            return gap
        now = Ran.of(have[IN_FORCE])
        if now.why:
            return Unsure(f"Could not tell which rules are in force: {now.why}.")
        if not now.ok:
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


def _ports(s: Settings, ssh: list[int]) -> dict[str, Any]:
    more = own(s.more_ports)
    return {"ssh": ssh, "ports": mail_and_web(s), "own": more}
