"""Whether two servers hold the same: letters, flags, filters, passwords, keys.

A program counts and hashes on the server, so no letter and no password leaves it.
Letters are told by folder, flags (keywords by their names) and content; what their
files are called, and whether one was moved from new/ to cur/, makes no difference.  Pure.
Source: https://doc.dovecot.org/2.3/admin_manual/mailbox_formats/maildir/
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ispguide.engine import facts
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Have, failed_answer

#: {kind: {name: [count, hash]}}, as JSON.
PROGRAM = r"""python3 - <<'END'
import hashlib, json, pathlib, subprocess
P, found = pathlib.Path, {}
def note(kind, name, lines):
    lines = sorted(lines)
    mark = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    found.setdefault(kind, {})[name] = [len(lines), mark]
def sha(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
def marks(box, flags):
    names = box / "dovecot-keywords"
    rows = [r.split() for r in names.read_text().splitlines()] if names.exists() else []
    words = {chr(97 + int(number)): word for number, word in rows}
    return " ".join(sorted(words.get(flag, flag) for flag in flags))
def sql(query):
    return subprocess.run(["mariadb", "-N", "mailserver"], input=query, text=True,
                          capture_output=True, check=True).stdout.splitlines()
for home in sorted(P("/var/vmail").glob("*/*")):
    owner = f"{home.name}@{home.parent.name}"
    if home.name.startswith("ispguide-proof-"):
        continue
    for box in sorted({p.parent for p in home.glob("Maildir/**/cur")}):
        name = str(box.relative_to(home / "Maildir")).strip(".") or "INBOX"
        letters = [f for sub in ("new", "cur") for f in (box / sub).iterdir()]
        note("letters and flags", f"{owner} {name}",
             [f"{marks(box, f.name.partition(':2,')[2])} {sha(f)}" for f in letters])
    rules = [f for f in home.rglob("*.sieve") if f.is_file()]
    note("filters", owner, [f"{f.relative_to(home)} {sha(f)}" for f in rules])
for what, query in {
    "domains": "SELECT name FROM virtual_domains",
    "passwords and quotas": "SELECT email, password, quota FROM virtual_users",
    "forwardings": "SELECT source, destination FROM virtual_aliases",
}.items():
    note("address book", what, [r for r in sql(query) if not r.startswith("ispguide-proof-")])
for what, places in {
    "keys that sign": ["/var/lib/rspamd/dkim"],
    "certificates": ["/etc/letsencrypt/archive", "/etc/letsencrypt/accounts"],
    "secrets and settings": ["/etc/ispguide/secrets.json", "/etc/ispguide/settings.toml"],
}.items():
    files = [f for p in places for f in [P(p), *P(p).rglob("*")] if f.is_file()]
    note("keys", what, [f"{f} {sha(f)}" for f in files])
kept = json.loads(P("/etc/ispguide/secrets.json").read_text())
word = kept.get("redis", {}).get("value", "")
def redis(*commands):
    lines = [f"AUTH {word}", *commands] if word else commands
    return subprocess.run(["redis-cli"], input="\n".join(lines) + "\n", text=True,
                          capture_output=True).stdout.splitlines()[len(lines) - len(commands):]
learned = sorted(k for k in redis("KEYS RS*") if k)
note("spam filter", "what it has learned", [f"{k} {sorted(redis(f'HGETALL {k}'))}" for k in learned])
print(json.dumps(found))
END"""

FACT = facts.run(PROGRAM)
Inventory = Mapping[str, Mapping[str, list[object]]]


def inventory(have: Have) -> Inventory:
    """What the server holds; GuideError when it could not count."""
    answer = have[FACT]
    if failed_answer(answer) or answer["rc"]:
        raise GuideError(
            "The server could not count what it holds.",
            "It should name its letters, passwords and keys by their hashes.",
            "",
            failed_answer(answer) or answer["err"],
            kind="no-answer",
        )
    found: Inventory = json.loads(answer["out"])
    return found


def differences(before: Inventory, after: Inventory) -> list[str]:
    """A sentence for each thing that is not equal; none: all is equal."""
    told = []
    for kind in before:
        for name, (count, mark) in before[kind].items():
            now, other = after.get(kind, {}).get(name, [0, ""])
            if (now, other) != (count, mark):
                many = f"{count} before, {now} now" if now != count else "others now"
                told.append(f"{kind}, {name}: {many}")
        more = after.get(kind, {}).keys() - before[kind].keys()
        told += [f"{kind}, {name}: not there before" for name in sorted(more)]
    return told


def counted(found: Inventory) -> list[str]:
    """How much of each kind there is."""
    return [
        f"{kind}: {sum(int(str(n)) for n, _ in names.values())} in {len(names)}"
        for kind, names in found.items()
    ]
