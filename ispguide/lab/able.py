"""Whether this computer can run containers at all, asked before anything is built.

Inside another container, or where the kernel says no, the engine would fail late and
in many words.  Docker needs no such question: its daemon is elsewhere, and answered.
Manuals: unshare(1), namespaces(7).
"""

from __future__ import annotations

import subprocess

from ispguide.lab.engine import Engine, LabProblem, as_root


def must_be_able(engine: Engine) -> None:
    """Return when a container of root's may have namespaces; LabProblem when not."""
    if engine.name != "podman":
        return
    argv = [*as_root(), "unshare", "--mount", "--pid", "--net", "--fork", "true"]
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().rpartition(": ")[2]
        raise LabProblem(f"This computer lets no container run: {said}.")
