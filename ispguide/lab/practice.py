"""The verbs: up, down, reset, status, save, load.

Each leaves the lab as its name says, whatever it was before, and each may be
repeated.  One at a time per lab: a lock in its folder sees to that.
What runs inside the mail server is the guide's business, not ours.
"""

from __future__ import annotations

import fcntl
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ispguide.lab import image, network, world
from ispguide.lab.box import Box
from ispguide.lab.engine import Done, Engine, LabProblem, Watch, find, ignore
from ispguide.lab.network import Network
from ispguide.lab.place import (
    HOSTNAME,
    INTERNET,
    MAIL,
    Place,
    filled,
    here,
    machine_id,
    values,
)
from ispguide.profile import Profile
from ispguide.settings import Settings

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
            "ca_file": str(self.place.ca_file),
            "seats": [self._seat(net.ip4(MAIL))] if net else [],
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
        return Box(self.engine, f"{self.place.lab}-internet", "internet.example-ca.test")

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
        running = all(box.state() == "running" for box in boxes)
        return Status(running, self.place, self.place.network)


def _lab() -> Lab:
    place = here()
    return Lab(place, find(place.folder))


@contextmanager
def _alone() -> Iterator[Lab]:
    """The lab, for one caller at a time."""
    lab = _lab()
    with (lab.place.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lab


def status() -> Status:
    """Where everything is, and whether it runs.  Starts nothing."""
    return _lab().status()


def up(watch: Watch = ignore) -> Status:
    """Have the practice server and its internet running; repair what is stopped."""
    with _alone() as lab:
        net = lab.network()
        world.ensure(lab.internet, lab.place, net, watch)
        state = lab.mail.state()
        if not state:
            _make(lab, net, image.server(lab.engine, watch), bare=True)
        if state != "running":
            watch("Starting the practice server …")
            lab.mail.start()
        return _ready(lab, net)


def down(watch: Watch = ignore) -> None:
    """Remove both containers and their network.  Images and checkpoints stay."""
    with _alone() as lab:
        watch("Removing the practice server and its internet …")
        for box in (lab.mail, lab.internet):
            box.remove()
        lab.engine.run("network", "rm", "--force", lab.place.lab, check=False)


def reset(watch: Watch = ignore) -> Status:
    """A fresh, bare server at the same address; the zones as in the beginning."""
    with _alone() as lab:
        net = lab.network()
        world.ensure(lab.internet, lab.place, net, watch)
        made = image.server(lab.engine, watch)
        watch("Replacing the practice server by a fresh one …")
        world.reset_zones(lab.internet)
        _replace(lab, net, made, bare=True)
        return _ready(lab, net)


def save(name: str, watch: Watch = ignore) -> Status:
    """Keep the mail server as it is now under this name.

    It is shut down in order first, so that the databases are whole; the next
    checkpoint then holds only what changed since this one.
    """
    tag = _tag(name)
    with _alone() as lab:
        if lab.mail.state() != "running":
            raise _nothing_running()
        watch(f"Keeping the practice server as {name!r} …")
        lab.mail.stop()
        kept = f"{_kept(lab)}:{tag}"
        lab.engine.run("commit", "--quiet", lab.mail.name, kept)
        net = lab.network()
        _replace(lab, net, kept, bare=False)
        return _ready(lab, net)


def load(name: str, watch: Watch = ignore) -> Status:
    """Have the mail server again as it was kept under this name."""
    tag = _tag(name)
    with _alone() as lab:
        kept = f"{_kept(lab)}:{tag}"
        if not lab.engine.ok("image", "inspect", kept):
            raise LabProblem(
                f"No checkpoint is called {name!r}.",
                "These are kept: " + (", ".join(_checkpoints(lab)) or "none") + ".",
                "Choose one of them, or keep one with ./guide lab save NAME.",
            )
        net = lab.network()
        world.ensure(lab.internet, lab.place, net, watch)
        watch(f"Putting the practice server back to {name!r} …")
        _replace(lab, net, kept, bare=False)
        return _ready(lab, net)


def checkpoints() -> list[str]:
    """The names under which a server is kept."""
    return _checkpoints(_lab())


def mail_run(argv: Iterable[str], stdin: bytes = b"") -> Done:
    """Run a command as root on the mail server: the provider's console."""
    return _lab().mail.run(argv, stdin)


def internet_run(argv: Iterable[str], stdin: bytes = b"") -> Done:
    """Run a command as root in the practice internet."""
    return _lab().internet.run(argv, stdin)


def _make(lab: Lab, net: Network, made: str, bare: bool) -> None:
    """Create the mail server from an image, with what a provider would set."""
    lab.mail.create(made, net, MAIL, lab.place.lab)
    words = filled("mail", values(lab.place, net))
    if bare:
        words |= machine_id()
    public = lab.place.key.with_suffix(".pub").read_bytes()
    words["root/.ssh/authorized_keys"] = public
    lab.mail.put(words | world.trusted(lab.place))


def _replace(lab: Lab, net: Network, made: str, bare: bool) -> None:
    lab.mail.remove()
    _make(lab, net, made, bare)
    lab.mail.start()


def _ready(lab: Lab, net: Network) -> Status:
    """Wait for SSH, pin the host key the console shows, write the profile."""
    address = net.ip4(MAIL)
    world.wait_for("The practice server's SSH", lambda: _banner(address))
    shown = lab.mail.run(["cat", "/etc/ssh/ssh_host_ed25519_key.pub"], check=True)
    kind, key = shown.stdout.decode().split()[:2]
    lab.place.known_hosts.write_text(f"{address},{HOSTNAME} {kind} {key}\n")
    lab.mail.put(world.trusted(lab.place))
    _profile(lab.place, address).save()
    return Status(True, lab.place, net)


def _banner(address: str) -> bool:
    with socket.create_connection((address, 22), timeout=1) as line:
        return line.recv(4) == b"SSH-"


def _profile(place: Place, address: str) -> Profile:
    settings = Settings(
        hostname=HOSTNAME,
        domain=DOMAIN,
        postmaster=f"postmaster@{DOMAIN}",
        tls="acme-url",
        acme_url=world.acme_url(),
        acme_ca="/etc/ssl/practice-acme-ca.pem",
    )
    return Profile(
        name="practice",
        host=address,
        key=str(place.key),
        known_hosts=str(place.known_hosts),
        practice=True,
        settings=settings,
    )


def _kept(lab: Lab) -> str:
    """The image name under which this lab's checkpoints are."""
    return f"localhost/{lab.place.lab}-kept"


def _checkpoints(lab: Lab) -> list[str]:
    found = lab.engine.text("images", "--format", "{{.Tag}}", _kept(lab))
    return sorted(found.split())


def _tag(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,100}", name):
        raise LabProblem(
            f"{name!r} cannot name a checkpoint.",
            "A name has letters, digits, dots, hyphens and underscores.",
            "Choose another one, such as chapter-9.",
        )
    return name


def _nothing_running() -> LabProblem:
    return LabProblem(
        "The practice server is not running.",
        "Only a running one can be kept.",
        "Run ./guide lab up first.",
    )
