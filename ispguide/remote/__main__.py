"""The contract: one request (JSON) comes in, JSON lines go out, the last is the answer.

Three verbs.  `exchange`: do these, then tell those.  `mailbox`: a mailbox for proofs that
lives until standard input closes.  `secret`: one of the few passwords that their owner
must keep elsewhere too.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys

from . import common, vault
from .asking import remember_proofs, tell
from .common import Failed, say_out
from .runs import busy, launch, wait_for_others, watch
from .vault import VAULT

TYPE_CHECKING = False  # typing itself would take 5 ms at each start
if TYPE_CHECKING:
    from typing import Any

    from .common import Request


def exchange(request: Request) -> dict[str, Any]:
    """Do, then tell; the answer also says whether the settings here are others."""
    done = None
    if request.get("wait"):
        wait_for_others()
    if request.get("do"):
        done = watch(launch(request)) or {
            "ok": False,
            "lost": True,
            "failed": 0,
            "evidence": "The run on the server ended without a result.",
        }
    elif request.get("attach"):
        folder = common.RUNS / request["attach"]
        done = watch(folder) if folder.is_dir() else None
    VAULT.load(request.get("hide", ()))
    if request.get("proved"):
        remember_proofs(request["proved"], request["run"]["who"])
    return {
        "done": done,
        "have": tell(request.get("tell", [])),
        "busy": busy(),
        "settings": other_settings(request.get("settings")),
    }


def other_settings(known: str | None) -> dict[str, str | None] | None:
    """None when the settings here have the hash `known`, else {text}."""
    text = common.SETTINGS.read_text() if common.SETTINGS.is_file() else None
    mark = hashlib.sha256((text or "").encode()).hexdigest()[:16]
    return None if text is not None and mark == known else {"text": text}


def secret(request: Request) -> dict[str, Any]:
    """The only way out for a secret, and only for those that are lost with the server."""
    name = request["name"]
    if name not in vault.TOLD or name not in VAULT.values:
        raise Failed(f"the secret {name} is not told to anybody, or not made yet")
    return {"value": VAULT.values[name]["value"]}


def main(request: Request) -> None:
    """Answer one request on standard output."""
    # Python ignores SIGPIPE, and so it must stay: a program that ends before it has
    # read its question (mariadb without its server) would take us along.
    if request["verb"] == "mailbox":
        # Its cleaning must happen even when the line drops.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.geteuid():
        say_out({"answer": {"error": "not root"}})
        return
    try:
        say_out({"answer": answer_to(request)})
    except BrokenPipeError:  # nobody listens any more; the doing goes on in its unit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def answer_to(request: Request) -> dict[str, Any]:
    """What the verb brings, or its failure in words."""
    try:
        match request["verb"]:
            case "exchange":
                return exchange(request)
            case "mailbox":
                from .mailbox import mailbox  # few look, and so few load it

                return mailbox(request)
            case "secret":
                return secret(request)
            case verb:
                raise Failed(f"nobody knows the verb {verb}")
    except Failed as failure:
        return {"error": VAULT.hide(str(failure))}
