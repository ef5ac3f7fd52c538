"""What a mail program was told about the server's doors, and whether it is so.

Each door is tried in the way that was named: the host, the port, the encryption, and a
login with the name that was told.
Sources: RFC 8314 (encrypted from the first byte), RFC 2595 and 3207 (STARTTLS).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ispguide.outside import DIRECT
from ispguide.proofs.acting import Context, Verdict

#: Where reading and sending happen, by the word that programs use for it.
PORTS = {"imap": (993, 143), "pop3": (995, 110), "smtp": (465, 587)}


@dataclass(frozen=True)
class Door:
    """What a program is told.  `wrapped`: encrypted from the first byte."""

    kind: str
    host: str
    port: int
    wrapped: bool
    user: str


def tried(ctx: Context, doors: Iterable[Door], want: int) -> Verdict:
    """Each door: the right host, the way it says, and a login as it says."""
    doors, told = list(doors), []
    for door in doors:
        if door.host != ctx.settings.hostname or door.user != ctx.address:
            return False, f"It names {door.host} with the login {door.user}."
        if door.port not in PORTS.get(door.kind, ()):
            return False, f"It names port {door.port} for {door.kind}."
        if door.wrapped != (door.port in DIRECT):
            return False, f"It names the wrong encryption for port {door.port}."
        talk, said = ctx.tried(door.port, ctx.mailbox.password)
        talk.socket.close()
        if not said.good:
            return False, f"At port {door.port} the login is answered {said.brief!r}."
        told.append(f"{door.kind} {door.port}")
    if len(doors) != want:
        return False, f"It names {len(doors)} doors and should name {want}."
    return True, f"Named, and opened: {', '.join(told)}."


def all_doors(ctx: Context) -> int:
    return 6 if ctx.settings.pop3 else 4
