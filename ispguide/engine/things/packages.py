"""Debian packages.  Source: apt-get(8), debconf-set-selections(1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ispguide.engine import facts
from ispguide.engine.actions import Action, Run, quote
from ispguide.engine.facts import Fact, Have
from ispguide.engine.gaps import NO_GAP, Gap
from ispguide.engine.things.thing import Plain


@dataclass(frozen=True, init=False)
class Packages(Plain):
    """Debian packages, installed without recommendations nobody chose.

    `preseed`: debconf answers, each "package question type value"."""

    names: tuple[str, ...]
    preseed: tuple[str, ...]

    def __init__(self, *names: str, preseed: Sequence[str] = ()):
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "preseed", tuple(preseed))

    def __str__(self) -> str:
        return f"packages {' '.join(self.names)}"

    def facts(self) -> Iterable[Fact]:
        return map(facts.package, self.names)

    def gap(self, have: Have) -> Gap:
        missing = [n for n in self.names if not have[facts.package(n)]]
        if not missing:
            return NO_GAP
        return Gap(
            "not-installed",
            f"Not installed: {', '.join(missing)}. This step installs what is missing.",
        )

    def fix(self, have: Have) -> Sequence[Action]:
        missing = [n for n in self.names if not have[facts.package(n)]]
        seed = [Run("debconf-set-selections", stdin="\n".join(self.preseed) + "\n")]
        return [*(seed if self.preseed else []), Run(apt_install(missing))]


def apt_install(names: Sequence[str]) -> str:
    """The command line that installs `names` and asks nothing.

    It first finishes what an interrupted dpkg left half done, refreshes lists older
    than a day (a day without network is no reason to stop), waits for whoever holds
    the lock (a fresh server updates itself), and keeps configuration files."""
    lists = "find /var/lib/apt/lists -name '*_Packages*' -mtime -1 | grep -q ."
    update = "apt-get -q update || echo 'Package lists stay as they are: no network.'"
    options = (
        "-q -y --no-install-recommends -o DPkg::Lock::Timeout=300 "
        "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold"
    )
    return (
        "export DEBIAN_FRONTEND=noninteractive\n"
        "dpkg --configure -a --force-confdef --force-confold\n"
        f"{lists} || {update}\n"
        f"apt-get {options} install {' '.join(map(quote, names))}"
    )
