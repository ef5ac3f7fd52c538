"""The folders that the guide brings along: the checkout's own, or the wheel's.

A checkout's folder wins, so who edits a template or a notebook edits *their* guide.
"""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path


def notebooks() -> Path:
    """The notebooks; $ISPGUIDE_NOTEBOOKS where somebody chose others."""
    chosen = os.environ.get("ISPGUIDE_NOTEBOOKS")
    return Path(chosen) if chosen else _folder("notebooks")


def templates() -> Path:
    """The templates of the files on the server."""
    return _folder("templates")


def _folder(name: str) -> Path:
    package = Path(str(resources.files("ispguide")))
    checkout = package.parent / name
    return checkout if checkout.is_dir() else package / f"_{name}"
