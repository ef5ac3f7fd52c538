"""What a provider does to its customers: port 25 closed to the world.

The packets are dropped on their way into the practice internet, as a provider drops
them; the practice server itself does not notice why.  Manual: nft(8).
"""

from __future__ import annotations

import ipaddress

from ispguide.lab.engine import LabProblem
from ispguide.lab.filling import MAIL
from ispguide.lab.practice import awake

# blocklist.test, the practice block list: who stands on it, and an outage.
#
# It answers as the large ones do (RFC 5782): 127.0.0.2 for those it lists, nothing for
# others, and 127.255.255.254 for everything that is asked through a public resolver.


def block(address: str) -> None:
    """Put an address on the list; whoever asks from now on is told."""
    _change("add", address)


def unblock(address: str) -> None:
    """Take an address off the list, as the form on a list's page does."""
    _change("delist", address)


def blocklist_down() -> None:
    """The list answers nobody any more."""
    awake().internet.run(["systemctl", "stop", "blocklist.service"], check=True)


def blocklist_back() -> None:
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


# What a provider does to its customers: port 25 closed to the world.


_RULES = """add table inet provider
flush table inet provider
add chain inet provider input {{ type filter hook input priority 0; }}
add rule inet provider input ip saddr {four} tcp dport 25 drop
"""


def close_port_25() -> None:
    """The practice server reaches nobody's port 25 any more."""
    lab = awake()
    net = lab.network()
    rules = _RULES.format(four=net.ip4(MAIL))
    if net.six:
        rules += f"add rule inet provider input ip6 saddr {net.ip6(MAIL)} tcp dport 25 drop\n"
    lab.internet.run(["nft", "-f", "-"], rules.encode(), check=True)


def open_port_25() -> None:
    """It reaches them again."""
    # Added first, so that there is one to delete.
    rules = b"add table inet provider\ndelete table inet provider\n"
    awake().internet.run(["nft", "-f", "-"], rules, check=True)
