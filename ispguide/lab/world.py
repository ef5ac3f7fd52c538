"""The practice internet: its container, its zones, its authority's roots.

Pebble forgets all it did when it stops and makes a new root at each start, so
the roots of earlier starts are kept beside the newest: certificates issued by
them stay verifiable for a learner.  Nothing here knows the mail server's inside.
Manuals: named.conf(5), pebble's README.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable
from typing import TypeVar

from ispguide.lab import image
from ispguide.lab.box import Box
from ispguide.lab.engine import LabProblem, Watch
from ispguide.lab.network import Network
from ispguide.lab.place import ACME, INTERNET, Place, filled, machine_id, values

T = TypeVar("T")

#: Pebble's address for its own administration, where its roots can be fetched.
MANAGEMENT = 15000


def wait_for(what: str, ask: Callable[[], T | None], seconds: float = 30) -> T:
    """The first answer of `ask` that is not empty; LabProblem after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if answer := ask():
                return answer
        except (OSError, http.client.HTTPException):
            pass  # not yet
        time.sleep(0.03)
    raise LabProblem(
        f"{what} did not answer within {seconds:.0f} seconds.",
        "It answers within three on a computer that is not too busy.",
        "Run ./guide lab down, then ./guide lab up.",
    )


def ensure(box: Box, place: Place, net: Network, watch: Watch) -> None:
    """Have it running, and its authority's newest root at hand."""
    state = box.state()
    if not state:
        made = image.internet(box.engine, watch)
        box.create(made, net, INTERNET, place.lab)
        box.put(filled("internet", values(place, net)) | machine_id())
    if state != "running":
        watch("Starting the practice internet …")
        box.start()
    _fetch_roots(box, place, net)


def _fetch_roots(box: Box, place: Place, net: Network) -> None:
    def ca() -> bytes:
        return box.run(["cat", "/etc/pebble/ca.pem"]).stdout

    place.acme_ca.write_bytes(wait_for("The practice authority", ca))
    root = wait_for("The practice authority", lambda: _root(place, net))
    known = place.ca_file.read_text() if place.ca_file.exists() else ""
    if root not in known:
        place.ca_file.write_text(root + known)


def _root(place: Place, net: Network) -> str:
    """The root that the authority signs with since its start."""
    trust = ssl.create_default_context(cafile=str(place.acme_ca))
    address = net.ip4(INTERNET)
    line = http.client.HTTPSConnection(address, MANAGEMENT, timeout=2, context=trust)
    line.request("GET", "/roots/0")
    return line.getresponse().read().decode()


def reset_zones(box: Box) -> None:
    """Put every zone back to its first state, dynamic updates forgotten."""
    # Killed, not asked: it would first wait for answers that it forwards for others.
    script = "systemctl kill -s KILL named; systemctl stop named; practice-zones"
    box.run(["sh", "-c", f"{script} && systemctl start named"], check=True)


def trusted(place: Place) -> dict[str, bytes]:
    """The files by which a mail server trusts the authority and its roots."""
    return {
        "etc/ssl/practice-acme-ca.pem": place.acme_ca.read_bytes(),
        "etc/ssl/practice-roots.pem": place.ca_file.read_bytes(),
    }


def acme_url() -> str:
    """The authority's directory (RFC 8555 7.1.1)."""
    return f"https://{ACME}:14000/dir"
