"""One built server for all tests, and all hands.

The notebooks build it from a bare one, as a reader's Run All does; whoever comes
first does that, and the others wait and take a copy.  The practice internets of all
hands are the same one at several addresses (the same keys, logins and authorities), so
that the copy is at home in each.  After each chapter it is noted how its things stand,
halfway and in the end all of them, which is what the committed recording of the replay
must tell, too.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal

import nbclient
import nbformat

from ispguide import lab, tasks
from ispguide.chapters import GUIDE
from ispguide.engine.chapter import Chapter
from ispguide.lab.box import Box
from ispguide.lab.practice import current, image_of
from ispguide.recording.comparing import told

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
#: What makes an internet this one: its keys, its logins, and whom it trusts.
WORLD = (
    "identity.tar", "ca.pem", "acme-ca.pem", "trust-anchors.ds", "practice.key",
    "tsig", "password-ben", "password-relay", "id_ed25519", "id_ed25519.pub",
)  # fmt: skip

#: A cell that forgets all names.
FORGET = partial(nbformat.v4.new_code_cell, "%reset -f")
#: After these notebooks a checkpoint is kept, for whoever needs no more.
ON_THE_WAY = {"02-server": "begun", "07-dovecot": "halfway", "13-spam": "mostly"}


def done_at(checkpoint: str) -> tuple[Chapter, ...]:
    """The chapters that are done there."""
    until = next(book for book, name in ON_THE_WAY.items() if name == checkpoint)
    return GUIDE[: [Path(chapter.notebook).stem for chapter in GUIDE].index(until) + 1]


#: The chapters that are done halfway.
EARLY = done_at("halfway")


@dataclass
class Built:
    """What was seen while it was built."""

    lab: str = ""
    #: notebook → the text of its outputs
    shown: dict[str, list[str]] = field(default_factory=dict)
    #: chapter → how things stand after its notebook, see `compared`
    after: dict[str, dict[str, str]] = field(default_factory=dict)


class Yard:
    """The folder that all hands of one run of the tests share."""

    def __init__(self, folder: Path, keep: bool):
        self.folder, self.keep = folder, keep
        #: Whether the server of this hand is the one that it has just built.
        self.fresh = False
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
        for note in ("built.json", *ON_THE_WAY.values()):
            (self.folder / note).unlink(missing_ok=True)
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
                return
            with first():  # there may be no images yet
                lab.up()
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
                with first():
                    made = self._build()
                note.write_text(json.dumps(asdict(made)))
                self.fresh = True
                return made
            made = Built(**json.loads(note.read_text()))
            self._take("built", made.lab)
            return made

    def on_the_way(self, name: str) -> None:
        """In the lab of this hand that checkpoint, as soon as there is one."""
        if not self._taken(name):
            self.built()  # nobody was about to build it
            assert self._taken(name)
        self.fresh = False  # it goes where the checkpoint is put

    def _taken(self, name: str) -> bool:
        with self._alone(name):
            if (note := self.folder / name).exists():
                self._take(name, note.read_text())
            return note.exists()

    def _build(self) -> Built:
        """From a bare server, by every notebook in turn."""
        lab.reset()
        made = Built((here := current()).place.lab)
        (self.folder / "built-ca.pem").write_bytes(_roots().read_bytes())
        chapters = {Path(chapter.notebook).stem: chapter for chapter in GUIDE}
        with _sooner(here.mail, here.internet), ExitStack() as all_waiting:
            waiting = {
                name: all_waiting.enter_context(ExitStack())
                for name in ON_THE_WAY.values()
            }
            for name, until in waiting.items():
                until.enter_context(self._alone(name))
            for path, shown in run_each(*NOTEBOOKS, cells="do"):
                made.shown[path.stem] = shown
                if chapter := chapters.get(path.stem):
                    with (guide := tasks.open_guide()).server:
                        until, of = steps_until(chapter), compared(chapter)
                        made.after[chapter.name] = told(guide, until, *of)
                if name := ON_THE_WAY.get(path.stem):
                    with self._alone("tag"):
                        _keep_as_it_runs(name)
                    (self.folder / name).write_text(made.lab)
                    waiting[name].close()
            lab.save("built")
        return made

    def _take(self, name: str, theirs: str) -> None:
        """That lab's checkpoint is ours, too."""
        here = current()
        if here.place.lab != theirs:
            ours = image_of(here.place.lab, name)
            with self._alone("tag"):  # of two who tag an image at once, one is lost
                here.engine.run("tag", image_of(theirs, name), ours)
            self._trust()

    def _trust(self) -> None:
        """The roots that the other hand's authority signed with are known here, too."""
        roots, theirs = _roots(), (self.folder / "built-ca.pem").read_text()
        if theirs not in (here := roots.read_text()):
            roots.write_text(here + theirs)


def _keep_as_it_runs(name: str) -> None:
    """A checkpoint of a server that only holds its breath (podman-commit(1), --pause).

    `lab.save` shuts it down first, which takes ten seconds more; this one begins as
    after a power cut, which a database without people survives."""
    here = current()
    kept = image_of(here.place.lab, name)
    here.engine.run("commit", "--quiet", "--pause", here.mail.name, kept)


@contextmanager
def first() -> Iterator[None]:
    """What is done here, others wait for: it has the processors before them, where root
    asks for that (nice(2)); for the servers see `_sooner`."""
    sooner = -15 if os.geteuid() == 0 else 0
    if os.getpgrp() != os.getpid():  # one of several hands
        os.setsid()
    os.nice(sooner)
    _as_soon_as_we(os.getpid())
    try:
        yield
    finally:
        os.nice(-sooner)
        _as_soon_as_we(os.getpid())


@contextmanager
def _sooner(*boxes: Box) -> Iterator[None]:
    """The same for servers: the kernel shares the processors among containers first
    and looks at nice only within each (cgroups(7), podman-update(1)).  Where no systemd
    keeps them, all containers have one share of the computer, which is raised, too."""
    for box in boxes:
        box.engine.run("update", "--cpu-shares", "16384", box.name)
    of_all = Path("/sys/fs/cgroup/cpu/libpod_parent/cpu.shares")
    before = of_all.read_text() if os.access(of_all, os.W_OK) else ""
    if before:
        of_all.write_text("16384")
    try:
        yield
    finally:
        if before:
            of_all.write_text(before)


def _as_soon_as_we(pid: int) -> None:
    """The same for a session, as a kernel is one: they are weighed against one another
    first, where the system does that (sched(7), autogroup)."""
    group = Path(f"/proc/{pid}/autogroup")
    if os.geteuid() == 0 and group.exists():
        group.write_text(str(os.nice(0)))


def _roots() -> Path:
    return current().place.ca_file


def steps_until(chapter: Chapter) -> list[str]:
    """All steps of the guide up to the last one of this chapter."""
    until = GUIDE[: GUIDE.index(chapter) + 1]
    return [str(step) for one in until for step in one.steps]


def compared(chapter: Chapter) -> tuple[str, ...]:
    """The chapters of which is noted after this one how they stand, none for all:
    each after its own notebook; all halfway, and in the end."""
    return () if chapter in (EARLY[-1], GUIDE[-1]) else (chapter.name,)


def run_all(*paths: Path, cells: Literal["look", "do"]) -> list[str]:
    """Run All in each; the text of every output."""
    return [text for _, shown in run_each(*paths, cells=cells) for text in shown]


def run_each(
    *paths: Path, cells: Literal["look", "do"]
) -> Iterator[tuple[Path, list[str]]]:
    """Run All in one notebook after another, and the text of the outputs of each.

    One kernel does it, which takes two seconds less a notebook than one for each; what
    a notebook names is forgotten before the next.  An error in a cell is raised."""
    books = {path: nbformat.read(path, as_version=4) for path in paths}
    whole = nbformat.v4.new_notebook()
    whole.cells = [cell for book in books.values() for cell in [FORGET(), *book.cells]]
    client = nbclient.NotebookClient(
        whole,
        timeout=600,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(paths[0].parent)}},
    )
    client.reset_execution_trackers()
    turn = iter(enumerate(whole.cells))
    with client.setup_kernel(env=os.environ | {"ISPGUIDE_CELLS": cells}):
        _as_soon_as_we(client.km.provisioner.pid)
        for path, book in books.items():
            for number, cell in islice(turn, 1 + len(book.cells)):
                client.execute_cell(cell, number)
            outputs = [o for c in book.cells for o in c.get("outputs", ())]
            yield (
                path,
                [o["data"]["text/plain"] if "data" in o else str(o) for o in outputs],
            )
