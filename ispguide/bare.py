"""The answers a bare server would give: for showing the guide without a server."""

from __future__ import annotations

from typing import Any

from ispguide.facts import Fact

_ANSWERS: dict[str, Any] = {
    "file": {"kind": "none"},
    "newest": {"path": "", "time": 0},
    "unit": {
        "load": "not-found",
        "active": "inactive",
        "sub": "dead",
        "enabled": "",
        "restarts": 0,
        "result": "",
        "since": 0,
        "condition": "no",
    },
    "package": "",
    "user": {},
    "postconf": {},
    "master": {},
    "sql": {"error": "not installed yet"},
    "secret": {"made": False, "source_same": True},
    "listening": [],
    "run": {"rc": 1, "out": "", "err": ""},
    "system": {
        "os": "debian",
        "version": "12",
        "name": "Debian GNU/Linux 12",
        "arch": "x86_64",
        "init": "systemd",
        "virtual": "",
        "memory_mb": 1024,
        "disk_mb": {"/": 20000},
        "inodes": {"/": 1000000},
        "time": 0.0,
        "hostname": "",
        "machine": "",
    },
    "ledger": [],
    "proof": {"ok": None, "seen": "not run", "transcript": []},
    "outside": {"error": "not asked"},
}


class Bare(dict[Fact, Any]):
    """A Have in which nothing is done yet."""

    def __missing__(self, fact: Fact) -> Any:
        return _ANSWERS[fact[0]]
