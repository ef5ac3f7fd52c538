"""What a provider does to its customers: port 25 closed to the world.

The packets are dropped on their way into the practice internet, as a provider drops
them; the practice server itself does not notice why.  Manual: nft(8).
"""

from __future__ import annotations

from ispguide.lab.filling import MAIL
from ispguide.lab.parts import awake

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
