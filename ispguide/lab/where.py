"""Where everything of a lab is, as `lab status` tells people and programs.

Passwords are not told, only the files they lie in.  Starts and asks nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ispguide.lab.filling import FRIEND, INTERNET, MAIL, PUBLIC
from ispguide.lab.network import Network
from ispguide.lab.place import HOSTNAME, Place

#: What a mail server may answer on.
PORTS = (22, 25, 53, 80, 110, 143, 443, 465, 587, 993, 995, 4190)
DOMAIN = HOSTNAME.partition(".")[2]


@dataclass(frozen=True)
class Status:
    """Where everything is.  `net` is None when there never was a network."""

    running: bool
    place: Place
    net: Network | None

    def as_dict(self) -> dict[str, Any]:
        """As `lab status --json` prints it."""
        net = self.net
        return {
            "running": self.running,
            "resolver": [net.ip4(INTERNET), 53] if net else None,
            "public_resolver": [net.ip4(PUBLIC), 53] if net else None,
            "trust_anchors": str(self.place.anchors),
            "ca_file": str(self.place.ca_file),
            "friend": self._friend(net.ip4(FRIEND)) if net else None,
            "seats": [self._seat(net.ip4(MAIL))] if net else [],
        }

    def _friend(self, address: str) -> dict[str, Any]:
        """The provider elsewhere: its mailbox, and its login for those who relay."""
        return {
            "hostname": "mail.friend.test",
            "address": address,
            "ports": {str(port): [address, port] for port in (25, 587, 993)},
            "ca_file": str(self.place.acme_ca),
            "user": "ben@friend.test",
            "password_file": str(self.place.password("ben")),
            "relay_user": "relay@friend.test",
            "relay_password_file": str(self.place.password("relay")),
        }

    def _seat(self, address: str) -> dict[str, Any]:
        ssh = {
            "host": address,
            "port": 22,
            "user": "root",
            "key": str(self.place.key),
            "known_hosts": str(self.place.known_hosts),
        }
        names = {"name": "practice", "hostname": HOSTNAME, "domain": DOMAIN}
        ports = {str(port): [address, port] for port in PORTS if port != 53}
        return {**names, "address": address, "ssh": ssh, "ports": ports}
