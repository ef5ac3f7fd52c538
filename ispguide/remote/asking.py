"""The questions: each is answered, changes nothing, and takes ten seconds at most.

A question that fails is answered {"error": reason}.
"""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pwd
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from . import common
from .common import Failed, call, last_line, write_bytes
from .vault import VAULT

TYPE_CHECKING = False  # typing itself would take 5 ms at each start
if TYPE_CHECKING:
    from typing import Any

    #: A question: its kind, and its words.
    Fact = Sequence[str]
    Answer = dict[str, Any]


def ask_file(path: str) -> Answer:
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


def owner_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def ask_newest(*paths: str) -> Answer:
    """Compiled files are younger than the text they come from, so they are left out."""
    best = (0, "")
    for top in paths:
        for path in [top, *walk(top)]:
            if not path.endswith((".svbin", ".db", ".lock", ".log")):
                with contextlib.suppress(FileNotFoundError):
                    best = max(best, (os.lstat(path).st_ctime_ns, path))
    return {"path": best[1], "time": best[0] // 1000}


def walk(top: str) -> Iterator[str]:
    for folder, folders, files in os.walk(top):
        for name in (*folders, *files):
            yield os.path.join(folder, name)


def ask_units(facts: Sequence[Fact]) -> list[Answer]:
    """All units in one call: it costs what one costs."""
    names = (
        "Id,LoadState,ActiveState,SubState,UnitFileState,NRestarts,Result,Type,"
        "StateChangeTimestamp,ActiveEnterTimestamp,NeedDaemonReload"
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


def unit_answer(block: Mapping[str, str]) -> Answer:
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
        "read": block["NeedDaemonReload"] == "no",
    }


def microseconds(text: str) -> int:
    """systemctl's "Mon 2026-11-23 04:05:42.123456 UTC" as µs since 1970."""
    match = re.search(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d+))?", text)
    if not match:
        return 0
    moment = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000 + int((match[2] or "0").ljust(6, "0"))


def ask_packages(facts: Sequence[Fact]) -> list[str]:
    form = "${Package}\t${Version}\t${db:Status-Status}\n"
    _, out, _ = call(["dpkg-query", "-W", "-f", form, *(fact[1] for fact in facts)])
    rows = [line.split("\t") for line in out.splitlines()]
    there = {name: version for name, version, status in rows if status == "installed"}
    return [there.get(fact[1], "") for fact in facts]


def ask_user(name: str) -> Answer:
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


def ask_postconf() -> Answer:
    rc, out, err = call(["postconf", "-n"])
    if rc:
        return {"error": last_line(err)}
    lines = re.sub(r"\n\s+", " ", out).splitlines()
    pairs = (line.partition(" =") for line in lines)
    return {name: VAULT.hide(" ".join(value.split())) for name, _, value in pairs}


def ask_master() -> Answer:
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


def ask_sqls(facts: Sequence[Fact]) -> list[Answer]:
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


def ask_client(asked: Sequence[str]) -> list[Answer]:
    """All by one client: to start it takes longer than to answer."""
    mark = os.urandom(16).hex()
    try:
        rc, out, err = client(";\n".join(f"SELECT '{mark}';\n{q}" for q in asked))
    except Failed as failure:
        return [{"error": str(failure)}] * len(asked)
    if rc and mark not in out:  # it was not let in
        return [{"error": VAULT.hide(last_line(err))}] * len(asked)
    if rc:  # one of them is wrong; nothing after it was answered
        return [ask_sql(query) for query in asked]
    return [{"rows": rows(told)} for told in out.split(f"{mark}\n")[1:]]


def ask_sql(query: str) -> Answer:
    try:
        rc, out, err = client(query)
    except Failed as failure:
        return {"error": str(failure)}
    return {"error": VAULT.hide(last_line(err))} if rc else {"rows": rows(out)}


def client(text: str) -> tuple[int, str, str]:
    argv = ["mariadb", "--batch", "--skip-column-names", "--connect-timeout=5"]
    return call(argv, VAULT.reveal(text) + ";\n")


def rows(out: str) -> list[list[str]]:
    """What the client printed, as cells."""
    lines = (line.split("\t") for line in out.splitlines())
    return [[VAULT.hide(unescape(cell)) for cell in line] for line in lines]


def unescape(cell: str) -> str:
    """What the client's batch mode wrote as \\n, \\t, \\\\ and \\0."""
    signs = {"n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
    return re.sub(r"\\(.)", lambda m: signs.get(m[1], m[1]), cell)


def ask_secret(name: str) -> Answer:
    return VAULT.known(name)


def ask_listening() -> list[list[Any]]:
    _, out, _ = call(["ss", "-Hltnp"])
    rows = []
    for line in out.splitlines():
        words = line.split()
        address, _, port = words[3].rpartition(":")
        process = re.search(r'"([^"]+)"', line)
        rows.append([address.strip("[]"), int(port), process[1] if process else ""])
    return rows


def ask_run(command: str, stdin: str = "") -> Answer:
    rc, out, err = call(["/bin/sh", "-c", command], VAULT.reveal(stdin))
    hidden = (VAULT.hide(s[-common.MOST :]) for s in (out, err))
    return {"rc": rc, "out": next(hidden), "err": next(hidden)}


def ask_probe(name: str, *words: str) -> Answer:
    from . import probes  # few look so closely, and so few load it

    told = probes.answer(name, *words)
    return told | {"out": VAULT.hide(told["out"][-common.MOST :])}


def ask_ledger() -> list[Answer]:
    with contextlib.suppress(FileNotFoundError):
        return [
            json.loads(line)
            for line in (common.STATE / "ledger.jsonl").read_text().splitlines()
        ]
    return []


def ask_proved() -> Answer:
    with contextlib.suppress(FileNotFoundError):
        return dict(json.loads((common.STATE / "proved.json").read_text()))
    return {}


def remember_proofs(proved: Mapping[str, bool], who: str) -> None:
    """{proof: {ok, time, who}}: when each was last tried, whoever did it."""
    moment = {"time": time.time(), "who": who}
    known = ask_proved() | {name: {"ok": ok} | moment for name, ok in proved.items()}
    common.STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_bytes(common.STATE / "proved.json", json.dumps(known).encode(), 0o600, 0, 0)


ASK: dict[str, Callable[..., Any]] = {
    "file": ask_file,
    "newest": ask_newest,
    "user": ask_user,
    "postconf": ask_postconf,
    "master": ask_master,
    "secret": ask_secret,
    "listening": ask_listening,
    "run": ask_run,
    "probe": ask_probe,
    "ledger": ask_ledger,
    "proved": ask_proved,
}


ASK_TOGETHER: dict[str, Callable[..., Sequence[Any]]] = {
    "unit": ask_units,
    "package": ask_packages,
    "sql": ask_sqls,
}


def tell(facts: Sequence[Fact]) -> list[tuple[Fact, Any]]:
    """[[fact, answer], …].  A question that fails is answered {"error": reason}."""
    alone = [f for f in facts if f[0] in ASK]
    together = [[f for f in facts if f[0] == kind] for kind in ASK_TOGETHER]
    jobs: list[tuple[list[Fact], Callable[[Sequence[Fact]], Sequence[Any]]]]
    jobs = [([f], ask_alone) for f in alone]
    jobs += [(group, ASK_TOGETHER[group[0][0]]) for group in together if group]
    told: list[list[tuple[Fact, Any]]] = [[] for _ in jobs]
    todo = iter(list(enumerate(jobs)))  # one for all threads: each takes the next

    def work() -> None:
        for place, job in todo:
            told[place] = answered(*job)

    side_by_side(work, min(8, len(jobs)))
    return [pair for pairs in told for pair in pairs]


def side_by_side(work: Callable[[], None], hands: int) -> None:
    """`work` in so many threads.  (concurrent.futures takes 11 ms to be imported.)"""
    threads = [threading.Thread(target=work) for _ in range(hands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def ask_alone(facts: Sequence[Fact]) -> list[Any]:
    ((kind, *words),) = facts
    return [ASK[kind](*words)]


def answered(
    facts: Sequence[Fact], ask: Callable[[Sequence[Fact]], Sequence[Any]]
) -> list[tuple[Fact, Any]]:
    try:
        return list(zip(facts, ask(facts), strict=True))
    except Exception as error:  # said to the reader as the answer, never swallowed
        reason = VAULT.hide(f"{error}" or type(error).__name__)
        return [(fact, {"error": reason}) for fact in facts]
