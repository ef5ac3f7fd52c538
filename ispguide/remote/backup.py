"""Makes a backup, and brings things back from one.

Where the backups are and how many are kept stands in /etc/ispguide/backup.env.  How the
last one went is told to /var/lib/ispguide/backup.json.  No password is ever part of a
command.  Manuals: restic(1), mariadb-dump(1), doveadm-import(1).
"""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from .common import REDIS, Failed, redis_stopped, write_bytes
from .vault import VAULT

STATE = Path("/var/lib/ispguide/backup.json")
DUMP = Path("/var/lib/ispguide/dump")
SCRATCH = Path("/var/lib/ispguide/restored")
#: The same for what the user vmail has to read.
OPEN = Path("/var/tmp/ispguide-restored")
MAIL = Path("/var/vmail")
ADOPTED = Path("/var/lib/ispguide/backup-adopted")
LEDGER = Path("/var/lib/ispguide/ledger.jsonl")
#: What is kept: all that people made, and all that this server knows.
PATHS = (
    "/etc",
    "/var/vmail",
    "/var/lib/ispguide",
    "/var/lib/rspamd/dkim",
    str(REDIS),
    "/var/spool/cron",
)
#: Dovecot writes its indexes anew, and they change while one copies them.
WITHOUT = ("dovecot.index*", "dovecot.list.index*", str(SCRATCH))
#: Databases that every MariaDB makes for itself; its users are dumped by their names.
SYSTEM = {"information_schema", "mysql", "performance_schema", "sys"}
WEEK = 7 * 24 * 3600
#: Put back on a new machine as they were.
BACK = (
    "/etc/ispguide",
    "/etc/letsencrypt",
    "/var/lib/rspamd/dkim",
    "/etc/rspamd/dkim_selectors.map",
)
SETTINGS = Path("/etc/ispguide/backup.env")


def call(
    *argv: str, stdin: str = "", out: IO[str] | None = None, good: Sequence[int] = (0,)
) -> str:
    """What a command prints; its last words when it fails."""
    done = subprocess.run(
        argv,
        input=stdin,
        stdout=out or subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode not in good:
        words = (done.stderr or done.stdout or "").strip().splitlines()[-4:]
        raise Failed(f"{argv[0]} {argv[1] if argv[1:] else ''}: " + " / ".join(words))
    return done.stdout or ""


def restic(*words: str, good: Sequence[int] = (0,)) -> str:
    return call("restic", "--quiet", *words, good=good)


def keep(path: Path, text: str) -> None:
    """Whole or not at all, and root's alone."""
    write_bytes(path, text.encode(), 0o600, 0, 0)


def known() -> dict[str, Any]:
    with contextlib.suppress(FileNotFoundError, ValueError):
        return dict(json.loads(STATE.read_text()))
    return {}


# --- making one ---------------------------------------------------------------


def run() -> None:
    """One backup. Its state is told in any case, also when it fails."""
    before, begin = known(), time.time()
    state = {
        "started": begin,
        "ok": False,
        "failed": "",
        "to": os.environ["RESTIC_REPOSITORY"],
        "checked": before.get("checked", 0),
        "last_good": before.get("last_good", 0),
    }
    try:
        restic("unlock")  # of a run that died; a lock that is in use stays
        shutil.rmtree(SCRATCH, ignore_errors=True)
        state |= {"dump": dump()} | copy()
        state |= tidy(state["checked"])
        state |= {"ok": True, "last_good": time.time()}
    except Failed as wrong:
        state["failed"] = str(wrong)
        raise
    finally:
        shutil.rmtree(DUMP, ignore_errors=True)
        state["time"] = time.time()
        told = {name: state.get(name, 0) for name in ("time", "ok", "bytes", "added")}
        state["history"] = [*before.get("history", []), told][-90:]
        keep(STATE, json.dumps(state))


def dump() -> list[str]:
    """Databases and the spam filter's memory, each as of one moment; the databases' names."""
    DUMP.mkdir(mode=0o700, exist_ok=True)
    found = call("mariadb", "-Ne", "SHOW DATABASES").split()
    names = sorted(set(found) - SYSTEM)
    with open(DUMP / "databases.sql", "w") as file:
        call(
            "mariadb-dump",
            "--single-transaction",
            "--quick",
            "--routines",
            "--events",
            "--databases",
            *names,
            out=file,
        )
    with open(DUMP / "users.sql", "w") as file:
        call("mariadb-dump", "--system=users", "--replace", out=file)
    save_redis()
    return names


def save_redis() -> None:
    """Ask Redis to write down what it has in memory; the password goes in by the pipe."""
    if not shutil.which("redis-cli") or not REDIS.parent.is_dir():
        return
    word = VAULT.value("redis")
    said = call("redis-cli", stdin=(f"AUTH {word}\n" if word else "") + "SAVE\n")
    if not said.strip().endswith("OK"):
        raise Failed(f"Redis did not write its memory down: {said.strip()}")


def copy() -> dict[str, Any]:
    """Into the repository. Letters move from new/ to cur/ while one copies, and restic says
    so by exit code 3: then it is done once more, which takes only what is new."""
    paths = [path for path in PATHS if os.path.exists(path)]
    without = [word for name in WITHOUT for word in ("--exclude", name)]
    argv = ["restic", "backup", "--json", "--tag", "ispguide", *without, *paths]
    for _ in range(3):
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode != 3:
            break
    if done.returncode not in (0, 3):
        raise Failed(
            "restic backup: " + " / ".join(done.stderr.strip().splitlines()[-4:])
        )
    last = json.loads(done.stdout.strip().splitlines()[-1])
    return {
        "snapshot": last["snapshot_id"][:8],
        "files": last["total_files_processed"],
        "bytes": last["total_bytes_processed"],
        "added": last["data_added"],
    }


def tidy(checked: float) -> dict[str, Any]:
    """Forget what is too old; once a week, take it out and read the whole through."""
    days = [
        f"--keep-{name}={os.environ['KEEP_' + name.upper()]}"
        for name in ("daily", "weekly", "monthly")
    ]
    restic("forget", "--tag", "ispguide", "--group-by", "host", *days)
    if time.time() - checked < WEEK:
        return {}
    restic("prune")
    restic("check")
    return {"checked": time.time()}


# --- and back -----------------------------------------------------------------


def fetch(snapshot: str, target: str | Path, *paths: str) -> None:
    wanted = [word for path in paths for word in ("--include", path)]
    restic("restore", snapshot, "--tag", "ispguide", "--target", str(target), *wanted)


def mailbox(address: str, snapshot: str = "latest") -> None:
    """The letters of one mailbox, beside what is there now: nothing is overwritten."""
    home = call("doveadm", "user", "-f", "home", address).strip()
    when, sign = snapshot_time(snapshot), separator()
    parent = f"Restored{sign}{when}"
    if counted(address, parent + sign):
        raise Failed(
            f"{address} has the folder {parent} already. Remove it first to get it once more."
        )
    with scratch(OPEN) as folder:
        fetch(snapshot, folder, home)
        source = folder / home.lstrip("/") / "Maildir"
        if not source.is_dir():
            raise Failed(f"There is no mailbox {address} in the backup of {when}.")
        call("chown", "-R", "vmail:vmail", str(folder))
        messages = sum(
            path.parent.name in ("cur", "new")
            for path in source.rglob("*")
            if path.is_file()
        )
        call(
            "doveadm", "import", "-u", address, "-s", f"maildir:{source}", parent, "all"
        )
    came = counted(address, parent + sign)
    if came != messages:
        raise Failed(
            f"Of {messages} letters, {came} came into the folder {parent} of {address}."
        )
    print(f"{address}: {came} letters of {when} are in the folder {parent}")


def counted(address: str, begin: str) -> int:
    """Letters in the folders whose names begin so."""
    said = call(
        "doveadm",
        "-f",
        "tab",
        "mailbox",
        "status",
        "-u",
        address,
        "messages",
        begin + "*",
    )
    return sum(int(line.rpartition("\t")[2]) for line in said.splitlines()[1:])


def separator() -> str:
    """What stands between the names of folders, as this Dovecot has it."""
    found = [
        line.partition("=")[2].strip()
        for line in call("doveconf", "-n").splitlines()
        if line.strip().startswith("separator")
    ]
    return (found + ["."])[0] or "."


def snapshot_time(snapshot: str) -> str:
    found = json.loads(restic("snapshots", "--json", "--tag", "ispguide", snapshot))
    if not found:
        raise Failed(f"There is no backup called {snapshot}.")
    return str(found[-1]["time"])[:16].replace("T", "-").replace(":", "")


@contextlib.contextmanager
def scratch(folder: Path = SCRATCH) -> Iterator[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def server(snapshot: str = "latest") -> None:
    """Everything, onto a machine on which the packages of the guide are installed. What
    people made is put in its place; configuration is not, because the guide writes it
    anew: it is laid into /root, to be compared."""
    refuse_if_lived_in()
    with scratch() as folder:
        say("fetching all but the mail")
        fetch(snapshot, folder, *(path for path in PATHS if path != str(MAIL)))
        say("fetching the mail")
        fetch(snapshot, "/", str(MAIL))
        say("databases and their users")
        databases(folder)
        for path in BACK:
            put(folder, path)
        say("what the spam filter has learned")
        redis(folder)
        ledger(folder)
        old = Path("/root") / f"etc-of-{snapshot_time(snapshot)}"
        shutil.rmtree(old, ignore_errors=True)
        shutil.move(str(folder / "etc"), old)
        os.chmod(old, 0o700)
    ADOPTED.unlink(missing_ok=True)  # from now on this server makes backups itself
    print(
        f"All is back. The old /etc lies in {old}. Now let the guide make the rest: ./guide apply"
    )


def say(what: str) -> None:
    print(what, flush=True)


def refuse_if_lived_in() -> None:
    """Never over the mail of people who are there already."""
    rows = call(
        "mariadb",
        "-Ne",
        "SELECT COUNT(*) FROM information_schema.tables WHERE "
        "table_schema = 'mailserver' AND table_name = 'virtual_users'",
    ).strip()
    people = (
        rows == "1"
        and call(
            "mariadb",
            "-Ne",
            "SELECT COUNT(*) FROM mailserver.virtual_users "
            "WHERE email NOT LIKE 'dmarc@%'",
        ).strip()
    )
    if people not in (False, "0"):
        raise Failed(
            f"This server has {people} mailboxes. Everything can be brought back only onto a new one."
        )


def databases(folder: Path) -> None:
    dumped = folder / str(DUMP).lstrip("/")
    with open(dumped / "databases.sql") as file:
        done = subprocess.run(
            ["mariadb"], stdin=file, stderr=subprocess.PIPE, text=True
        )
    if done.returncode:
        raise Failed(f"databases.sql: {done.stderr.strip()}")
    call("mariadb", stdin=users((dumped / "users.sql").read_text()))
    call(
        "mariadb",
        "mailserver",
        stdin="DELETE FROM virtual_aliases WHERE source LIKE 'ispguide-proof-%';"
        "DELETE FROM virtual_users WHERE email LIKE 'ispguide-proof-%';",
    )


def users(dumped: str) -> str:
    """Who may enter the databases, without those that every MariaDB makes for itself:
    to make root anew would lock us out half-way."""
    ours = re.compile(
        r"(?:CREATE .*USER|GRANT .* TO) `(?!root`|mysql`|mariadb\.sys`)[^`]+`@`"
    )
    return "\n".join(line for line in dumped.splitlines() if ours.match(line)) + "\n"


def put(folder: Path, path: str) -> None:
    """`path` from the backup to its place, with its modes and owners."""
    source, target = folder / path.lstrip("/"), Path(path)
    if not source.exists():
        return
    if target.is_dir():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    call("cp", "-a", "-T", str(source), str(target))
    users, groups = names(folder, "passwd"), names(folder, "group")
    for top in (target, *target.rglob("*")) if target.is_dir() else (target,):
        was = top.lstat()
        uid = number(pwd.getpwnam, users.get(was.st_uid), was.st_uid)
        os.chown(
            top,
            uid,
            number(grp.getgrnam, groups.get(was.st_gid), was.st_gid),
            follow_symlinks=False,
        )


def names(folder: Path, book: str) -> dict[int, str]:
    """{number: name} of the old machine: numbers differ from one machine to the next."""
    rows = (
        line.split(":") for line in (folder / "etc" / book).read_text().splitlines()
    )
    return {int(row[2]): row[0] for row in rows if len(row) > 2}


def number(book: Callable[[str], Any], name: str | None, otherwise: int) -> int:
    """The number that this machine has for the name."""
    with contextlib.suppress(KeyError):
        return int(book(name or "")[2])
    return otherwise


def redis(folder: Path) -> None:
    """What the spam filter has learned."""
    source = folder / str(REDIS).lstrip("/")
    if source.exists():
        with redis_stopped():
            shutil.copyfile(source, REDIS)
            shutil.chown(REDIS, "redis", "redis")


def ledger(folder: Path) -> None:
    """The old machine's book, then what this one has done since."""
    old = folder / str(LEDGER).lstrip("/")
    if old.exists():
        lines = old.read_text().splitlines()
        new = LEDGER.read_text().splitlines() if LEDGER.exists() else []
        keep(
            LEDGER,
            "\n".join([*lines, *(line for line in new if line not in lines)]) + "\n",
        )
        shutil.copytree(
            old.parent / "before", LEDGER.parent / "before", dirs_exist_ok=True
        )


def settings() -> None:
    """Where and how many, unless systemd has told it already."""
    rows = (
        line.partition("=")
        for line in SETTINGS.read_text().splitlines()
        if line[:1].isalpha()
    )
    for name, _, value in rows:
        os.environ.setdefault(name, value)


VERBS: dict[str, Callable[..., None]] = {
    "run": run,
    "mailbox": mailbox,
    "server": server,
}


#: Where the words are explained.
HEAD = "the head of /usr/local/sbin/ispguide-backup"


def main(verb: str = "", *words: str) -> None:
    os.umask(0o077)
    settings()
    VAULT.load()
    try:
        if verb not in VERBS:
            raise Failed(f"It is one of {', '.join(VERBS)}; see {HEAD}.")
        VERBS[verb](*words)
    except Failed as wrong:
        sys.exit(str(wrong))
