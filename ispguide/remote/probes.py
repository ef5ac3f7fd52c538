"""Probes: questions that take more than one command, each a small program of its own.

Each says True, False, or None where it could not tell, and shows why in a few lines.
They change nothing.  Sources: RFC 5782 (block lists),
https://www.spamhaus.org/faqs/dnsbl-usage/ (127.255.255.x).
"""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

from . import dns
from .common import Failed

TYPE_CHECKING = False  # typing itself would take 5 ms at each start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Told = tuple[bool | None, str]


def resolves(name: str) -> Told:
    """Whether a resolver answers at all; what it says is all the same."""
    try:
        return True, str(socket.getaddrinfo(name, None)[0][4][0])
    except socket.gaierror as error:
        return error.errno != socket.EAI_AGAIN, str(error)


#: Kind of address → (its family, somewhere in the world).
WAYS = {
    "IPv4": (socket.AF_INET, "192.0.2.1"),
    "IPv6": (socket.AF_INET6, "2001:db8::1"),
}


def port_25(name: str, instead: str = "") -> Told:
    """Knocks at port 25 of a mail server everybody knows, by both kinds of address.

    IPv6 counts only where this machine has it: else there is no way to be blocked.
    Both together must be told within the ten seconds that a question has.
    `instead`: why it is no fault when nobody answers, if it is none."""
    lines, good = list[str](), list[bool]()
    for kind, (family, target) in WAYS.items():
        try:
            address = socket.getaddrinfo(name, 25, family)[0][4]
            with socket.socket(family, socket.SOCK_DGRAM) as way:
                way.connect((target, 9))
        except OSError:
            continue
        try:
            with socket.create_connection((str(address[0]), 25), 4) as line:
                lines.append(f"{kind} {line.recv(200).decode().strip()}")
            good.append(True)
        except OSError as error:
            lines.append(f"{kind} {error}")
            good.append(False)
    if not good:
        return None, "no way to the internet from here, or no resolver"
    if not all(good) and instead:
        return None, "\n".join([*lines, instead])
    return all(good), "\n".join(lines)


def listed(zone: str) -> Told:
    """Whether a block list names this machine, asked of whatever resolver it has."""

    def ask(name: str) -> str:
        try:
            return socket.gethostbyname(f"{name}.{zone}")
        except OSError:
            return ""

    own = next((a for a in dns.own_addresses() if "." in a), "")
    if not own or dns.is_private(own):
        return None, f"its public address is not known to the machine itself: {own}"
    if not ask("2.0.0.127").startswith("127.0.0."):
        return None, "the block list does not answer this resolver"
    found = ask(".".join(reversed(own.split("."))))
    return not found.startswith("127.0.0."), f"{own} {found}"


def signatures(name: str) -> Told:
    """Whether the answer about a signed zone says that its signatures were checked."""
    lines = list[str]()
    for zone in (name, ""):
        said = dns.ask(zone, dns.SOA)
        what = "signed, and checked" if said.checked else f"no signature seen (code {said.rcode})"  # fmt: skip
        lines.append(f"{zone or 'the root'}: {what}")
        if said.checked:
            return True, "\n".join(lines)
    return False, "\n".join(lines)


def tlsa_records(name: str) -> Told:
    """The keys promised at a name (TLSA), and first whether that was checked."""
    said = dns.ask(name, dns.TLSA)
    first = "checked" if said.checked else "not checked"
    return True, "\n".join([first, *said.found])


def list_answers(zone: str) -> Told:
    """Every list has an entry for 127.0.0.2, so that one can see whether it answers."""
    found = dns.entries("127.0.0.2", zone)
    told = " ".join(["127.0.0.2:", *(found or ["no answer"])])
    if any(a.startswith("127.0.0.") for a in found):
        return True, told
    if any(a.startswith("127.255.255.") for a in found):
        why = "the list refuses this resolver: it takes it for a public or a busy one"
        return None, f"{told}\n{why}"
    return None, f"{told}\nthe list does not answer at all"


def not_listed(zone: str) -> Told:
    """Its own addresses, as the world sees them, asked of the list."""
    if not dns.listed("127.0.0.2", zone):
        return None, "the list does not answer this resolver"
    lines, named = list[str](), list[bool]()
    for own in dns.own_addresses():
        if dns.is_private(own):
            lines.append(f"{own} is not the address the world sees")
            continue
        found = [a for a in dns.entries(own, zone) if a.startswith("127.0.0.")]
        lines.append(" ".join([own, *(found or ["is not listed"])]))
        named.append(bool(found))
    return (not any(named) if named else None), "\n".join(lines)


#: What the last look at both servers found, while a server moves.
MOVING = Path("/var/lib/ispguide/moving.json")


def all_came() -> Told:
    """Whether a message of the old server is missing here, as last counted."""
    if not MOVING.exists():
        return True, "there is no older server"
    boxes = json.loads(MOVING.read_text())["letters"]
    late = [f"{w}: {n[0]} there, {n[1]} here" for w, n in boxes.items() if n[1] < n[0]]
    return not late, "; ".join(late) or f"{len(boxes)} mailboxes are whole"


def health() -> Told:
    """What the nightly look says now, as JSON."""
    from . import look

    rows = look.look(look.STATE, ())
    return True, json.dumps({"time": time.time(), "looks": rows}, ensure_ascii=False)


def inventory() -> Told:
    """What the server holds, counted and hashed, as JSON."""
    from .inventory import inventory as counted

    return True, json.dumps(counted())


def flow(days: str) -> Told:
    """The mail of so many days, counted by the hour, as JSON."""
    from .flow import counted

    return True, json.dumps(counted(int(days)))


PROBES: dict[str, Callable[..., Told]] = {
    probe.__name__: probe
    for probe in (
        resolves, port_25, listed, signatures, tlsa_records, list_answers, not_listed,
        all_came, health, inventory, flow,
    )
}  # fmt: skip


def answer(name: str, *words: str) -> dict[str, Any]:
    """As a command would answer: {rc, out, err}; 75 is "could not tell" (sysexits.h)."""
    try:
        if name not in PROBES:
            raise Failed(f"nobody knows the probe {name}")
        verdict, text = PROBES[name](*words)
    except dns.Silent as silent:
        verdict, text = None, str(silent)
    except Failed as failure:
        verdict, text = False, str(failure)
    return {"rc": {True: 0, False: 1, None: 75}[verdict], "out": f"{text}\n", "err": ""}
