"""New rules of the firewall are kept when a new connection was let in.

A line that is open already proves nothing: it is let through as established.  What the
server does meanwhile stands in `mail.firewall`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from ispguide.engine.actions import Action, Run
from ispguide.engine.errors import CannotReachServer
from ispguide.engine.facts import Fact
from ispguide.engine.server import Answer, Server, Watch
from ispguide.mail.firewall import KEEP, RULES, SECONDS, Try

#: Seconds between two tries to get in while they go.
PAUSE = 0.5

TRIED = f"""The new rules are in force, and go again in {SECONDS} seconds. Trying to get in anew."""
SHUT = (
    "Nobody new is let in. The server takes the rules back by itself; waiting for that."
)
LOCKED_OUT = (
    "With these rules nobody could come in by SSH any more: a new connection was not "
    "let in. The server has taken them back by itself, and everything is as it was. "
    f"Look for what shuts the SSH port in templates{RULES}, then run this step again."
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
