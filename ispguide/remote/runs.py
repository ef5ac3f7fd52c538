"""Runs: each is a transient systemd unit that outlives the connection which began it.

It takes the lock, does, and leaves what it said in its folder; the SSH channel only
watches.  Manuals: systemd-run(1), flock(2).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import common
from .common import Failed, call, last_line, private, say_out, unit_state
from .doing import Transaction
from .vault import VAULT

TYPE_CHECKING = False  # typing itself would take 5 ms at each start
if TYPE_CHECKING:
    from typing import IO, Any

    from .common import Request
    from .doing import Say


def launch(request: Request) -> Path:
    """Start the transient unit that does it; its folder is readable by root only."""
    folder = common.RUNS / str(request["run"]["id"])
    folder.mkdir(parents=True, mode=0o700)
    (folder / "log").touch()
    with open(folder / "request", "w", opener=private) as file:
        file.write(json.dumps(request))
    argv = [
        "systemd-run",
        "--quiet",
        "--collect",
        f"--unit=ispguide-{folder.name}",
        "--description=ispguide: " + request["run"]["step"],
        "python3",
        "-IS",
        "-c",
        "import sys; sys.path.insert(0, sys.argv[1]); import remote.runs as runs; "
        "runs.perform(runs.Path(sys.argv[2]))",
        str(Path(__file__).parents[1]),
        str(folder),
    ]
    rc, _, err = call(argv)
    if rc:
        raise Failed(f"systemd-run did not start: {last_line(err)}")
    return folder


def perform(folder: Path) -> None:
    """What the unit does: lock, do, leave the result, forget what was asked."""
    os.umask(0o022)
    request = json.loads((folder / "request").read_text())
    (folder / "request").unlink()
    log = open(folder / "log", "a", buffering=1)

    def say(event: Mapping[str, Any]) -> None:
        log.write(json.dumps(event, ensure_ascii=False) + "\n")

    with lock(request["run"], say):
        VAULT.load(request.get("hide", ()))
        try:
            result = Transaction(request, say).perform(request["do"])
        except Exception as error:
            result = {
                "ok": False,
                "failed": 0,
                "evidence": VAULT.hide(f"{type(error).__name__}: {error}"),
            }
    say({"result": result})


@contextlib.contextmanager
def lock(run: dict[str, Any], say: Say) -> Iterator[None]:
    """One run at a time; the kernel drops the lock when its holder dies."""
    common.RUNS.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(common.RUNS / "lock", "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say({"line": "Waiting for " + holder(file)})
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(json.dumps(run | {"since": time.time()}))
        file.flush()
        yield


def holder(file: IO[str]) -> str:
    file.seek(0)
    with contextlib.suppress(ValueError):
        run = json.loads(file.read())
        since = time.strftime("%H:%M", time.localtime(run["since"]))
        return f"{run['who']}, who is in the step {run['step']} since {since} (UTC server time)."
    return "another run."


def busy() -> dict[str, Any] | None:
    """The run under way, or None."""
    with contextlib.suppress(FileNotFoundError), open(common.RUNS / "lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            with contextlib.suppress(ValueError):
                return dict(json.loads(file.read()))
            return {"id": "", "who": "another run", "step": "", "since": time.time()}
    return None


def watch(folder: Path) -> dict[str, Any] | None:
    """Say the unit's lines until its result comes; None when it died without one."""
    unit, place, ask_at = f"ispguide-{folder.name}.service", 0, time.monotonic() + 0.5
    while True:
        gone = False
        if time.monotonic() > ask_at:  # not at every turn: asking costs 10 ms
            gone = unit_state(unit) not in ("active", "activating", "deactivating")
            ask_at = time.monotonic() + 0.5
        place, result = said_since(folder / "log", place)
        if result or gone:
            return result
        time.sleep(0.01)


def said_since(path: Path, place: int) -> tuple[int, dict[str, Any] | None]:
    """Say the whole lines after `place`; (the new place, the result or None)."""
    with open(path) as log:
        log.seek(place)
        for line in iter(log.readline, ""):
            if not line.endswith("\n"):
                break
            place += len(line.encode())
            event = json.loads(line)
            if "result" in event:
                return place, event["result"]
            say_out(event)
    return place, None


def wait_for_others() -> None:
    """Until no run is under way, saying who is waited for and what that run says."""
    while run := busy():
        say_out(
            {"line": f"Waiting for {run['who']}, who is in the step {run['step']}."}
        )
        folder = common.RUNS / (run["id"] or "?")
        if (folder / "log").is_file():
            watch(folder)  # from its beginning: a reader may have just come back
        while (again := busy()) and again["id"] == run["id"]:
            time.sleep(0.05)
