"""The nightly look: how this mail server is, in words, and a mail about what changed.

It changes nothing but its own memory.  What it does is told in the head of /usr/local/sbin/ispguide-look.
Manuals: postqueue(1), journalctl(1), systemctl(1).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from email.message import EmailMessage
from pathlib import Path

from .common import Failed, call, last_line, settings, waiting, write_bytes
from .dns import listed, own_addresses

#: Key, state, words, what to do.
Row = tuple[str, str, str, str]
#: The same with its look: {what, key, state, words, do}.
Seen = dict[str, str]

BACKUP = Path("/var/lib/ispguide/backup.json")
STATE = Path("/var/lib/ispguide/look")
#: Programs that must run, where they are installed.
UNITS = (
    "postfix@-",
    "dovecot",
    "mariadb",
    "rspamd",
    "redis-server",
    "apache2",
    "unbound",
    "fail2ban",
    "nftables",
    "ssh",
)
#: From where on to look, and to act.
DISK, FREE_MEMORY, CERTIFICATE_DAYS = (80, 90), (10, 5), (20, 7)
DAY = 86400
#: A queue of so many letters is no holiday of somebody else's server.
MANY_WAIT, MANY_LOGINS = 500, 200
SIGNS = {"fine": "✓", "look": "○", "act": "✗", "unknown": "?"}


class CannotTell(Failed):
    """Something did not answer: neither good nor bad."""


def said(*argv: str) -> str:
    """What a command prints, in English."""
    rc, out, err = call(argv, limit=60)
    if rc:
        raise CannotTell(f"{argv[0]}: {last_line(err.strip() or out)}")
    return out


def number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def span(seconds: float) -> str:
    days, hours, minutes = seconds // DAY, seconds // 3600, seconds // 60
    if days >= 2:
        return f"{days:.0f} days"
    return f"{hours:.0f} hours" if hours >= 2 else f"{minutes:.0f} minutes"


# Every look yields (key, state, words, what to do).  The key is what is compared with
# yesterday, so numbers that move every day do not stand in it.


def services() -> Iterator[Row]:
    names = said("systemctl", "list-units", "--failed", "--plain", "--no-legend")
    bad = {line.split()[0]: "failed" for line in names.splitlines() if line.split()}
    for unit in UNITS:
        show = said(
            "systemctl", "show", "-p", "LoadState,ActiveState,UnitFileState", unit
        )
        state = dict(row.split("=", 1) for row in show.splitlines())
        wanted = state["LoadState"] == "loaded" and state["UnitFileState"] != "disabled"
        if wanted and state["ActiveState"] in ("inactive", "failed"):
            bad.setdefault(f"{unit}.service", "does not run")
    for name, how in sorted(bad.items()):
        yield (
            f"unit {name}",
            "act",
            f"{name} {how}.",
            f"`systemctl status {name}` and `journalctl -u {name} -n 20` tell why. "
            "Then run the guide's check: it names the step that starts it.",
        )
    if not bad:
        yield "services", "fine", "All services run, and none has failed.", ""


def queue() -> Iterator[Row]:
    rows = list(waiting(limit=60))
    if not rows:
        yield "queue", "fine", "No letter waits.", ""
        return
    oldest = min(rows, key=lambda row: row["arrival_time"])
    age = time.time() - oldest["arrival_time"]
    words = f"{number(len(rows), 'letter waits', 'letters wait')}, the oldest for {span(age)}."
    reasons = [r["delay_reason"] for r in oldest["recipients"] if "delay_reason" in r]
    words += f" The reason: {reasons[0]}." if reasons else ""
    trace = f"`./guide trace {oldest['queue_id']}` tells its way."
    if len(rows) >= MANY_WAIT:
        yield (
            "queue full",
            "act",
            words,
            "So many are often spam sent with a stolen "
            "password: `qshape -s deferred` shows whose name is on them.",
        )
    elif age >= DAY:
        yield (
            "queue old",
            "look",
            words,
            f"{trace} Postfix tries for five days, then the sender is told.",
        )
    else:
        yield "queue", "fine", words, "Postfix tries again by itself."


def disk() -> Iterator[Row]:
    seen = set()
    for place in ("/", "/var", "/var/vmail", "/var/lib/mysql"):
        if not os.path.isdir(place) or os.stat(place).st_dev in seen:
            continue
        seen.add(os.stat(place).st_dev)
        room = os.statvfs(place)
        used = 100 * (
            1 - room.f_bavail / max(room.f_blocks - room.f_bfree + room.f_bavail, 1)
        )
        small = 100 * (1 - room.f_favail / room.f_files) if room.f_files else 0
        for what, share in (("room", used), ("room for small files", small)):
            state = (
                "act" if share >= DISK[1] else "look" if share >= DISK[0] else "fine"
            )
            if what == "room" or state != "fine":
                free = room.f_bavail * room.f_frsize / 1e9
                do = (
                    ""
                    if state == "fine"
                    else f"`du -xh {place} | sort -h | tail` shows what is big."
                )
                yield (
                    f"disk {place} {what}",
                    state,
                    f"{share:.0f} % of the {what} on {place} is taken; {free:.1f} GB are free.",
                    do,
                )


def memory() -> Iterator[Row]:
    rows = dict(
        line.split(":") for line in Path("/proc/meminfo").read_text().splitlines()
    )
    total, free = (
        int(rows[name].split()[0]) / 1024 for name in ("MemTotal", "MemAvailable")
    )
    share = 100 * free / total
    state = (
        "act"
        if share < FREE_MEMORY[1]
        else "look"
        if share < FREE_MEMORY[0]
        else "fine"
    )
    do = "" if state == "fine" else "`ps aux --sort=-rss | head` shows who takes it."
    yield "memory", state, f"{free:.0f} of {total:.0f} MB of memory can be used.", do


def certificate() -> Iterator[Row]:
    end = said(
        "openssl",
        "x509",
        "-enddate",
        "-noout",
        "-in",
        f"/etc/letsencrypt/live/{settings()['hostname']}/fullchain.pem",
    )
    days = (ssl.cert_time_to_seconds(end.strip().partition("=")[2]) - time.time()) / DAY
    look, act = CERTIFICATE_DAYS
    state = "act" if days < act else "look" if days < look else "fine"
    left = f"ends in {days:.0f} days" if days > 0 else f"ended {-days:.0f} days ago"
    do = (
        ""
        if state == "fine"
        else (
            "It should have been renewed. `systemctl status certbot` and "
            "`certbot renew --dry-run` tell what stands in the way."
        )
    )
    yield "certificate", state, f"The certificate {left}.", do


def block_list() -> Iterator[Row]:
    # Every list has an entry for 127.0.0.2; without an answer nothing can be told.
    zone = str(settings()["block_list"])
    if not listed("127.0.0.2", zone):
        raise CannotTell(f"{zone} does not answer this server")
    fine = []
    for own in own_addresses():
        if listed(own, zone):
            yield (
                f"listed {own}",
                "act",
                f"{own} stands on {zone}: many servers refuse our mail.",
                "First find out why (a stolen password, a forwarding of spam), then ask for "
                "removal on the list's own web page.",
            )
        else:
            fine.append(str(own))
    if fine:
        yield "block list", "fine", f"{zone} does not name {' or '.join(fine)}.", ""


def backup() -> Iterator[Row]:
    if not BACKUP.exists():
        yield (
            "backup none",
            "look",
            "There is no backup yet.",
            "Chapter 20 makes one every night. Until then a broken disk takes all mail along.",
        )
        return
    told = json.loads(BACKUP.read_text())
    age = time.time() - float(told["time"])
    words = f"The last backup was made {span(age)} ago."
    if not told.get("ok"):
        why = told.get("failed") or told.get("why") or "it does not say why"
        yield (
            "backup failed",
            "act",
            f"The last backup failed {span(age)} ago: {why}.",
            "`journalctl -u ispguide-backup -n 30` tells more.",
        )
    elif age > 2 * DAY:
        yield (
            "backup old",
            "act",
            words,
            "It should be made every night: `systemctl status ispguide-backup.timer`.",
        )
    else:
        yield "backup", "fine", words, ""


#: How a failed login looks in the journal; the address is what is found.
FAILED = (
    r"auth failed, \d+ attempts.* rip=([0-9a-fA-F.:]+)",
    r"\[([0-9a-fA-F.:]+)\]: SASL \S+ authentication failed",
    r"(?:Failed password|Invalid user) .*from ([0-9a-fA-F.:]+)",
)


def logins() -> Iterator[Row]:
    programs = (
        "dovecot",
        "sshd",
        "postfix/smtpd",
        "postfix/submission/smtpd",
        "postfix/submissions/smtpd",
    )
    text = said(
        "journalctl",
        "-q",
        "--no-pager",
        "-o",
        "cat",
        "--since=-24h",
        *(f"--identifier={name}" for name in programs),
    )
    who = Counter(
        address for pattern in FAILED for address in re.findall(pattern, text)
    )
    count = sum(who.values())
    if not count:
        yield "logins", "fine", "Nobody failed to log in during the last 24 hours.", ""
        return
    most, times = who.most_common(1)[0]
    words = (
        f"{number(count, 'failed login', 'failed logins')} in 24 hours, from "
        f"{number(len(who), 'address', 'addresses')}; most from {most} ({times})."
    )
    if count < MANY_LOGINS:
        yield (
            "logins",
            "fine",
            words,
            "A few are normal on every server: robots try words.",
        )
    else:
        yield (
            "logins many",
            "look",
            words,
            "Is it a device of yours with an old password? "
            "Else fail2ban (chapter 16) should ban it.",
        )


def updates() -> Iterator[Row]:
    text = said("apt-get", "-s", "-o", "Debug::NoLocking=1", "dist-upgrade")
    waiting = re.findall(r"^Inst .*$", text, re.M)
    security = [row for row in waiting if "Debian-Security" in row]
    if security:
        yield (
            "updates",
            "look",
            f"{number(len(security), 'security update waits', 'security updates wait')}.",
            "They should install themselves at night: `journalctl -u apt-daily-upgrade -n 20`. "
            "By hand: `apt-get update && apt-get upgrade`.",
        )
    else:
        others = (
            f" {number(len(waiting), 'other', 'others')} can be installed."
            if waiting
            else ""
        )
        yield "updates none", "fine", f"No security update waits.{others}", ""
    if os.path.exists("/run/reboot-required"):
        yield (
            "reboot",
            "look",
            "An update is installed that counts only after a restart of the machine.",
            "Choose a quiet hour: `systemctl reboot`.",
        )


def notes(state: Path) -> Iterator[Row]:
    folder = state / "notes"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        first = (path.read_text(errors="replace").strip().splitlines() or ["(empty)"])[
            0
        ]
        yield (
            f"note {path.name}",
            "look",
            first,
            f"It stands in {path}; remove that file when it is done.",
        )


def look(state: Path, only: Collection[str]) -> list[Seen]:
    """Everything, as rows; what could not be told says so."""
    looks: dict[str, Callable[[], Iterable[Row]]] = {
        "services": services,
        "queue": queue,
        "disk": disk,
        "memory": memory,
        "certificate": certificate,
        "block list": block_list,
        "backup": backup,
        "logins": logins,
        "updates": updates,
        "notes": lambda: notes(state),
    }
    rows = []
    for what, ask in looks.items():
        if only and what not in only:
            continue
        try:
            found = list(ask())
        except (Failed, OSError, ValueError, KeyError) as error:
            found = [(f"{what} unknown", "unknown", f"Could not tell: {error}.", "")]
        rows += [
            dict(
                zip(("what", "key", "state", "words", "do"), (what, *row), strict=True)
            )
            for row in found
        ]
    return rows


def changes(
    rows: Iterable[Seen], before: dict[str, Seen]
) -> tuple[dict[str, Seen], list[Seen], list[Seen]]:
    """(what is to be remembered, what is new, what is over).

    Who could not tell tonight has neither found nor lost anything."""
    now = {row["key"]: row for row in rows if row["state"] in ("look", "act")}
    unsure = {row["what"] for row in rows if row["state"] == "unknown"}
    now |= {k: r for k, r in before.items() if r["what"] in unsure and k not in now}
    new = [
        r for k, r in now.items() if k not in before or before[k]["state"] != r["state"]
    ]
    over = [r for k, r in before.items() if k not in now]
    return now, new, over


def report(to: str, new: Sequence[Seen], over: Sequence[Seen]) -> bytes:
    mail = EmailMessage()
    name = settings()["hostname"]
    mail["From"], mail["To"] = f"{name} <root@{name}>", to
    mail["Subject"] = f"{name}: {number(len(new) + len(over), 'change', 'changes')}"
    mail["Auto-Submitted"] = "auto-generated"
    text = [f"What changed on {name} since the last look:", ""]
    for row in new:
        word = "ACT" if row["state"] == "act" else "LOOK"
        text += [f"* {word}: {row['words']}", f"  {row['do']}", ""]
    text += [line for row in over for line in (f"* OVER: {row['words']}", "")]
    text += [
        "Everything at once: ispguide-look on the server, or ./guide health.",
        "When nothing changes, no such mail is sent.",
    ]
    mail.set_content("\n".join(text) + "\n")
    return mail.as_bytes()


def mail_changes(rows: Iterable[Seen], state: Path, to: str) -> None:
    memory = state / "yesterday.json"
    before = json.loads(memory.read_text()) if memory.exists() else {}
    now, new, over = changes(rows, before)
    if not new and not over:
        print("Nothing changed, so no mail.")
        return
    # First the mail, then the memory: better told twice than never.
    subprocess.run(
        ["/usr/sbin/sendmail", "-i", "-t"], input=report(to, new, over), check=True
    )
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_bytes(
        memory, json.dumps(now, ensure_ascii=False, indent=1).encode(), 0o600, 0, 0
    )
    print(f"Mailed {number(len(new) + len(over), 'change', 'changes')} to {to}.")


def main() -> None:
    words = argparse.ArgumentParser(description="Looks at this mail server.")
    words.add_argument("--json", action="store_true")
    words.add_argument("--mail", action="store_true", help="mail what changed")
    words.add_argument("--to", default=settings()["postmaster"], help="to whom")
    words.add_argument("--state", type=Path, default=STATE, help="where it remembers")
    words.add_argument(
        "--only", nargs="*", help="look at these alone, as in: --only disk"
    )
    chosen = words.parse_args()
    rows = look(chosen.state, chosen.only)
    if chosen.mail:
        mail_changes(rows, chosen.state, chosen.to)
    elif chosen.json:
        print(json.dumps({"time": time.time(), "looks": rows}, ensure_ascii=False))
    else:
        for row in rows:
            print(
                f"{SIGNS[row['state']]} {row['state']:7}  {row['what']:12} {row['words']} {row['do']}".rstrip()
            )
