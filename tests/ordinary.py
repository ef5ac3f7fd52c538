"""Somebody without root, without an engine and without a network, for tests.

Started by root, a test drops to `nobody` in a network namespace of its own that has
only loopback; started by anybody else, it is ordinary already.  The command search
path holds links to a few harmless tools and nothing else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
TOOLS = ("sh", "env", "id", "dirname", "printf", "touch", "cat", "ls", "true", "uname")
#: Modules of this environment, for a Python that the ordinary user may start.
MODULES = [str(ROOT), *(p for p in sys.path if p.endswith("site-packages"))]


def python() -> str:
    """An interpreter of this version that everybody may run."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for path in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if Path(path).exists() and _open_to_all(Path(path).resolve()):
            return path
    raise AssertionError(f"No {version} here that somebody other than root may start.")


def _open_to_all(path: Path) -> bool:
    return all(p.stat().st_mode & 0o005 == 0o005 for p in (path, *path.parents))


class Ordinary:
    """Their home (a folder of theirs) and how they start a command."""

    def __init__(self, home: Path):
        self.home = home
        tools = home / "tools"
        tools.mkdir(parents=True)
        for name in TOOLS:
            (tools / name).symlink_to(shutil.which(name) or "")
        self.env = {
            "HOME": str(home), "PATH": str(tools), "LANG": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join(MODULES), "PYTHONDONTWRITEBYTECODE": "1",
            "IPYTHONDIR": str(home / "ipython"), "ISPGUIDE_HOME": str(home / "ispguide"),
            "ISPGUIDE_REPLAY_SECONDS": "0",
        }  # fmt: skip
        if os.geteuid() == 0:
            for path in (home, tools):
                shutil.chown(path, "nobody", "nogroup")

    def argv(self, *words: str) -> list[str]:
        """The command with what makes it an ordinary user's."""
        if os.geteuid():
            return [*words]
        drop = "setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs"
        script = (
            f'/sbin/ip link set lo up; export PATH="$0"; exec /usr/bin/{drop} -- "$@"'
        )
        return ["/usr/bin/unshare", "--net", "/bin/sh", "-c", script,
                self.env["PATH"], *words]  # fmt: skip

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end, both outputs in one text."""
        return subprocess.run(
            self.argv(*words), env=self.env | env, cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def ispguide(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """The command line."""
        code = "from ispguide.cli import main; main()"
        return self.run(python(), "-c", code, *words, **env)
