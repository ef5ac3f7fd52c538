"""How proofs are run: a few at a time, each with a record and a verdict of its own.

A proof that stumbles is named; one that reaches nobody asks the server whether it
listens at all, because the way to it may be what is broken.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ispguide.errors import GuideError
from ispguide.facts import Fact, Have
from ispguide.gaps import Gap
from ispguide.outside import NotReached
from ispguide.proofs.acting import (
    LAST,
    PROOFS,
    CannotTell,
    Context,
    Refused,
    Verdict,
)


def answer(fact: Fact, context: Context) -> dict[str, Any]:
    """{ok, seen, transcript} for ("proof", name, *words), with the kind of what was
    seen where the proof can name it; or {error} about a proof that stumbled: a bug of
    ours, not the server's."""
    started, context = time.monotonic(), dataclasses.replace(context, lines=[])
    try:
        ok, seen = PROOFS[fact[1]](context, *fact[2:])
    except (CannotTell, GuideError) as lack:
        ok, seen = None, str(lack)
    except Refused as no:
        ok, seen = False, str(no)
    except NotReached as stop:
        ok, seen = _stopped(stop, context)
    except Exception as error:
        return {"error": f"the proof {' '.join(fact[1:])} stumbled: "
                f"{type(error).__name__}: {error}", "transcript": context.lines}  # fmt: skip
    seconds = round(time.monotonic() - started, 2)
    kind = {"kind": seen.kind} if isinstance(seen, Gap) else {}
    said = {"ok": ok, "seen": str(seen), **kind}
    return {**said, "seconds": seconds, "transcript": context.lines}


def answers(wanted: Iterable[Fact], context: Context) -> dict[Fact, dict[str, Any]]:
    """All of them, a few at a time; the server is asked by one at a time."""
    order = sorted(set(wanted), key=lambda fact: fact[1] in LAST)
    context = dataclasses.replace(context, ask=_one_at_a_time(context.ask))
    found: dict[Fact, dict[str, Any]] = {}
    for late in (False, True):
        batch = [fact for fact in order if (fact[1] in LAST) is late]
        with ThreadPoolExecutor(max_workers=6) as pool:
            done = pool.map(lambda fact: answer(fact, context), batch)
            found.update(zip(batch, done, strict=True))
    return found


def _one_at_a_time(ask: Callable[[Iterable[Fact]], Have]) -> Callable[..., Have]:
    lock = threading.Lock()

    def locked(questions: Iterable[Fact]) -> Have:
        with lock:
            return ask(questions)

    return locked


def _stopped(stop: NotReached, context: Context) -> Verdict:
    """Nobody answered: is it the server, or something on the way to it?"""
    if stop.opened:
        return False, f"{stop}."
    if context.listens(stop.port):
        return None, (
            f"{stop}, though the server listens there: something on the way "
            "(a firewall, your own provider) keeps this computer from it."
        )
    return False, f"{stop}: nothing listens there for the outside."
