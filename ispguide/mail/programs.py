"""The programs that stay on the server: their text there is what is typed and tested here.

Each has a short file where a sysadmin looks for it, and its modules beside those of the
others, in one folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

from ispguide.engine.things import File

FOLDER = "/usr/local/lib/ispguide/remote"
#: What all of them share.
SHARED = ("__init__", "common", "vault")


def modules(*names: str) -> Iterator[File]:
    """These modules of `ispguide.remote`, as files."""
    package = resources.files("ispguide.remote")
    for name in names:
        text = package.joinpath(f"{name}.py").read_text(encoding="utf-8")
        yield File(f"{FOLDER}/{name}.py", text=text)
