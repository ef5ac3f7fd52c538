"""This computer's own folders, and how a file in them is written: whole or not at all.

What is remembered lies below `home()`; nothing else on this computer is touched.  What
the guide brings along is the checkout's own, or the wheel's: a checkout's folder wins,
so who edits a template or a notebook edits *their* guide.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path


def home() -> Path:
    """The one folder for local state: $ISPGUIDE_HOME, else ~/.ispguide."""
    return Path(os.environ.get("ISPGUIDE_HOME") or "~/.ispguide").expanduser()


def notebooks() -> Path:
    """The notebooks; $ISPGUIDE_NOTEBOOKS where somebody chose others."""
    chosen = os.environ.get("ISPGUIDE_NOTEBOOKS")
    return Path(chosen) if chosen else _shipped("notebooks")


def templates() -> Path:
    """The templates of the files on the server."""
    return _shipped("templates")


def _shipped(name: str) -> Path:
    package = Path(str(resources.files("ispguide")))
    checkout = package.parent / name
    return checkout if checkout.is_dir() else package / f"_{name}"


def write_whole(path: Path, text: str) -> None:
    """Write beside it, then rename; readable by its owner only.

    Two who write at the same moment do not meet: the last one wins, whole."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    number, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Nobody else is in such a block about this file, in no kernel, until it ends."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.with_suffix(".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
