"""The server's secrets: kept here, put in as files are written, taken out of what is said.

Texts come in with markers, a name between OPEN and CLOSE.  Nothing here prints a password, or puts one into an
argument list or an environment.  Manual: crypt(5).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from .common import Failed, write_bytes

SECRETS = Path("/etc/ispguide/secrets.json")
#: Not written as they look, or this very text would be taken for one with secrets in it.
OPEN, CLOSE = "\u27e6", "\u27e7"
TOLD = {"backup"}  # secrets that their owner has to keep elsewhere too


def marker(name: str) -> str:
    """What stands for the secret of this name."""
    return f"{OPEN}{name}{CLOSE}"


class Vault:
    """The server's secrets, and those that somebody just typed."""

    def __init__(self) -> None:
        self.load()

    def load(self, typed: Iterable[str] = ()) -> None:
        """Read them anew.  `typed`: to be hidden, too."""
        self.typed = [t for t in typed if len(t) >= 6]
        self.values: dict[str, dict[str, str]] = {}
        with contextlib.suppress(FileNotFoundError):
            self.values = json.loads(SECRETS.read_text())

    def hide(self, text: str) -> str:
        """The text with markers where values were."""
        for name, entry in self.values.items():
            text = text.replace(entry["value"], marker(name))
        for value in self.typed:
            text = text.replace(value, "•••")
        return text

    def reveal(self, text: str) -> str:
        """The text with values where markers were."""
        for name, entry in self.values.items():
            text = text.replace(marker(name), entry["value"])
        left = re.search(OPEN + r"([\w-]+)" + CLOSE, text)
        if left:
            raise Failed(f"The server has no secret called {left[1]} yet.")
        return text

    def keep(self, name: str, value: str, source: str) -> None:
        """Store a value, whole or not at all."""
        mark = hashlib.sha256(self.values[source]["value"].encode()) if source else None
        self.values[name] = {
            "value": value,
            "source": mark.hexdigest() if mark else "",
            "source_name": source,
        }
        self.save()

    def forget(self, name: str) -> None:
        """Nobody needs it any more."""
        self.values.pop(name, None)
        self.save()

    def save(self) -> None:
        SECRETS.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(SECRETS, json.dumps(self.values).encode(), 0o600, 0, 0)

    def value(self, name: str) -> str:
        """The secret of this name; "" where there is none."""
        return self.values.get(name, {}).get("value", "")

    def known(self, name: str) -> dict[str, bool]:
        """{made, source_same} for the fact of this name."""
        entry = self.values.get(name)
        if not entry or not entry["source_name"]:
            return {"made": bool(entry), "source_same": True}
        now = self.values.get(entry["source_name"], {}).get("value", "")
        mark = hashlib.sha256(now.encode()).hexdigest()
        return {"made": True, "source_same": entry["source"] == mark}


VAULT = Vault()


def hash_password(password: str, cost: int = 12) -> str:
    """BLF-CRYPT.  bcrypt reads 72 bytes, so more is refused, not cut."""
    import crypt

    if len(password.encode()) > 72:
        raise Failed("The password is longer than the 72 bytes its hash can hold.")
    salt = crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=2**cost)
    return "{BLF-CRYPT}" + crypt.crypt(password, salt).replace("$2b$", "$2y$", 1)
