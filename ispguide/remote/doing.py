"""Doing: what was before is kept, files are written whole, services are tested before
they restart, and everything is put back when something fails.

Every action is noted in the ledger.  The actions have the names that `engine.actions`
gives them.
"""

from __future__ import annotations

import contextlib
import grp
import hashlib
import json
import os
import pwd
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from . import common
from .common import Failed, call, open_ports, private, unit_state, write_bytes
from .vault import VAULT, hash_password, marker

TYPE_CHECKING = False  # typing itself would take 5 ms at each start
if TYPE_CHECKING:
    from typing import Any

    from .common import Request

    #: Tells one event of a run: {line}, {action, line} or {result}.
    Say = Callable[[Mapping[str, Any]], None]
    #: What is at a path: {kind, mode, uid, gid, data or to}.
    State = dict[str, Any]


class Transaction:
    """One run: its actions, what was before, and how to put it back."""

    def __init__(self, request: Request, say: Say) -> None:
        self.say, self.about = say, request["run"]
        self.before: dict[str, State] = {}
        self.started: dict[str, str] = {}
        self.entries: list[dict[str, Any]] = []

    def perform(self, actions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """{ok, failed (index), evidence, seconds} after doing all or putting back."""
        begin = time.monotonic()
        for index, action in enumerate(actions):
            self.say(
                {"action": index, "line": VAULT.hide(action["say"].splitlines()[0])}
            )
            try:
                getattr(self, "do_" + action["do"])(**action["with"])
            except (Failed, OSError, KeyError) as error:
                evidence = VAULT.hide(str(error))
                back = self.put_back()
                self.record(action, False)
                return {
                    "ok": False,
                    "failed": index,
                    "evidence": evidence,
                    "back": back,
                }
            self.record(action, True)
        return {"ok": True, "seconds": time.monotonic() - begin}

    # the ledger

    def keep(self, path: str) -> None:
        """Remember what is at `path` before its first change in this run."""
        if path not in self.before:
            self.before[path] = snapshot(path)

    def record(self, action: Mapping[str, Any], ok: bool) -> None:
        changed = [p for p in self.before if ok and snapshot(p) != self.before[p]]
        base = {
            "time": time.time(),
            "run": self.about["id"],
            "who": self.about["who"],
            "step": self.about["step"],
            "did": VAULT.hide(action["say"]),
            "ok": ok,
        }
        done = {e["path"] for e in self.entries}
        rows = [self.entry(base, p) for p in changed if p not in done] or [base]
        self.entries += [row for row in rows if "path" in row]
        common.STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(common.STATE / "ledger.jsonl", "a", opener=private) as ledger:
            ledger.writelines(
                json.dumps(row, ensure_ascii=False) + "\n" for row in rows
            )
            ledger.flush()
            os.fsync(ledger.fileno())

    def entry(self, base: dict[str, Any], path: str) -> dict[str, Any]:
        before = dict(self.before[path])
        data = before.pop("data", None)
        after = snapshot(path)
        return base | {
            "path": path,
            "before": before
            | ({"object": put_object(data)} if data is not None else {}),
            "after": hashlib.sha256(after.get("data", b"")).hexdigest(),
        }

    # the actions, by the names actions.py gives them

    def do_run(
        self,
        command: str,
        stdin: str = "",
        touches: Sequence[str] = (),
        hashes: Mapping[str, str] | None = None,
        seconds: float = 1200,
    ) -> None:
        for path in touches:
            self.keep(path)
        for name, password in (hashes or {}).items():
            stdin = stdin.replace(marker(name), hash_password(password))
        self.shell(command, VAULT.reveal(stdin), seconds)

    def shell(self, command: str, stdin: str = "", seconds: float = 60) -> None:
        """Run under sh -e, saying each line; Failed with the last ten when it fails."""
        with open(os.memfd_create("stdin"), "w+b") as given:
            given.write(stdin.encode())
            given.seek(0)
            process = subprocess.Popen(
                ["/bin/sh", "-ec", command],
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=common.ENV,
                start_new_session=True,
                cwd="/",
            )
        lines = []
        timer = limit_to(process, seconds)
        for raw in process.stdout or ():
            lines.append(VAULT.hide(raw.decode(errors="replace").rstrip()))
            self.say({"line": lines[-1]})
        timer.cancel()
        if process.wait():
            raise Failed(
                f"$ {command}\nexit code {process.returncode}\n"
                + "\n".join(lines[-10:])
            )

    def do_write(self, path: str, text: str, mode: int, owner: str, group: str) -> None:
        self.keep(path)
        file = Path(path)
        if file.is_dir():
            raise Failed(
                f"{path} is a directory; remove it, so that the file can be there."
            )
        file.parent.mkdir(parents=True, exist_ok=True)
        ids = pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid
        if file.is_symlink():
            file.unlink()
        write_bytes(file, VAULT.reveal(text).encode(), mode, *ids)

    def do_attributes(self, path: str, mode: int, owner: str, group: str) -> None:
        self.keep(path)
        os.chown(path, pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid)
        os.chmod(path, mode)

    def do_directory(self, path: str, mode: int, owner: str, group: str) -> None:
        self.keep(path)
        Path(path).mkdir(parents=True, exist_ok=True)
        self.do_attributes(path, mode, owner, group)

    def do_link(self, path: str, to: str) -> None:
        self.keep(path)
        part = f"{path}.ispguide"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
        os.symlink(to, part)
        os.replace(part, path)

    def do_remove(self, path: str) -> None:
        self.keep(path)
        os.unlink(path)

    def do_secret(self, name: str, source: str, derive: str, length: int) -> None:
        value = os.urandom(length // 2).hex()
        if derive:
            done = subprocess.run(
                ["/bin/sh", "-c", derive],
                input=VAULT.values[source]["value"].encode() + b"\n",
                capture_output=True,
                env=common.ENV,
                timeout=60,
            )
            value = done.stdout.decode().strip()
            if done.returncode or not value:
                raise Failed(f"$ {derive}\n{done.stderr.decode()}")
        VAULT.keep(name, value, source)

    def do_keep(self, name: str, value: str) -> None:
        VAULT.keep(name, value, "")

    def do_forget(self, name: str) -> None:
        VAULT.forget(name)

    def do_restore(self, path: str, before: State) -> None:
        """Undo: what the ledger says was there before."""
        self.keep(path)
        put(
            path,
            before
            | ({"data": get_object(before["object"])} if "object" in before else {}),
        )

    def do_start(
        self,
        unit: str,
        verb: str,
        test: str,
        watch: str,
        enable: bool,
        ports: Sequence[int],
    ) -> None:
        if test:
            self.shell(test)
        self.started.setdefault(unit, unit_state(watch))
        if enable and call(["systemctl", "is-enabled", unit])[0]:
            self.shell(f"systemctl enable {unit}")
        call(["systemctl", "reset-failed", unit, watch])
        rc, _, err = call(["systemctl", verb, unit], limit=180)
        try:
            if rc:
                raise Failed(err)
            self.wait_for(unit, watch, ports)
        except Failed as failure:
            _, said, _ = call(
                ["journalctl", "-u", watch, "-n", "10", "--no-pager", "-o", "cat"]
            )
            raise Failed(f"$ systemctl {verb} {unit}\n{failure}\n{said}") from None

    def wait_for(
        self, unit: str, watch: str, ports: Sequence[int], limit: float = 30
    ) -> None:
        """Until the unit is active and its ports answer, or it failed."""
        end = time.monotonic() + limit
        while True:
            state = unit_state(watch)
            closed = set(ports) - open_ports()
            if state == "active" and not closed:
                return
            if state == "failed" or time.monotonic() > end:
                raise Failed(
                    f"{unit} is {state}" + (f", port {closed} closed" if closed else "")
                )
            time.sleep(0.05)

    def put_back(self) -> list[str]:
        """Every file as it was, then the services that read them."""
        changed = [p for p in reversed(self.before) if snapshot(p) != self.before[p]]
        for path in changed:
            put(path, self.before[path])
        for unit, state in self.started.items():
            if state == "active":
                call(["systemctl", "reset-failed", unit])
                call(["systemctl", "restart", unit], limit=180)
        return changed


def limit_to(process: subprocess.Popen[bytes], seconds: float) -> threading.Timer:
    """A timer that ends the process and all it started."""
    timer = threading.Timer(seconds, lambda: os.killpg(process.pid, signal.SIGKILL))
    timer.daemon = True
    timer.start()
    return timer


def snapshot(path: str) -> State:
    """What is there: kind, owner, mode, and the bytes of a file."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return {"kind": "none"}
    kind = {0o100000: "file", 0o040000: "directory", 0o120000: "link"}.get(
        found.st_mode & 0o170000
    )
    state: dict[str, object] = {
        "kind": kind,
        "mode": found.st_mode & 0o7777,
        "uid": found.st_uid,
        "gid": found.st_gid,
    }
    if kind == "file":
        state["data"] = Path(path).read_bytes()
    if kind == "link":
        state["to"] = os.readlink(path)
    return state


def put(path: str, state: State) -> None:
    """Make `path` what a snapshot says; a directory that was not there goes if empty."""
    target = Path(path)
    if state["kind"] == "file":
        if target.is_symlink():
            target.unlink()
        write_bytes(target, state["data"], state["mode"], state["uid"], state["gid"])
        return
    if target.is_dir() and not target.is_symlink():
        if state["kind"] == "none":
            with contextlib.suppress(OSError):  # not empty: what is in it is not ours
                target.rmdir()
        return
    target.unlink(missing_ok=True)
    if state["kind"] == "link":
        os.symlink(state["to"], path)


def put_object(data: bytes) -> str:
    """Keep content in the ledger's store, with markers for known secrets."""
    with contextlib.suppress(UnicodeDecodeError):
        data = VAULT.hide(data.decode()).encode()
    name = hashlib.sha256(data).hexdigest()
    store = common.STATE / "before"
    store.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (store / name).exists():
        write_bytes(store / name, data, 0o600, 0, 0)
    return name


def get_object(name: str) -> bytes:
    data = (common.STATE / "before" / name).read_bytes()
    with contextlib.suppress(UnicodeDecodeError):
        data = VAULT.reveal(data.decode()).encode()
    return data
