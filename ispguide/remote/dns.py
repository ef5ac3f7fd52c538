"""Questions to the server's own resolver, as far as Python's library does without one.

It cannot ask for more than addresses, so the question is put together by hand.
Sources: RFC 1035 4.1 (messages), RFC 6840 5.7 (AD in a question), RFC 5782 (block lists).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

from .common import Failed

A, SOA, TLSA = 1, 6, 52
#: Seconds that an answer may take.
PATIENCE = 5
#: Of no use to the world: it sees another one.
PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]


class Silent(Failed):
    """There is a resolver, and it got no answer in time."""


class Said:
    """An answer: its code, whether the signatures were checked, addresses or keys."""

    def __init__(self, rcode: int, checked: bool, found: list[str]) -> None:
        self.rcode, self.checked, self.found = rcode, checked, found


def ask(name: str, kind: int = A, server: str = "127.0.0.1") -> Said:
    """One question.  Raises Silent, or Failed where nobody is there to be asked."""
    labels = b"".join(bytes([len(p)]) + p.encode() for p in name.split(".") if p)
    head = struct.pack("!6H", 4711, 0x0120, 1, 0, 0, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(PATIENCE)
        try:
            line.connect((server, 53))
            line.send(head + labels + b"\0" + struct.pack("!2H", kind, 1))
            return _read(line.recv(4096))
        except TimeoutError:
            raise Silent(
                f"the resolver at {server} got no answer within {PATIENCE} seconds"
            ) from None
        except OSError as error:
            raise Failed(f"the resolver at {server} does not answer: {error}") from None
        except (IndexError, struct.error):
            raise Failed(f"the resolver at {server} gave no whole answer") from None


def _read(said: bytes) -> Said:
    _, flags, _, answers, _, _ = struct.unpack("!6H", said[:12])
    at, found = _end(said, 12) + 4, list[str]()
    for _ in range(answers):
        at = _end(said, at)
        kind, _, _, size = struct.unpack("!2HIH", said[at : at + 10])
        data = said[at + 10 : at + 10 + size]
        if kind == A:
            found.append(socket.inet_ntoa(data))
        if kind == TLSA:
            found.append(f"{data[0]} {data[1]} {data[2]} {data[3:].hex()}")
        at += 10 + size
    # Resolvers turn the records of a name round and round; what is so stays the same.
    return Said(flags & 15, bool(flags & 32), sorted(found))


def _end(said: bytes, at: int) -> int:
    """Where the name that begins here has ended."""
    while said[at] and said[at] < 192:
        at += said[at] + 1
    return at + (2 if said[at] else 1)


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


def is_private(address: str) -> bool:
    """Whether the world sees another address than this one."""
    import ipaddress  # takes 5 ms to be imported

    own = ipaddress.ip_address(address)
    return any(own in ipaddress.ip_network(net) for net in PRIVATE)


def entries(address: str, zone: str) -> list[str]:
    """What a block list says about an address; 127.0.0.x is an entry."""
    import ipaddress

    back = ipaddress.ip_address(address).reverse_pointer.rsplit(".", 2)[0]
    return ask(f"{back}.{zone}").found


def listed(address: str, zone: str) -> bool:
    """Whether it names the address; 127.255.255.x is a refusal, not an entry."""
    return any(found.startswith("127.0.0.") for found in entries(address, zone))
