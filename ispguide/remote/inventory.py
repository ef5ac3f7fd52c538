"""What a server holds, counted and hashed: no message and no password leaves it.

Messages are told by folder, flags (keywords by their names) and content; what their
files are called, and whether one was moved from new/ to cur/, makes no difference.
Source: https://doc.dovecot.org/2.3/admin_manual/mailbox_formats/maildir/
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from .vault import VAULT

VMAIL = Path("/var/vmail")
PROOFS = "ispguide-proof-"
#: {what: its rows}.
USER_DATABASE = {
    "domains": "SELECT name FROM virtual_domains",
    "passwords and quotas": "SELECT email, password, quota FROM virtual_users",
    "forwardings": "SELECT source, destination FROM virtual_aliases",
}
KEYS = {
    "keys that sign": ["/var/lib/rspamd/dkim"],
    "certificates": ["/etc/letsencrypt/archive", "/etc/letsencrypt/accounts"],
    "secrets and settings": [
        "/etc/ispguide/secrets.json",
        "/etc/ispguide/settings.toml",
    ],
}
#: kind, name, its lines
Note = tuple[str, str, Iterable[str]]


def inventory() -> dict[str, dict[str, list[object]]]:
    """{kind: {name: [count, hash]}}."""
    found: dict[str, dict[str, list[object]]] = {}
    for kind, name, lines in (*_mail(), *_user_database(), *_keys(), *_learned()):
        rows = sorted(lines)
        mark = hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]
        found.setdefault(kind, {})[name] = [len(rows), mark]
    return found


def _mail() -> Iterator[Note]:
    for home in sorted(VMAIL.glob("*/*")):
        owner = f"{home.name}@{home.parent.name}"
        if home.name.startswith(PROOFS):
            continue
        for box in sorted({p.parent for p in home.glob("Maildir/**/cur")}):
            name = str(box.relative_to(home / "Maildir")).strip(".") or "INBOX"
            files = [f for sub in ("new", "cur") for f in (box / sub).iterdir()]
            lines = [f"{_flags(box, f.name.partition(':2,')[2])} {_sha(f)}" for f in files]  # fmt: skip
            yield "letters and flags", f"{owner} {name}", lines
        rules = [f for f in home.rglob("*.sieve") if f.is_file()]
        yield "filters", owner, [f"{f.relative_to(home)} {_sha(f)}" for f in rules]


def _flags(box: Path, flags: str) -> str:
    names = box / "dovecot-keywords"
    rows = [r.split() for r in names.read_text().splitlines()] if names.exists() else []
    words = {chr(97 + int(number)): word for number, word in rows}
    return " ".join(sorted(words.get(flag, flag) for flag in flags))


def _user_database() -> Iterator[Note]:
    for what, query in USER_DATABASE.items():
        done = subprocess.run(
            ["mariadb", "-N", "mailserver"],
            input=query,
            text=True,
            capture_output=True,
            check=True,
        )
        rows = [r for r in done.stdout.splitlines() if not r.startswith(PROOFS)]
        yield "address book", what, rows


def _keys() -> Iterator[Note]:
    for what, places in KEYS.items():
        tops = [f for p in places for f in [Path(p), *Path(p).rglob("*")]]
        yield "keys", what, [f"{f} {_sha(f)}" for f in tops if f.is_file()]


def _learned() -> Iterator[Note]:
    names = sorted(k for k in _redis("KEYS RS*") if k)
    rows = [f"{k} {sorted(_redis(f'HGETALL {k}'))}" for k in names]
    yield "spam filter", "what it has learned", rows


def _redis(*commands: str) -> list[str]:
    word = VAULT.value("redis")
    lines = [f"AUTH {word}", *commands] if word else list(commands)
    done = subprocess.run(
        ["redis-cli"], input="\n".join(lines) + "\n", text=True, capture_output=True
    )
    return done.stdout.splitlines()[len(lines) - len(commands) :]


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
