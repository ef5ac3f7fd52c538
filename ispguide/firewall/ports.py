"""Doors that stay open: those of the guide's programs, of SSH, and the reader's own.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ispguide.problems import PORT, words

if TYPE_CHECKING:
    from ispguide.settings import Settings

#: Port → whose it is; those of POP3 only where it is wanted.
MAIL = {25: "letters from other servers", 465: "sending", 587: "sending"}
READING = {143: "reading", 993: "reading"}
POP3 = {110: "fetching (POP3)", 995: "fetching (POP3)"}
WEB = {80: "the web, to be sent on", 443: "the web"}


def mail_and_web(s: Settings) -> dict[int, str]:
    """The doors of what the guide builds."""
    return MAIL | READING | (POP3 if s.pop3 else {}) | WEB


def own(text: str) -> dict[str, list[int]]:
    """{"tcp": […], "udp": […]} of doors as the reader writes them: 8080, 51820/udp."""
    found: dict[str, set[int]] = {"tcp": set(), "udp": set()}
    for word in words(text):
        if match := PORT.fullmatch(word):
            found[match[2] or "tcp"].add(int(match[1]))
    return {kind: sorted(ports) for kind, ports in found.items()}


def of_ssh(listening: Iterable[tuple[str, int, str]], came_by: str) -> list[int]:
    """Where sshd answers the world, and the port we came in by.

    sshd also holds ports for those who forward theirs, on the machine itself."""
    inside = ("127.", "::1", "[::1")
    found = {
        int(port)
        for address, port, program in listening
        if program == "sshd" and not str(address).startswith(inside)
    }
    return sorted(found | {int(word) for word in came_by.split() if word.isdigit()})
