"""A change of the firewall that takes itself back, unless we get in anew.

Whoever locks himself out cannot unlock.  So new rules are only tried: they lie in
/run, a timer on the server puts the old ones back, and only a *new* connection, which
the new rules have let in, stops that timer and writes them down.  A line that is open
already proves nothing: it is let through as established.  A restart in between forgets
the new rules, because nothing of them is on the disk yet.
Manuals: systemd-run(1), nft(8).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ispguide.actions import Action, Run
from ispguide.errors import CannotReachServer
from ispguide.facts import Fact
from ispguide.server import Answer, Server
from ispguide.wire import Watch

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
#: Seconds between two tries to get in while they go.
PAUSE = 0.5

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

TRIED = f"""The new rules are in force, and go again in {SECONDS} seconds. Trying to get in anew."""
SHUT = (
    "Nobody new is let in. The server takes the rules back by itself; waiting for that."
)
LOCKED_OUT = (
    "With these rules nobody could come in by SSH any more: a new connection was not "
    "let in. The server has taken them back by itself, and everything is as it was. "
    f"Look for what shuts the SSH port in templates{RULES}, then run this step again."
)


@dataclass(frozen=True)
class Try(Run):
    """Rules to be tried; `stdin`: the whole file."""

    def by_hand(self) -> str:
        return (
            f"{super().by_hand()}\n"
            f"# then, from another terminal, over a new SSH connection:\n{KEEP}"
        )


def tried(do: Sequence[Action], answer: Answer) -> bool:
    """Whether rules are being tried now."""
    done = answer.done or {}
    return bool(done.get("ok")) and any(isinstance(action, Try) for action in do)


def confirmed(
    server: Server,
    do: Sequence[Action],
    tell: Iterable[Fact],
    watch: Watch,
    step: str,
) -> Answer:
    """The rules are kept when a new connection is let in; else they have gone again."""
    asked = list(tell)
    watch(TRIED)
    server.close()
    try:
        return server.exchange([Run(KEEP, touches=(RULES,))], asked, watch, step=step)
    except CannotReachServer as error:
        watch(SHUT)
        answer = _let_in_again(server, asked, watch)
        return Answer(answer.have, _failure(do, error), answer.settings, answer.busy)


def _let_in_again(server: Server, tell: list[Fact], watch: Watch) -> Answer:
    """Knock until the server answers; CannotReachServer when it never does."""
    end = time.monotonic() + 2 * SECONDS
    while True:
        try:
            return server.exchange((), tell, watch)
        except CannotReachServer:
            if time.monotonic() > end:
                raise
            time.sleep(PAUSE)


def _failure(do: Sequence[Action], error: CannotReachServer) -> dict[str, Any]:
    index = next(i for i, action in enumerate(do) if isinstance(action, Try))
    evidence = f"{error.is_}\n{error.evidence}"
    return {"ok": False, "failed": index, "evidence": evidence, "words": LOCKED_OUT}
