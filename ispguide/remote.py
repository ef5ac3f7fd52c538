"""The program that runs ON the server.  Standard library only, nothing of ours.

Longer than other modules for one reason: it travels as one text inside a message and
must find everything it needs in itself.  Contract: a request (JSON) comes in, JSON
lines go out, the last one is the answer; plain types across the border.

Three verbs.  `exchange`: do these, then tell those.  Doing happens in a transient
systemd unit, which takes the lock, keeps what was before, writes atomically, tests
before it restarts, and puts everything back when that fails; the SSH channel only
watches.  `mailbox`: a mailbox for proofs that lives until standard input closes.
`secret`: one of the few passwords that their owner must keep elsewhere too.

Secrets made here stay here: texts come in with markers (⟦name⟧), values are put in on
writing and taken out of everything that is said.  Nothing here prints a password,
or puts one into an argument list or an environment.
Manuals: systemd-run(1), flock(2), rename(2), crypt(5).
"""

from __future__ import annotations

import contextlib
import fcntl
import grp
import hashlib
import json
import os
import pwd
import re
import secrets as random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

STATE = Path("/var/lib/ispguide")
RUNS = Path("/run/ispguide")
SECRETS = Path("/etc/ispguide/secrets.json")
SETTINGS = Path("/etc/ispguide/settings.toml")
TOLD = {"backup"}  # secrets that their owner has to keep elsewhere too
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


# --- secrets -----------------------------------------------------------------


class Vault:
    """The server's secrets, and those that somebody just typed."""

    def __init__(self, typed=()):
        self.typed = [t for t in typed if len(t) >= 6]
        self.values = {}
        with contextlib.suppress(FileNotFoundError):
            self.values = json.loads(SECRETS.read_text())

    def hide(self, text):
        """The text with markers where values were."""
        for name, entry in self.values.items():
            text = text.replace(entry["value"], f"⟦{name}⟧")
        for value in self.typed:
            text = text.replace(value, "•••")
        return text

    def reveal(self, text):
        """The text with values where markers were."""
        for name, entry in self.values.items():
            text = text.replace(f"⟦{name}⟧", entry["value"])
        left = re.search(r"⟦([\w-]+)⟧", text)
        if left:
            raise Failed(f"The server has no secret called {left[1]} yet.")
        return text

    def keep(self, name, value, source):
        """Store a value, whole or not at all."""
        mark = hashlib.sha256(self.values[source]["value"].encode()) if source else None
        self.values[name] = {
            "value": value,
            "source": mark.hexdigest() if mark else "",
            "source_name": source,
        }
        self.save()

    def forget(self, name):
        """Nobody needs it any more."""
        self.values.pop(name, None)
        self.save()

    def save(self):
        SECRETS.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(SECRETS, json.dumps(self.values).encode(), 0o600, 0, 0)

    def known(self, name):
        """{made, source_same} for the fact of this name."""
        entry = self.values.get(name)
        if not entry or not entry["source_name"]:
            return {"made": bool(entry), "source_same": True}
        now = self.values.get(entry["source_name"], {}).get("value", "")
        mark = hashlib.sha256(now.encode()).hexdigest()
        return {"made": True, "source_same": entry["source"] == mark}


VAULT = Vault()


def hash_password(password, cost=12):
    """BLF-CRYPT.  bcrypt reads 72 bytes, so more is refused, not cut."""
    import crypt

    if len(password.encode()) > 72:
        raise Failed("The password is longer than the 72 bytes its hash can hold.")
    salt = crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=2**cost)
    return "{BLF-CRYPT}" + crypt.crypt(password, salt).replace("$2b$", "$2y$", 1)


# --- questions ---------------------------------------------------------------


def call(argv, stdin="", limit=LIMIT):
    """(exit code, stdout, stderr) of a command that only looks."""
    try:
        done = subprocess.run(
            argv, input=stdin.encode(), capture_output=True, timeout=limit, env=ENV
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"no answer within {limit} s") from None
    except FileNotFoundError:
        raise Failed(f"the command {argv[0]} is not installed") from None
    return done.returncode, *(
        s.decode(errors="replace") for s in (done.stdout, done.stderr)
    )


def ask_file(path):
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return {"kind": "none"}
    kinds = {0o100000: "file", 0o040000: "directory", 0o120000: "link"}
    kind = kinds.get(found.st_mode & 0o170000, "special file")
    answer: dict[str, object] = {"kind": kind, "mode": f"{found.st_mode & 0o7777:04o}"}
    answer |= {"owner": owner_name(found.st_uid), "group": group_name(found.st_gid)}
    if kind == "link":
        answer["to"] = os.readlink(path)
    if kind == "file" and found.st_size < 1_000_000:
        answer["text"] = VAULT.hide(Path(path).read_text(errors="replace"))
    return answer


def owner_name(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid):
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def ask_newest(*paths):
    """Compiled files are younger than the text they come from, so they are left out."""
    best = (0, "")
    for top in paths:
        for path in [top, *walk(top)]:
            if not path.endswith((".svbin", ".db", ".lock", ".log")):
                with contextlib.suppress(FileNotFoundError):
                    best = max(best, (os.lstat(path).st_ctime_ns, path))
    return {"path": best[1], "time": best[0] // 1000}


def walk(top):
    for folder, folders, files in os.walk(top):
        for name in (*folders, *files):
            yield os.path.join(folder, name)


def ask_units(facts):
    """All units in one call: it costs what one costs."""
    names = (
        "Id,LoadState,ActiveState,SubState,UnitFileState,NRestarts,Result,Type,"
        "StateChangeTimestamp,ActiveEnterTimestamp,ConditionResult,MainPID"
    )
    units = [fact[1] for fact in facts]
    _, out, err = call(
        ["systemctl", "show", "--timestamp=us+utc", "-p", names, "--", *units]
    )
    blocks = [
        dict(line.split("=", 1) for line in b.splitlines())
        for b in out.strip().split("\n\n")
    ]
    if len(blocks) != len(units):
        return [{"error": err.strip() or "systemctl did not answer"}] * len(units)
    return [unit_answer(block) for block in blocks]


def unit_answer(block):
    since = max(
        map(
            microseconds, (block["StateChangeTimestamp"], block["ActiveEnterTimestamp"])
        )
    )
    return {
        "load": block["LoadState"],
        "active": block["ActiveState"],
        "sub": block["SubState"],
        "enabled": block["UnitFileState"],
        "restarts": int(block.get("NRestarts") or 0),
        "result": block.get("Result", ""),
        "since": since,
        "condition": block["ConditionResult"],
    }


def microseconds(text):
    """systemctl's "Mon 2026-11-23 04:05:42.123456 UTC" as µs since 1970."""
    match = re.search(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d+))?", text)
    if not match:
        return 0
    moment = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000 + int((match[2] or "0").ljust(6, "0"))


def ask_packages(facts):
    form = "${Package}\t${Version}\t${db:Status-Status}\n"
    _, out, _ = call(["dpkg-query", "-W", "-f", form, *(fact[1] for fact in facts)])
    rows = [line.split("\t") for line in out.splitlines()]
    there = {name: version for name, version, status in rows if status == "installed"}
    return [there.get(fact[1], "") for fact in facts]


def ask_user(name):
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return {}
    groups = [g.gr_name for g in grp.getgrall() if name in g.gr_mem]
    return {
        "uid": entry.pw_uid,
        "gid": entry.pw_gid,
        "home": entry.pw_dir,
        "shell": entry.pw_shell,
        "groups": groups,
    }


def ask_postconf():
    rc, out, err = call(["postconf", "-n"])
    if rc:
        return {"error": last_line(err)}
    lines = re.sub(r"\n\s+", " ", out).splitlines()
    pairs = (line.partition(" =") for line in lines)
    return {name: VAULT.hide(" ".join(value.split())) for name, _, value in pairs}


def ask_master():
    rc, out, err = call(["postconf", "-M"])
    if rc:
        return {"error": last_line(err)}
    lines: dict[str, str] = {}
    options: dict[str, dict[str, str]] = {}
    for line in re.sub(r"\n\s+", " ", out).splitlines():
        words = line.split(None, 7)
        command = words[7].split(" -o ")[0] if len(words) > 7 else ""
        columns = " ".join([*words[:7], " ".join(command.split())])
        lines[f"{words[0]}/{words[1]}"] = columns
    for line in re.sub(r"\n\s+", " ", call(["postconf", "-P"])[1]).splitlines():
        left, _, value = line.partition(" = ")
        name, _, option = left.rpartition("/")
        options.setdefault(name, {})[option] = VAULT.hide(" ".join(value.split()))
    return {n: {"line": c, "options": options.get(n, {})} for n, c in lines.items()}


def ask_sqls(facts):
    asked = [query for _, query in facts]
    answers = {}
    for query in asked:
        try:
            VAULT.reveal(query)
        except Failed as failure:  # a secret in it does not exist yet
            answers[query] = {"error": str(failure)}
    able = [query for query in asked if query not in answers]
    answers.update(zip(able, ask_client(able), strict=True))
    return [answers[query] for query in asked]


def ask_client(asked):
    """All by one client: to start it takes longer than to answer."""
    mark = random.token_hex()
    try:
        rc, out, err = client(";\n".join(f"SELECT '{mark}';\n{q}" for q in asked))
    except Failed as failure:
        return [{"error": str(failure)}] * len(asked)
    if rc and mark not in out:  # it was not let in
        return [{"error": VAULT.hide(last_line(err))}] * len(asked)
    if rc:  # one of them is wrong; nothing after it was answered
        return [ask_sql(query) for query in asked]
    return [{"rows": rows(told)} for told in out.split(f"{mark}\n")[1:]]


def ask_sql(query):
    try:
        rc, out, err = client(query)
    except Failed as failure:
        return {"error": str(failure)}
    return {"error": VAULT.hide(last_line(err))} if rc else {"rows": rows(out)}


def client(text):
    argv = ["mariadb", "--batch", "--skip-column-names", "--connect-timeout=5"]
    return call(argv, VAULT.reveal(text) + ";\n")


def rows(out):
    """What the client printed, as cells."""
    lines = (line.split("\t") for line in out.splitlines())
    return [[VAULT.hide(unescape(cell)) for cell in line] for line in lines]


def unescape(cell):
    """What the client's batch mode wrote as \\n, \\t, \\\\ and \\0."""
    signs = {"n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
    return re.sub(r"\\(.)", lambda m: signs.get(m[1], m[1]), cell)


def ask_secret(name):
    return VAULT.known(name)


def ask_listening():
    _, out, _ = call(["ss", "-Hltnp"])
    rows = []
    for line in out.splitlines():
        words = line.split()
        address, _, port = words[3].rpartition(":")
        process = re.search(r'"([^"]+)"', line)
        rows.append([address.strip("[]"), int(port), process[1] if process else ""])
    return rows


def ask_run(command, stdin=""):
    rc, out, err = call(["/bin/sh", "-c", command], VAULT.reveal(stdin))
    hidden = (VAULT.hide(s[-MOST:]) for s in (out, err))
    return {"rc": rc, "out": next(hidden), "err": next(hidden)}


def machine_id():
    with contextlib.suppress(FileNotFoundError):
        return Path("/etc/machine-id").read_text().strip()
    return ""


def ask_ledger():
    with contextlib.suppress(FileNotFoundError):
        return [
            json.loads(line)
            for line in (STATE / "ledger.jsonl").read_text().splitlines()
        ]
    return []


def ask_proved():
    with contextlib.suppress(FileNotFoundError):
        return json.loads((STATE / "proved.json").read_text())
    return {}


def remember_proofs(proved, who):
    """{proof: {ok, time, who}}: when each was last tried, whoever did it."""
    moment = {"time": time.time(), "who": who}
    known = ask_proved() | {name: {"ok": ok} | moment for name, ok in proved.items()}
    STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_bytes(STATE / "proved.json", json.dumps(known).encode(), 0o600, 0, 0)


def last_line(text):
    return (text.strip().splitlines() or ["no reason given"])[-1]


ASK: dict[str, Callable[..., object]] = {
    "file": ask_file,
    "newest": ask_newest,
    "user": ask_user,
    "postconf": ask_postconf,
    "master": ask_master,
    "secret": ask_secret,
    "listening": ask_listening,
    "run": ask_run,
    "ledger": ask_ledger,
    "proved": ask_proved,
}
ASK_TOGETHER: dict[str, Callable[..., list[object]]] = {
    "unit": ask_units,
    "package": ask_packages,
    "sql": ask_sqls,
}


def tell(facts):
    """[[fact, answer], …].  A question that fails is answered {"error": reason}."""
    alone = [f for f in facts if f[0] in ASK]
    together = [[f for f in facts if f[0] == kind] for kind in ASK_TOGETHER]
    jobs = [([f], ask_alone) for f in alone]
    jobs += [(group, ASK_TOGETHER[group[0][0]]) for group in together if group]
    told: list[list[tuple[object, object]]] = [[] for _ in jobs]
    todo = iter(list(enumerate(jobs)))  # one for all threads: each takes the next

    def work():
        for place, job in todo:
            told[place] = answered(*job)

    side_by_side(work, min(8, len(jobs)))
    return [pair for pairs in told for pair in pairs]


def side_by_side(work, hands):
    """`work` in so many threads.  (concurrent.futures takes 11 ms to be imported.)"""
    threads = [threading.Thread(target=work) for _ in range(hands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def ask_alone(facts):
    ((kind, *words),) = facts
    return [ASK[kind](*words)]


def answered(facts, ask):
    try:
        return list(zip(facts, ask(facts), strict=True))
    except Exception as error:  # said to the reader as the answer, never swallowed
        reason = VAULT.hide(f"{error}" or type(error).__name__)
        return [(fact, {"error": reason}) for fact in facts]


# --- doing -------------------------------------------------------------------


def write_bytes(path, data, mode, uid, gid):
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


class Transaction:
    """One run: its actions, what was before, and how to put it back."""

    def __init__(self, request, say):
        self.say, self.about = say, request["run"]
        self.before, self.started, self.entries = {}, {}, []

    def perform(self, actions):
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

    def keep(self, path):
        """Remember what is at `path` before its first change in this run."""
        if path not in self.before:
            self.before[path] = snapshot(path)

    def record(self, action, ok):
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
        STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(STATE / "ledger.jsonl", "a", opener=private) as ledger:
            ledger.writelines(
                json.dumps(row, ensure_ascii=False) + "\n" for row in rows
            )
            ledger.flush()
            os.fsync(ledger.fileno())

    def entry(self, base, path):
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

    def do_run(self, command, stdin="", touches=(), hashes=None, seconds=1200):
        for path in touches:
            self.keep(path)
        for name, password in (hashes or {}).items():
            stdin = stdin.replace(f"⟦{name}⟧", hash_password(password))
        self.shell(command, VAULT.reveal(stdin), seconds)

    def shell(self, command, stdin="", seconds=60):
        """Run under sh -e, saying each line; Failed with the last ten when it fails."""
        with open(os.memfd_create("stdin"), "w+b") as given:
            given.write(stdin.encode())
            given.seek(0)
            process = subprocess.Popen(
                ["/bin/sh", "-ec", command],
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=ENV,
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

    def do_write(self, path, text, mode, owner, group):
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

    def do_attributes(self, path, mode, owner, group):
        self.keep(path)
        os.chown(path, pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid)
        os.chmod(path, mode)

    def do_directory(self, path, mode, owner, group):
        self.keep(path)
        Path(path).mkdir(parents=True, exist_ok=True)
        self.do_attributes(path, mode, owner, group)

    def do_link(self, path, to):
        self.keep(path)
        part = f"{path}.ispguide"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
        os.symlink(to, part)
        os.replace(part, path)

    def do_remove(self, path):
        self.keep(path)
        os.unlink(path)

    def do_secret(self, name, source, derive, length):
        value = random.token_hex(length // 2)
        if derive:
            done = subprocess.run(
                ["/bin/sh", "-c", derive],
                input=VAULT.values[source]["value"].encode() + b"\n",
                capture_output=True,
                env=ENV,
                timeout=60,
            )
            value = done.stdout.decode().strip()
            if done.returncode or not value:
                raise Failed(f"$ {derive}\n{done.stderr.decode()}")
        VAULT.keep(name, value, source)

    def do_keep(self, name, value):
        VAULT.keep(name, value, "")

    def do_forget(self, name):
        VAULT.forget(name)

    def do_restore(self, path, before):
        """Undo: what the ledger says was there before."""
        self.keep(path)
        put(
            path,
            before
            | ({"data": get_object(before["object"])} if "object" in before else {}),
        )

    def do_start(self, unit, verb, test, watch, enable, ports):
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

    def wait_for(self, unit, watch, ports, limit=30):
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

    def put_back(self):
        """Every file as it was, then the services that read them."""
        changed = [p for p in reversed(self.before) if snapshot(p) != self.before[p]]
        for path in changed:
            put(path, self.before[path])
        for unit, state in self.started.items():
            if state == "active":
                call(["systemctl", "reset-failed", unit])
                call(["systemctl", "restart", unit], limit=180)
        return changed


def unit_state(unit):
    return call(["systemctl", "show", "-p", "ActiveState", "--value", unit])[1].strip()


def open_ports():
    """TCP ports that somebody listens on: without asking who, which takes 10 ms (proc(5))."""
    lines = [
        line.split()
        for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
        if table.exists()
        for line in table.read_text().splitlines()[1:]
    ]
    return {int(words[1].rpartition(":")[2], 16) for words in lines if words[3] == "0A"}


def limit_to(process, seconds):
    """A timer that ends the process and all it started."""
    timer = threading.Timer(seconds, lambda: os.killpg(process.pid, signal.SIGKILL))
    timer.daemon = True
    timer.start()
    return timer


def snapshot(path):
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


def put(path, state):
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


def private(path, flags):
    return os.open(path, flags, 0o600)


def put_object(data):
    """Keep content in the ledger's store, with markers for known secrets."""
    with contextlib.suppress(UnicodeDecodeError):
        data = VAULT.hide(data.decode()).encode()
    name = hashlib.sha256(data).hexdigest()
    store = STATE / "before"
    store.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (store / name).exists():
        write_bytes(store / name, data, 0o600, 0, 0)
    return name


def get_object(name):
    data = (STATE / "before" / name).read_bytes()
    with contextlib.suppress(UnicodeDecodeError):
        data = VAULT.reveal(data.decode()).encode()
    return data


# --- the unit that outlives the connection -----------------------------------


def launch(request):
    """Start the transient unit that does it; its folder is readable by root only."""
    folder = RUNS / request["run"]["id"]
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
        "import sys; sys.path.insert(0, sys.argv[1]); import remote; "
        "remote.perform(remote.Path(sys.argv[2]))",
        os.path.dirname(__file__),
        str(folder),
    ]
    rc, _, err = call(argv)
    if rc:
        raise Failed(f"systemd-run did not start: {last_line(err)}")
    return folder


def perform(folder):
    """What the unit does: lock, do, leave the result, forget what was asked."""
    global VAULT
    os.umask(0o022)
    request = json.loads((folder / "request").read_text())
    (folder / "request").unlink()
    log = open(folder / "log", "a", buffering=1)

    def say(event):
        log.write(json.dumps(event, ensure_ascii=False) + "\n")

    with lock(request["run"], say):
        VAULT = Vault(request.get("hide", ()))
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
def lock(run, say):
    """One run at a time; the kernel drops the lock when its holder dies."""
    RUNS.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(RUNS / "lock", "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say({"line": "Waiting for " + holder(file)})
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(json.dumps(run | {"since": time.time()}))
        file.flush()
        yield


def holder(file):
    file.seek(0)
    with contextlib.suppress(ValueError):
        run = json.loads(file.read())
        since = time.strftime("%H:%M", time.localtime(run["since"]))
        return f"{run['who']}, who is in the step {run['step']} since {since} (UTC server time)."
    return "another run."


def busy():
    """The run under way, or None."""
    with contextlib.suppress(FileNotFoundError), open(RUNS / "lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            with contextlib.suppress(ValueError):
                return json.loads(file.read())
            return {"id": "", "who": "another run", "step": "", "since": time.time()}
    return None


def watch(folder):
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


def said_since(path, place):
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


def wait_for_others():
    """Until no run is under way, saying who is waited for and what that run says."""
    while run := busy():
        say_out(
            {"line": f"Waiting for {run['who']}, who is in the step {run['step']}."}
        )
        folder = RUNS / (run["id"] or "?")
        if (folder / "log").is_file():
            watch(folder)  # from its beginning: a reader may have just come back
        while (again := busy()) and again["id"] == run["id"]:
            time.sleep(0.05)


def say_out(event):
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    sys.stdout.flush()


# --- verbs -------------------------------------------------------------------


def exchange(request):
    """Do, then tell; the answer also says whether the settings here are others."""
    global VAULT
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
        folder = RUNS / request["attach"]
        done = watch(folder) if folder.is_dir() else None
    VAULT = Vault(request.get("hide", ()))
    if request.get("proved"):
        remember_proofs(request["proved"], request["run"]["who"])
    return {
        "done": done,
        "have": tell(request.get("tell", [])),
        "busy": busy(),
        "settings": other_settings(request.get("settings")),
    }


def other_settings(known):
    """None when the settings here have the hash `known`, else {text}."""
    text = SETTINGS.read_text() if SETTINGS.is_file() else None
    mark = hashlib.sha256((text or "").encode()).hexdigest()[:16]
    return None if text is not None and mark == known else {"text": text}


def mailbox(request):
    """A mailbox for proofs, with a random password, until standard input closes."""
    domain, password = request["domain"], random.token_urlsafe(18)
    local = f"ispguide-proof-{int(time.time()):x}-{random.token_hex(4)}"
    sweep_old(domain)
    address, alias = f"{local}@{domain}", f"{local}-alias@{domain}"
    quick = hash_password(password, cost=5)  # random and gone in a minute
    sql = (
        "INSERT INTO mailserver.virtual_users (domain_id, email, password, quota, enabled) SELECT id, "
        f"'{address}', '{quick}', {int(request.get('quota', 0))}, {int(not request.get('locked'))} FROM mailserver.virtual_domains WHERE name='{domain}';"
        "INSERT INTO mailserver.virtual_aliases (domain_id, source, destination) SELECT id, "
        f"'{alias}', '{address}' FROM mailserver.virtual_domains WHERE name='{domain}';"
    )
    try:
        rc, _, err = call(["mariadb"], sql)
        if rc:
            return {"error": last_line(err)}
        say_out({"mailbox": {"address": address, "alias": alias, "password": password}})
        sys.stdin.buffer.read()
    finally:
        sweep(domain, local)
    return {"closed": True}


def sweep(domain, local):
    """Remove a mailbox of proofs with its alias and its mail."""
    call(
        ["mariadb", "mailserver"],
        f"DELETE FROM virtual_aliases WHERE source = '{local}-alias@{domain}';"
        f"DELETE FROM virtual_users WHERE email = '{local}@{domain}';",
    )
    # What webmail remembers of it; where there is no webmail, this fails and nobody minds.
    forget = f"DELETE FROM roundcube.users WHERE username = '{local}@{domain}';"
    call(["mariadb"], forget)
    call(["doveadm", "kick", f"{local}@{domain}"])
    folder, end = Path("/var/vmail", domain, local), time.monotonic() + 15
    while True:  # who is on the way out, or a letter on its way in, may write once more
        late = time.monotonic() > end
        inside = call(["doveadm", "-f", "flow", "who", f"{local}@{domain}"])[1].strip()
        busy = under_way(local, domain, late) or inside
        shutil.rmtree(folder, ignore_errors=True)
        if late or not busy and not folder.exists():
            return
        time.sleep(0.1)


def under_way(local, domain, late):
    """Whether a letter to or from it is just being delivered (postqueue(1)).

    One that waits to be tried again is taken back, for it would leave after its proof;
    `late`: so is one that still tries to reach somebody."""
    ours = {f"{local}@{domain}", f"{local}-alias@{domain}"}
    busy, back = False, []
    for one in map(json.loads, call(["postqueue", "-j"])[1].splitlines()):
        to = {recipient["address"] for recipient in one["recipients"]}
        active = one["queue_name"] == "active"
        busy |= active and bool(ours & {one["sender"], *to})
        # A letter that names nobody yet is somebody else's.
        own = one["sender"] in ours or to and to <= ours
        if own and (one["queue_name"] == "deferred" or late and active):
            back.append(one["queue_id"])
    if back:
        call(["postsuper", "-d", "-"], "\n".join(back))
    return busy


def sweep_old(domain):
    """What a power cut left behind: mailboxes of proofs older than ten minutes."""
    found = ask_sql(
        "SELECT email FROM mailserver.virtual_users WHERE email LIKE 'ispguide-proof-%'"
    )
    names = {email.partition("@")[0] for (email,) in found.get("rows", [])}
    names |= {path.name for path in Path("/var/vmail", domain).glob("ispguide-proof-*")}
    for local in names:
        # Of exactly our form: what somebody called so by hand is not ours to remove.
        ours = re.fullmatch(r"ispguide-proof-([0-9a-f]+)-[0-9a-f]{8}", local)
        if ours and int(ours[1], 16) < time.time() - 600:
            sweep(domain, local)


def secret(request):
    """The only way out for a secret, and only for those that are lost with the server."""
    name = request["name"]
    if name not in TOLD or name not in VAULT.values:
        raise Failed(f"the secret {name} is not told to anybody, or not made yet")
    return {"value": VAULT.values[name]["value"]}


def main(request):
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


def answer_to(request):
    """What the verb brings, or its failure in words."""
    verbs = {"exchange": exchange, "mailbox": mailbox, "secret": secret}
    try:
        return verbs[request["verb"]](request)
    except Failed as failure:
        return {"error": VAULT.hide(str(failure))}
