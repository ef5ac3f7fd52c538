"""One built server for all tests, and all hands.

The notebooks build it from a bare one, as a reader's Run All does; whoever comes
first does that, and the others wait and take a copy.  The practice internets of all
hands are the same one at several addresses (the same keys, logins and authorities), so
that the copy is at home in each.  After each chapter it is noted how every thing
stands, which is what the committed recording of the replay must tell, too.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import nbclient
import nbformat

from ispguide import lab, tasks
from ispguide.chapter import Chapter
from ispguide.chapters import GUIDE
from ispguide.lab.checkpoint import image_of
from ispguide.lab.parts import current
from ispguide.replay.comparing import told

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
#: What makes an internet this one: its keys, its logins, and whom it trusts.
WORLD = (
    "identity.tar", "ca.pem", "acme-ca.pem", "trust-anchors.ds", "practice.key",
    "tsig", "password-ben", "password-relay", "id_ed25519", "id_ed25519.pub",
)  # fmt: skip

#: What is kept on the way, and after which notebook.
CHECKPOINTS = {"halfway": "07-dovecot", "built": NOTEBOOKS[-1].stem}


@dataclass
class Built:
    """What was seen while it was built."""

    lab: str = ""
    #: notebook → the text of its outputs
    shown: dict[str, list[str]] = field(default_factory=dict)
    #: chapter → how each thing stands after its notebook
    after: dict[str, dict[str, str]] = field(default_factory=dict)


class Yard:
    """The folder that all hands of one run of the tests share."""

    def __init__(self, folder: Path, keep: bool):
        self.folder, self.keep = folder, keep
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def _alone(self, what: str) -> Iterator[None]:
        with (self.folder / f"{what}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def member(self) -> Iterator[None]:
        """Who works here, with a lab that ends with the block; the last one to leave
        takes the checkpoints away.  `keep`: all stays, for the next run."""
        with (self.folder / "members").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            self._world()
            yield
            if self.keep:
                return
            lab.down()
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # others are still at work, with these checkpoints
            self._clear()

    def _clear(self) -> None:
        engine = current().engine
        (self.folder / "built.json").unlink(missing_ok=True)
        images = engine.text("images", "--format", "{{.Repository}}:{{.Tag}}").split()
        for place in self.folder.glob("*/lab/*"):
            ours = f"{image_of(place.name)}:"
            for image in (name for name in images if name.startswith(ours)):
                engine.run("rmi", image)

    def _world(self) -> None:
        """Have the lab of this hand running, with the internet that all have."""
        world = self.folder / "world"
        with self._alone("world"):
            place = current().place.folder
            if world.is_dir():
                for name in WORLD:
                    shutil.copy2(world / name, place / name)
            lab.up()
            if not world.is_dir():
                part = self.folder / "part"
                part.mkdir()
                for name in WORLD:
                    shutil.copy2(place / name, part / name)
                part.rename(world)

    def built(self) -> Built:
        """The built server, in the lab of this hand as the checkpoint `built`."""
        note = self.folder / "built.json"
        with self._alone("built"):
            if not note.exists():
                made = build()
                (self.folder / "built-ca.pem").write_bytes(_roots().read_bytes())
                note.write_text(json.dumps(asdict(made)))
                return made
            made = Built(**json.loads(note.read_text()))
            if made.lab != current().place.lab:
                _take(made.lab)  # alone: of two who tag an image at once, one is lost
                self._trust()
            return made

    def _trust(self) -> None:
        """The roots that the other hand's authority signed with are known here, too."""
        roots, theirs = _roots(), (self.folder / "built-ca.pem").read_text()
        if theirs not in (here := roots.read_text()):
            roots.write_text(here + theirs)


def _take(theirs: str) -> None:
    """The checkpoints of that lab are ours, too."""
    here = current()
    for name in CHECKPOINTS:
        ours = image_of(here.place.lab, name)
        here.engine.run("tag", image_of(theirs, name), ours)


def _roots() -> Path:
    return current().place.ca_file


def build() -> Built:
    """From a bare server, by every notebook in turn."""
    lab.reset()
    made = Built(current().place.lab)
    chapters = {Path(chapter.notebook).stem: chapter for chapter in GUIDE}
    for path in NOTEBOOKS:
        made.shown[path.stem] = run_all(path, cells="do")
        if chapter := chapters.get(path.stem):
            with (guide := tasks.open_guide()).server:
                made.after[chapter.name] = told(guide, steps_until(chapter))
        for name in (name for name, last in CHECKPOINTS.items() if last == path.stem):
            lab.save(name)
    return made


def steps_until(chapter: Chapter) -> list[str]:
    """All steps of the guide up to the last one of this chapter."""
    until = GUIDE[: GUIDE.index(chapter) + 1]
    return [str(step) for one in until for step in one.steps]


def run_all(*paths: Path, cells: Literal["look", "do"]) -> list[str]:
    """Run All, in one kernel; the text of every output.  An error in a cell is raised."""
    notebook, *more = (nbformat.read(path, as_version=4) for path in paths)
    notebook.cells += [cell for book in more for cell in book.cells]
    client = nbclient.NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(paths[0].parent)}},
    )
    client.execute(env=os.environ | {"ISPGUIDE_CELLS": cells})
    outputs = [o for c in notebook.cells for o in c.get("outputs", ())]
    return [o["data"]["text/plain"] if "data" in o else str(o) for o in outputs]
