"""Checkpoints: keep the practice server as it is, and have it again.

Each is an image with only what changed since the one before it.  The practice
internet is not part of one: a loaded server meets the internet as it is now.
Manual: podman-commit(1).
"""

from __future__ import annotations

import re

from ispguide.lab import accounts, world
from ispguide.lab.engine import LabProblem, Watch, ignore
from ispguide.lab.parts import Lab, alone, current, ready, replace
from ispguide.lab.where import Status


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
        accounts.introduce(lab.mail, watch)
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
