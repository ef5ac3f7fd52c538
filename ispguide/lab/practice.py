"""The verbs: up, down, reset, status, and the console.

Each leaves the lab as its name says, whatever it was before, and each may be
repeated.  One at a time per lab: a lock in its folder sees to that.
"""

from __future__ import annotations

from collections.abc import Iterable

from ispguide.lab import accounts, image, world
from ispguide.lab.able import must_be_able
from ispguide.lab.engine import Done, Watch, ignore
from ispguide.lab.parts import alone, current, make, ready, replace
from ispguide.lab.where import Status


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
            accounts.introduce(lab.mail, watch)
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
