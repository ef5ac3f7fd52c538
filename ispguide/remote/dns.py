"""Questions to a name server, as far as Python's own library does without one.

Sources: RFC 1035 4.1 (messages), RFC 5782 (block lists).
"""

from __future__ import annotations

import ipaddress
import re
import socket
import struct
from collections.abc import Iterator

from .common import Failed

#: Seconds that an answer may take.
PATIENCE = 5


def addresses(name: str, server: str = "127.0.0.1") -> list[str]:
    """The IPv4 addresses of a name, asked of this server's own resolver."""
    parts = b"".join(bytes((len(p),)) + p.encode() for p in name.split("."))
    head = struct.pack("!6H", 4711, 0x0100, 1, 0, 0, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(PATIENCE)
        try:
            line.connect((server, 53))
            line.send(head + parts + b"\0" + struct.pack("!2H", 1, 1))
            answer = line.recv(4096)
        except OSError as error:
            raise Failed(f"the resolver of this server: {error}") from None
    # An address stands behind: name pointer, type A, class IN, lifetime, length 4.
    found = re.findall(rb"\xc0.\x00\x01\x00\x01.{4}\x00\x04(.{4})", answer, re.S)
    return [socket.inet_ntoa(address) for address in found]


def own_addresses() -> Iterator[str]:
    """The addresses from which this machine speaks to the world."""
    ways = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
    for family, target in ways:
        with socket.socket(family, socket.SOCK_DGRAM) as line:
            try:
                line.connect((target, 9))
            except OSError:
                continue
            yield str(line.getsockname()[0])


def listed(address: str, zone: str) -> bool:
    """Whether a block list names the address; 127.255.255.x is a refusal, not an entry."""
    back = ipaddress.ip_address(address).reverse_pointer.rsplit(".", 2)[0]
    return any(a.startswith("127.0.0.") for a in addresses(f"{back}.{zone}"))
