"""The practice internet: its container, its zones, its authority's roots.

Pebble forgets all it did when it stops and makes a new root at each start, so
the roots of earlier starts are kept beside the newest: certificates issued by
them stay verifiable for a learner.  Nothing here knows the mail server's inside.
Manuals: named.conf(5), pebble's README.
"""

from __future__ import annotations

import http.client
import io
import ssl
import tarfile
import time
from collections.abc import Callable
from typing import TypeVar

from ispguide.lab import image
from ispguide.lab.box import Box
from ispguide.lab.engine import LabProblem, Watch
from ispguide.lab.filling import INTERNET, filled, machine_id, tar, values
from ispguide.lab.network import Network
from ispguide.lab.place import ACME, Place

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


def ensure(box: Box, place: Place, net: Network, watch: Watch) -> bool:
    """Have it running, its keys and its authority's newest root at hand.

    True when the authority has begun anew, and knows no account."""
    return known(box, place, net, begun=begin(box, place, net, watch))


def begin(box: Box, place: Place, net: Network, watch: Watch) -> bool:
    """Have it starting at least, so that others can start meanwhile; True if it is."""
    state = box.state()
    if state and box.recipe() != image.recipe():
        watch("The practice internet is of another version. Making it anew …")
        box.remove()
        state = ""
    if not state:
        _create(box, place, net, watch)
    if state != "running":
        watch("Starting the practice internet …")
        box.start()
    return state != "running"


def known(box: Box, place: Place, net: Network, begun: bool) -> bool:
    """Wait for its keys and its authority's root; whether the root is a new one."""
    if begun or not place.identity.exists():
        _keep_identity(box, place)
    return _fetch_root(place, net)


def _create(box: Box, place: Place, net: Network, watch: Watch) -> None:
    """A new container; with the old keys, what trusted the last one trusts it."""
    made = image.internet(box.engine, watch)
    archives = [tar(filled("internet", values(place, net)) | machine_id())]
    if place.identity.exists():
        archives.append(place.identity.read_bytes())
    box.create(made, net, INTERNET, place.lab, archives, image.recipe())


#: Prints the keys as an archive once all are there.  It waits inside: to enter the
#: container again and again would take the time that its start needs.
_IDENTITY = """cd /run
until [ -e practice-zone-keys ] && [ -e practice-authority-keys ]; do sleep .02; done
tar -C / -c var/lib/practice"""


def _keep_identity(box: Box, place: Place) -> None:
    def archive() -> bytes:
        return box.run(["timeout", "30", "sh", "-c", _IDENTITY]).stdout

    found = wait_for("The practice internet", archive)
    place.identity.touch(mode=0o600)
    place.identity.write_bytes(found)
    with tarfile.open(fileobj=io.BytesIO(found)) as opened:
        for path, name in (
            (place.acme_ca, "ca.pem"),
            (place.anchors, place.anchors.name),
        ):
            if member := opened.extractfile(f"var/lib/practice/{name}"):
                path.write_bytes(member.read())


def _fetch_root(place: Place, net: Network) -> bool:
    """Keep the root the authority signs with; whether it is a new one."""
    root = wait_for("The practice authority", lambda: _root(place, net))
    known = place.ca_file.read_text() if place.ca_file.exists() else ""
    if root in known:
        return False
    place.ca_file.write_text(root + known)
    return True


def _root(place: Place, net: Network) -> str:
    """The root that the authority signs with since its start."""
    trust = ssl.create_default_context(cafile=str(place.acme_ca))
    address = net.ip4(INTERNET)
    line = http.client.HTTPSConnection(address, MANAGEMENT, timeout=2, context=trust)
    line.request("GET", "/roots/0")
    return line.getresponse().read().decode()


def reset_zones(box: Box) -> None:
    """Put every zone back to its first state, dynamic updates forgotten."""
    with_zones(box, "practice-zones")


def with_zones(box: Box, command: str) -> None:
    """Run this on the files of the zones and of the block list, nobody serving them:
    named keeps changes in memory."""
    # Killed, not asked: it would first wait for answers that it forwards for others.
    script = f"systemctl kill -s KILL named; systemctl stop named; {command}"
    script += " && systemctl start named && systemctl restart blocklist"
    box.run(["sh", "-c", script], check=True)


def trusted(place: Place) -> dict[str, bytes]:
    """The files by which a mail server trusts the authority and its roots."""
    return {
        "etc/ssl/practice-acme-ca.pem": place.acme_ca.read_bytes(),
        "etc/ssl/practice-roots.pem": place.ca_file.read_bytes(),
        # Debian's own list of authorities takes it up when it is made: as far as
        # this server goes, the world trusts them.
        "usr/local/share/ca-certificates/practice.crt": place.acme_ca.read_bytes(),
        "usr/share/dns/practice.ds": place.anchors.read_bytes(),
    }


def acme_url() -> str:
    """The authority's directory (RFC 8555 7.1.1)."""
    return f"https://{ACME}:14000/dir"


# The practice server's account at the authority, after the authority forgot it.
#
# A real authority remembers its accounts for years.  Pebble forgets them when it stops,
# and has no way to keep them.  So whenever the authority is a new one, the server's
# account key is introduced to it again, by certbot's own library, and certbot's note of
# where the account is found gets the new address.  Nothing else on the server changes.
# Sources: RFC 8555 7.3, pebble's db/memorystore.go, the package python3-acme.


#: Where certbot keeps its accounts at this authority.
_ACCOUNTS = "/etc/letsencrypt/accounts/acme.example-ca.test:14000/dir"

_INTRODUCE = """
import json, pathlib, sys
from acme import client, errors, messages
from josepy import JWK

for path in pathlib.Path(sys.argv[1]).glob("*/private_key.json"):
    net = client.ClientNetwork(JWK.json_loads(path.read_text()))
    where = client.ClientV2.get_directory(sys.argv[2], net)
    who = messages.NewRegistration.from_data(terms_of_service_agreed=True)
    try:
        uri = client.ClientV2(where, net).new_account(who).uri
    except errors.ConflictError as known:
        uri = known.location
    note = path.with_name("regr.json")
    old = json.loads(note.read_text())
    if old["uri"] != uri:
        note.write_text(json.dumps(old | {"uri": uri}))
"""


def introduce(mail: Box, watch: Watch) -> None:
    """Make the server's account known, if it has one.

    A server on which that fails is still a server: it is said, and nothing stops."""
    if mail.run(["test", "-d", _ACCOUNTS]).returncode:
        return
    trust = "REQUESTS_CA_BUNDLE=/etc/ssl/practice-acme-ca.pem"
    argv = ["env", trust, "python3", "-I", "-", _ACCOUNTS, acme_url()]
    done = mail.run(argv, _INTRODUCE.encode())
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        watch(f"The authority does not know this server's account: {last}")
