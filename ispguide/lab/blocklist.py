"""blocklist.test, the practice block list: who stands on it, and an outage.

It answers as the large ones do (RFC 5782): 127.0.0.2 for those it lists, nothing for
others, and 127.255.255.254 for everything that is asked through a public resolver.
"""

from __future__ import annotations

import ipaddress

from ispguide.lab.engine import LabProblem
from ispguide.lab.parts import awake


def add(address: str) -> None:
    """Put an address on the list; whoever asks from now on is told."""
    _change("add", address)


def delist(address: str) -> None:
    """Take an address off the list, as the form on a list's page does."""
    _change("delist", address)


def down() -> None:
    """The list answers nobody any more."""
    awake().internet.run(["systemctl", "stop", "blocklist.service"], check=True)


def back() -> None:
    """The list answers again."""
    awake().internet.run(["systemctl", "start", "blocklist.service"], check=True)


def _change(verb: str, address: str) -> None:
    try:
        known = str(ipaddress.ip_address(address))
    except ValueError as error:
        raise LabProblem(
            f"{address!r} is no address.",
            "A block list lists addresses, such as 198.18.0.10 or 2001:db8::10.",
            "Give the address of a machine, not its name.",
        ) from error
    awake().internet.run(["practice-blocklist", verb, known], check=True)
