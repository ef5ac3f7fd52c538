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
from typing import Any, Literal

import nbclient
import nbformat

from ispguide import lab, tasks
from ispguide.chapters import GUIDE
from ispguide.guide import Guide
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
STEPS = [str(step) for chapter in GUIDE for step in chapter.steps]
LAST = [str(chapter.steps[-1]) for chapter in GUIDE if chapter.steps]


@dataclass
class Built:
    """What was seen while it was built."""

    lab: str = ""
    #: notebook → the text of its outputs
    shown: dict[str, list[str]] = field(default_factory=dict)
    #: [last step of a chapter, how each thing stands after it]
    after: list[tuple[str, dict[str, str]]] = field(default_factory=list)


class Yard:
    """The folder that all hands of one run of the tests share."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def _alone(self, what: str) -> Iterator[None]:
        with (self.folder / f"{what}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def member(self) -> Iterator[None]:
        """Who works here; the last one to leave takes the checkpoints away."""
        with (self.folder / "members").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield
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
            kept = f"localhost/{place.name}-kept:"
            for image in (name for name in images if name.startswith(kept)):
                engine.run("rmi", image)

    def world(self) -> None:
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


def _take(lab_: str) -> None:
    """The checkpoints of that lab are ours, too."""
    here = current()
    for name in CHECKPOINTS:
        there = f"localhost/{lab_}-kept:{name}"
        here.engine.run("tag", there, f"localhost/{here.place.lab}-kept:{name}")


def _roots() -> Path:
    return current().place.ca_file


def build() -> Built:
    """From a bare server, by every notebook in turn."""
    lab.reset()
    made = Built(current().place.lab)
    for path in NOTEBOOKS:
        with (guide := tasks.open_guide()).server:
            made.shown[path.stem] = run_all(
                path, cells="do", seen=Witness(guide, made.after)
            )
        for name in (name for name, last in CHECKPOINTS.items() if last == path.stem):
            lab.save(name)
    return made


class Witness:
    """Looks at everything whenever the last step of a chapter is done."""

    def __init__(self, guide: Guide, after: list[tuple[str, dict[str, str]]]):
        self.guide, self.after = guide, after
        self._chapter = ""

    def __call__(self, cell: Any, cell_index: int, execute_reply: Any) -> None:
        step = f"{self._chapter}.{cell['id']}"
        if step in LAST:
            done = STEPS[: STEPS.index(step) + 1]
            self.after.append((step, told(self.guide, done)))
        elif cell["id"] == "chapter":
            self._chapter = cell["source"].rpartition('chapter("')[2].partition('"')[0]


def run_all(
    *paths: Path, cells: Literal["look", "do"], seen: Witness | None = None
) -> list[str]:
    """Run All, in one kernel; the text of every output.  An error in a cell is raised."""
    notebook, *more = (nbformat.read(path, as_version=4) for path in paths)
    notebook.cells += [cell for book in more for cell in book.cells]
    client = nbclient.NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(paths[0].parent)}},
        on_cell_executed=seen,
    )
    client.execute(env=os.environ | {"ISPGUIDE_CELLS": cells})
    outputs = [o for c in notebook.cells for o in c.get("outputs", ())]
    return [o["data"]["text/plain"] if "data" in o else str(o) for o in outputs]
