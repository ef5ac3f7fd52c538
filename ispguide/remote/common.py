"""What every part of the program on the server uses: its places, its limits, how it calls.

Standard library only.  Manuals: proc(5), rename(2).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

TYPE_CHECKING = False  # typing itself would take 5 ms at each start
if TYPE_CHECKING:
    from typing import Any

    #: As it came over the line: {verb, …}.
    Request = dict[str, Any]

STATE = Path("/var/lib/ispguide")
RUNS = Path("/run/ispguide")
SETTINGS = Path("/etc/ispguide/settings.toml")
#: What the spam filter has learned, and the senders it knows.
REDIS = Path("/var/lib/redis/dump.rdb")
MOST = 400_000  # characters of what a command says, the last ones
LIMIT = 10  # seconds a question may take; "no answer" is an answer
ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
    "TERM": "dumb",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class Failed(Exception):
    """An action did not succeed; the text is the evidence."""


def call(
    argv: Sequence[str], stdin: str = "", limit: float = LIMIT
) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a command that only looks."""
    try:
        done = subprocess.run(
            argv, input=stdin.encode(), capture_output=True, timeout=limit, env=ENV
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"no answer within {limit} s") from None
    except FileNotFoundError:
        raise Failed(f"the command {argv[0]} is not installed") from None
    out, err = (s.decode(errors="replace") for s in (done.stdout, done.stderr))
    return done.returncode, out, err


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


def write_bytes(path: Path, data: bytes, mode: int, uid: int, gid: int) -> None:
    """Beside, with owner and mode, synced, then renamed: never half a file."""
    part = path.with_name(f".{path.name}.ispguide")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    handle = os.open(part, flags, 0o600)
    with open(handle, "wb") as file:
        os.fchown(handle, uid, gid)
        os.fchmod(handle, mode)
        file.write(data)
        file.flush()
        os.fsync(handle)
    try:
        os.replace(part, path)
    except (
        OSError
    ):  # a bind-mounted file (/etc/hosts in containers) cannot be renamed over
        path.write_bytes(data)
        part.unlink()


def private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def unit_state(unit: str) -> str:
    return call(["systemctl", "show", "-p", "ActiveState", "--value", unit])[1].strip()


def open_ports() -> set[int]:
    """TCP ports that somebody listens on: without asking who, which takes 10 ms (proc(5))."""
    lines = [
        line.split()
        for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
        if table.exists()
        for line in table.read_text().splitlines()[1:]
    ]
    return {int(words[1].rpartition(":")[2], 16) for words in lines if words[3] == "0A"}


def say_out(event: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def quoted(text: str) -> str:
    """The only way for a text into SQL: as a literal (MariaDB, without ANSI_QUOTES)."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def settings() -> dict[str, Any]:
    """What the reader decided, as it lies on the server."""
    import tomllib  # a plain look does without

    return tomllib.loads(SETTINGS.read_text())


def waiting(limit: float = LIMIT) -> Iterator[dict[str, Any]]:
    """The messages in Postfix's queue (postqueue(1), -j)."""
    rc, out, err = call(["postqueue", "-j"], limit=limit)
    if rc:
        raise Failed(f"postqueue: {last_line(err)}")
    yield from map(json.loads, out.splitlines())


@contextlib.contextmanager
def redis_stopped() -> Iterator[None]:
    """Redis reads its file when it starts, and writes it when it ends."""
    _systemctl("stop")
    try:
        yield
    finally:
        _systemctl("start")


def _systemctl(verb: str) -> None:
    rc, _, err = call(["systemctl", verb, "redis-server"], limit=60)
    if rc:
        raise Failed(f"systemctl {verb} redis-server: {last_line(err)}")
