"""Takes out of a recording what belongs to the computer on which it was made.

Hosts of package archives become mirror.example, whoever recorded becomes you@replay,
name servers of that computer become a documentation address, and the practice network
moves to the first of its places.  Passwords need nothing here: the server itself says
markers.
"""

from __future__ import annotations

import getpass
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ispguide.replay.recording import WHO

MIRROR = "mirror.example"
_RESERVED = re.compile(r"(\.|^)(test|example|localhost)$")
#: Where a host is one of a package archive: progress of apt, and its sources.
_ARCHIVE = re.compile(
    r"(?:^(?:Get|Hit|Ign|Err):\d+ |^\s*deb(?:-src)? (?:\[[^]]*\] )?|^URIs: )"
    r"(?:https?|ftp)://([^\s/]+)",
    re.M,
)


def scrubbed(text: str, known: Mapping[str, str]) -> str:
    """The text with the words of `known` replaced, the longest first."""
    for word in sorted(known, key=len, reverse=True):
        text = re.sub(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", known[word], text)
    return text


def mirrors(found: Any) -> dict[str, str]:
    """The hosts of package archives that lines and answers name."""
    hosts = {host for text in _texts(found) for host in _ARCHIVE.findall(text)}
    return {host: MIRROR for host in hosts if not _RESERVED.search(host)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, Iterable):
        for part in value:
            yield from _texts(part)


def of_this_computer() -> dict[str, str]:
    """Who records, and the name servers this computer asks."""
    who = f"{getpass.getuser()}@{socket.gethostname()}"
    text = Path("/etc/resolv.conf").read_text()
    resolvers = re.findall(r"^nameserver\s+(\S+)", text, re.M)
    return {who: WHO} | {r: "192.0.2.53" for r in resolvers if not r.startswith("127.")}


def moved(text: str, host: str) -> str:
    """The text with the practice network of `host` in its first place, forwards and
    backwards; see `lab/network.py`."""
    a, b, c, _ = host.split(".")
    place = (int(b) - 18) * 256 + int(c)
    v6, digits = f"2001:db8:{place:x}:", f"{place:04x}"[::-1]
    back6 = ".".join(digits) + ".8.b.d.0.1.0.0.2"
    words = {
        f"{a}.{b}.{c}.": "198.18.1.", f"{c}.{b}.{a}.": "1.18.198.",
        v6: "2001:db8:1:", back6: "1.0.0.0.8.b.d.0.1.0.0.2",
        f"02:c6:12:{place // 256:02x}:{place % 256:02x}:": "02:c6:12:00:01:",
    }  # fmt: skip
    for old, new in words.items():
        text = re.sub(rf"(?<![0-9a-f:]){re.escape(old)}", new, text)
    return text
