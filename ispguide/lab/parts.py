"""One lab at hand: its two containers, its network, and where everything is.

The verbs in practice.py and checkpoint.py are put together from these.
What runs inside the mail server is the guide's business, not ours.
"""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ispguide.lab import network, world
from ispguide.lab.box import Box
from ispguide.lab.engine import Engine, LabProblem, find
from ispguide.lab.filling import (
    INTERNET,
    MAIL,
    PUBLIC,
    filled,
    machine_id,
    tar,
    values,
)
from ispguide.lab.network import Network
from ispguide.lab.place import HOSTNAME, Place, here
from ispguide.lab.where import DOMAIN, Status
from ispguide.profile import Profile, names
from ispguide.settings import Settings


@dataclass(frozen=True)
class Lab:
    """The parts of one lab at hand."""

    place: Place
    engine: Engine

    @property
    def mail(self) -> Box:
        """The learner's server."""
        return Box(self.engine, f"{self.place.lab}-mail", HOSTNAME)

    @property
    def internet(self) -> Box:
        """Everything it needs the world for."""
        return Box(
            self.engine, f"{self.place.lab}-internet", "internet.example-ca.test"
        )

    def network(self) -> Network:
        """The lab's network, made when there is none."""
        known = self.place.network
        if known and self.engine.ok("network", "inspect", self.place.lab):
            return known
        self.engine.run("network", "rm", "--force", self.place.lab, check=False)
        return self.place.remember(network.create(self.engine, self.place.lab))

    def status(self) -> Status:
        """What runs at this moment."""
        boxes = (self.mail, self.internet)
        running = all(box.runs() for box in boxes)
        return Status(running, self.place, self.place.network)


def current() -> Lab:
    """The lab of the current state folder, with the engine found here."""
    place = here()
    return Lab(place, find(place.folder))


def awake() -> Lab:
    """The lab, whose internet runs; LabProblem where there is none to act in."""
    lab = current()
    if not lab.internet.runs():
        raise LabProblem(
            "The practice internet is not running.",
            "friend.test, spammer.test and the block list live in it.",
            "Run ./guide lab up.",
        )
    return lab


@contextmanager
def alone() -> Iterator[Lab]:
    """The lab, for one caller at a time."""
    lab = current()
    with (lab.place.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lab


def make(lab: Lab, net: Network, made: str, bare: bool) -> None:
    """Create the mail server from an image, with what a provider would set."""
    words = filled("mail", values(lab.place, net))
    if bare:
        words |= machine_id()
    else:
        # What it starts may need them; a bare one gets them in `ready`, when the
        # internet, which may still be starting, has them.
        words |= world.trusted(lab.place)
    public = lab.place.key.with_suffix(".pub").read_bytes()
    words["root/.ssh/authorized_keys"] = public
    lab.mail.create(made, net, MAIL, lab.place.lab, [tar(words)])


def replace(lab: Lab, net: Network, made: str, bare: bool) -> None:
    """Another mail server in the place of this one."""
    lab.mail.remove()
    make(lab, net, made, bare)
    lab.mail.start()


def ready(lab: Lab, net: Network, bare: bool = False) -> Status:
    """Wait for SSH, pin the host key the console shows, write the profile.

    A bare server starts with the practice's own settings; another keeps those the
    reader chose.
    """
    address = net.ip4(MAIL)
    world.wait_for("The practice server's SSH", lambda: _banner(address))
    shown = lab.mail.run(["cat", "/etc/ssh/ssh_host_ed25519_key.pub"], check=True)
    kind, key = shown.stdout.decode().split()[:2]
    lab.place.known_hosts.write_text(f"{address},{HOSTNAME} {kind} {key}\n")
    lab.mail.booted()
    lab.mail.put(world.trusted(lab.place))
    _profile(lab.place, net, None if bare else _chosen()).save()
    return Status(True, lab.place, net)


def _banner(address: str) -> bool:
    with socket.create_connection((address, 22), timeout=1) as line:
        return line.recv(4) == b"SSH-"


def _chosen() -> Settings | None:
    """The settings the practice profile has by now."""
    return Profile.load("practice").settings if "practice" in names() else None


def _profile(place: Place, net: Network, settings: Settings | None) -> Profile:
    settings = settings or Settings(
        hostname=HOSTNAME,
        domain=DOMAIN,
        postmaster=f"postmaster@{DOMAIN}",
        tls="acme-url",
        acme_url=world.acme_url(),
        acme_ca="/etc/ssl/practice-acme-ca.pem",
        acme_name="example-ca.test",
        dkim_overlap_days=0,
        other_server="mail.friend.test",
        block_list="blocklist.test",
    )
    return Profile(
        name="practice",
        host=net.ip4(MAIL),
        key=str(place.key),
        known_hosts=str(place.known_hosts),
        practice=True,
        ca_file=str(place.ca_file),
        resolver=net.ip4(INTERNET),
        others=net.ip4(PUBLIC),
        zone_key=str(place.zone_key),
        settings=settings,
    )
