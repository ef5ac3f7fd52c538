"""The verbs: up, down, reset, status, and the console.

Each leaves the lab as its name says, whatever it was before, and each may be
repeated.  One at a time per lab: a lock in its folder sees to that.
"""

from __future__ import annotations

import fcntl
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ispguide.engine.profile import Profile, names
from ispguide.engine.settings import Settings
from ispguide.lab import image, network, world
from ispguide.lab.box import Box
from ispguide.lab.engine import (
    Done,
    Engine,
    LabProblem,
    Watch,
    find,
    ignore,
    must_be_able,
)
from ispguide.lab.filling import (
    DOMAIN,
    INTERNET,
    MAIL,
    PUBLIC,
    Status,
    filled,
    machine_id,
    tar,
    values,
)
from ispguide.lab.network import Network
from ispguide.lab.place import HOSTNAME, Place, here

# One lab at hand: its two containers, its network, and where everything is.
#
# The verbs below are put together from these.
# What runs inside the mail server is the guide's business, not ours.


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


# Checkpoints: keep the practice server as it is, and have it again.
#
# Each is an image with only what changed since the one before it.  The practice
# internet is not part of one: a loaded server meets the internet as it is now.
# Manual: podman-commit(1).


def save(name: str, watch: Watch = ignore) -> Status:
    """Keep the mail server as it is now under this name.

    It is shut down in order first, so that the databases are whole; the next
    checkpoint then holds only what changed since this one.
    """
    tag = _tag(name)
    with alone() as lab:
        if not lab.mail.runs():
            raise _nothing_running()
        watch(f"Keeping the practice server as {name!r} …")
        lab.mail.stop()
        kept = image_of(lab.place.lab, tag)
        lab.engine.run("commit", "--quiet", lab.mail.name, kept)
        net = lab.network()
        replace(lab, net, kept, bare=False)
        return ready(lab, net)


def load(name: str, watch: Watch = ignore) -> Status:
    """Have the mail server again as it was kept under this name."""
    tag = _tag(name)
    with alone() as lab:
        kept = image_of(lab.place.lab, tag)
        if not lab.engine.ok("image", "inspect", kept):
            raise LabProblem(
                f"No checkpoint is called {name!r}.",
                "These are kept: " + (", ".join(_checkpoints(lab)) or "none") + ".",
                "Choose one of them, or keep one with ./guide lab save NAME.",
            )
        net = lab.network()
        world.ensure(lab.internet, lab.place, net, watch)
        watch(f"Putting the practice server back to {name!r} …")
        replace(lab, net, kept, bare=False)
        found = ready(lab, net)
        world.introduce(lab.mail, watch)
        return found


def checkpoints() -> list[str]:
    """The names under which a server is kept."""
    return _checkpoints(current())


def forget(name: str) -> None:
    """Drop a checkpoint; the server that came from it stays."""
    lab = current()
    lab.engine.run("rmi", "--force", image_of(lab.place.lab, _tag(name)))


def image_of(lab: str, name: str = "") -> str:
    """The image that is the checkpoint `name` of the lab called so; without a name, of
    any of them."""
    return f"localhost/{lab}-kept" + (f":{name}" if name else "")


def _checkpoints(lab: Lab) -> list[str]:
    # All names of an image are listed, also those it has in another lab.
    ours = image_of(lab.place.lab)
    found = lab.engine.text("images", "--format", "{{.Repository}}:{{.Tag}}", ours)
    kept = (name.rpartition(":") for name in found.split())
    return sorted(tag for repository, _, tag in kept if repository == ours)


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


# The verbs: up, down, reset, status, and the console.


def status() -> Status:
    """Where everything is, and whether it runs.  Starts nothing."""
    return current().status()


def up(watch: Watch = ignore) -> Status:
    """Have the practice server and its internet running; repair what is stopped."""
    with alone() as lab:
        must_be_able(lab.engine)
        net = lab.network()
        begun = world.begin(lab.internet, lab.place, net, watch)
        state = lab.mail.state()
        if not state:
            make(lab, net, image.server(lab.engine, watch), bare=True)
        if state != "running":
            watch("Starting the practice server …")
            lab.mail.start()
        anew = world.known(lab.internet, lab.place, net, begun)
        found = ready(lab, net, bare=not state)
        if anew and state:
            world.introduce(lab.mail, watch)
        return found


def down(watch: Watch = ignore) -> None:
    """Remove both containers and their network.  Images and checkpoints stay."""
    with alone() as lab:
        watch("Removing the practice server and its internet …")
        for box in (lab.mail, lab.internet):
            box.remove()
        lab.engine.run("network", "rm", "--force", lab.place.lab, check=False)


def reset(watch: Watch = ignore) -> Status:
    """A fresh, bare server at the same address; the zones as in the beginning."""
    with alone() as lab:
        net = lab.network()
        world.ensure(lab.internet, lab.place, net, watch)
        made = image.server(lab.engine, watch)
        watch("Replacing the practice server by a fresh one …")
        world.reset_zones(lab.internet)
        replace(lab, net, made, bare=True)
        return ready(lab, net, bare=True)


def mail_run(argv: Iterable[str], stdin: bytes = b"") -> Done:
    """Run a command as root on the mail server: the provider's console."""
    return current().mail.run(argv, stdin)


def internet_run(argv: Iterable[str], stdin: bytes = b"") -> Done:
    """Run a command as root in the practice internet."""
    return current().internet.run(argv, stdin)
