"""The budgets, measured on a practice server of its own: `python -m tests.benchmark`.

Not a test: a figure depends on the machine.  Prints one line per budget, with the
budget beside it.  `--apt` also installs the same packages by apt-get alone, on
another fresh server, for comparison.
"""

from __future__ import annotations

import os
import queue
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

DELAY = 0.020  # one way, in seconds: a link with a round trip of 40 ms


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def say(what: str, seconds: float, budget: str, note: str = "") -> None:
    print(f"{what:58} {seconds:8.2f}   {budget:22} {note}", flush=True)


def cli(*words: str) -> None:
    code = f"import sys; sys.argv[1:] = {list(words)!r}; from ispguide.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def slow_link(host: str) -> int:
    """A port on loopback that leads to the server's SSH, 20 ms later each way."""
    door = socket.create_server(("127.0.0.1", 0))

    def carry(source: socket.socket, target: socket.socket) -> None:
        target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire: queue.Queue[tuple[float, bytes]] = queue.Queue()
        threading.Thread(target=arrive, args=(wire, target), daemon=True).start()
        while data := source.recv(65536):
            wire.put((time.monotonic() + DELAY, data))

    def arrive(wire: queue.Queue[tuple[float, bytes]], target: socket.socket) -> None:
        while True:
            due, data = wire.get()
            time.sleep(max(0.0, due - time.monotonic()))
            target.sendall(data)

    def serve() -> None:
        while True:
            near, _ = door.accept()
            far = socket.create_connection((host, 22))
            for pair in ((near, far), (far, near)):
                threading.Thread(target=carry, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return int(door.getsockname()[1])


def check_seconds(profile: Any) -> float:
    """Median of five checks of the whole guide, each with its own connection."""
    from ispguide.chapters import GUIDE
    from ispguide.engine.guide import Guide
    from ispguide.engine.server import Server
    from ispguide.tasks.base import World

    found = []
    for _ in range(5):
        with Server(profile) as server:
            guide = Guide(server, profile.settings, GUIDE, World(server))
            seconds, report = timed(guide.check)
        assert report.ok and report.exchanges == 1, report.text()
        found.append(seconds)
    return statistics.median(found)


def slowest() -> None:
    """The steps that took longest, by the ledger's clock."""
    from ispguide import tasks

    ledger = tasks.history(tasks.HERE)
    ends = {e["step"]: e["time"] for e in ledger}
    marks = [ledger[0]["time"], *ends.values()]
    spans = sorted(
        zip((b - a for a, b in zip(marks, marks[1:], strict=False)), ends, strict=False)
    )
    for seconds, step in spans[:-11:-1]:
        say(f"    {step}", seconds, "")


def memory_mb() -> float:
    """PSS of every process of the practice server, read from its host as root."""
    from ispguide.lab import practice

    box = practice.current().mail
    pid = box.engine.text("inspect", "-f", "{{.State.Pid}}", box.name)
    space = str(Path(f"/proc/{pid}/ns/pid").readlink())
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str((process / "ns/pid").readlink()) == space:
                lines = (process / "smaps_rollup").read_text().splitlines()
                total += next(int(x.split()[1]) for x in lines if x.startswith("Pss:"))
        except (OSError, StopIteration):
            continue  # it ended meanwhile, or has no memory of its own
    return total / 1024


def rented() -> None:
    """Without the quicker dpkg that only practice servers have."""
    from ispguide import lab

    lab.mail_run(["rm", "/etc/apt/apt.conf.d/99practice"])


def apt_alone() -> float:
    """The same packages by apt-get alone, on a fresh server from the same image."""
    from ispguide import lab
    from ispguide.chapters.packages import POSTFIX, chosen
    from ispguide.tasks.base import known_settings

    lab.reset()
    rented()
    names = " ".join(chosen(known_settings()))
    script = (
        f"echo '{POSTFIX}' | debconf-set-selections; export DEBIAN_FRONTEND=noninteractive; "
        f"apt-get -q -y --no-install-recommends install {names}"
    )
    return timed(lambda: lab.mail_run(["sh", "-c", script]))[0]


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["ISPGUIDE_HOME"] = home
        from ispguide import lab

        lab.up()
        try:
            measure("--apt" in sys.argv)
        finally:
            lab.down()


def measure(with_apt: bool) -> None:
    from ispguide import lab, tasks
    from ispguide.engine.profile import Profile

    from .practice.test_people import many

    say(
        "fresh practice server answering SSH (image built)",
        timed(lab.reset)[0],
        "<= 3 s",
    )
    seconds, report = timed(lambda: tasks.apply(tasks.HERE))
    assert report.ok, report.text()
    say("whole install, bare practice server, proofs included", seconds, "<= 60 s")
    proofs, _ = timed(lambda: tasks.prove(tasks.HERE))
    say("  of this the proofs", proofs, "")
    slowest()
    again = tasks.apply(tasks.HERE)
    say("second apply: actions", again.actions, "0")
    profile = Profile.load("practice")
    say("whole check, near", check_seconds(profile), "<= 0.5 s")
    known = Path(os.environ["ISPGUIDE_HOME"]) / "far_hosts"
    port = slow_link(profile.host)
    known.write_text(
        f"[127.0.0.1]:{port} " + Path(profile.known_hosts).read_text().split(" ", 1)[1]
    )
    far = replace(profile, host="127.0.0.1", port=port, known_hosts=str(known))
    say("whole check, 40 ms round trip", check_seconds(far), "<= 0.8 s")
    with many():
        say(
            "whole check, 1,000 people in 10 domains", check_seconds(profile), "as near"
        )
    for path, step in (
        ("/etc/dovecot/conf.d/99-ispguide-tls.conf", "dovecot.encryption"),
        ("/etc/postfix/mysql-email2email.cf", "postfix.aliases"),
    ):
        lab.mail_run(["sh", "-c", f"echo '# x' >> {path}"])
        seconds, _ = timed(lambda step=step: tasks.apply(tasks.HERE, [step]))
        say(f"repair of {path}", seconds, "<= 2 s")
    say("memory of the finished server, MB PSS", memory_mb(), "<= 700")
    code = "import time; t=time.perf_counter(); import ispguide; print(time.perf_counter()-t)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    say("import ispguide", float(out.stdout), "<= 0.25 s")
    if with_apt:
        lab.reset()
        rented()
        seconds, _ = timed(lambda: tasks.apply(tasks.HERE))
        say("whole install as on a rented server, without proofs", seconds - proofs, "")
        say(
            "apt-get install of the same packages, alone", apt_alone(), "for comparison"
        )


if __name__ == "__main__":
    main()
