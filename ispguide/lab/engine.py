"""The container engine: find podman or docker, learn its quirks, drive it.

Everything goes through the engine's command line, so that a reader can do the
same by hand.  It installs no engine and changes no configuration of the
computer: where podman needs settings of its own here, they go into a private
file that only our calls see (CONTAINERS_CONF).
Manuals: podman(1), containers.conf(5), docker(1), cgroups(7), capabilities(7).
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ispguide.engine.errors import GuideError

Watch = Callable[[str], None]
Done = subprocess.CompletedProcess[bytes]

#: Bit 24 in the capability sets: may raise limits above the hard ones.
CAP_SYS_RESOURCE = 1 << 24

#: Open files and processes that are enough for a mail server; used only where
#: limits are lowered.  The engine's helpers may have less than our hard limit.
LIMITS = {"nofile": 20000, "nproc": 16384}


class LabProblem(GuideError):
    """The practice server cannot be had, or not as asked for."""


def ignore(_: str) -> None:
    """The watch of those who do not watch."""


@dataclass(frozen=True)
class Engine:
    """One engine as a command with its environment."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, *argv: str, stdin: bytes = b"", check: bool = True) -> Done:
        """Run `podman ARGV…`; LabProblem with the last lines when it fails."""
        env = {**os.environ, **self.env}
        done = subprocess.run(
            [*self.command, *argv], input=stdin, capture_output=True, env=env
        )
        if check and done.returncode:
            raise failed(f"{self.name} {' '.join(argv[:3])}", done)
        return done

    def text(self, *argv: str) -> str:
        """What the command prints, without the last line end."""
        return self.run(*argv).stdout.decode().strip()

    def ok(self, *argv: str) -> bool:
        """Whether the command succeeds."""
        return self.run(*argv, check=False).returncode == 0


def failed(what: str, done: Done) -> LabProblem:
    """The error for a command that failed, its last lines as evidence."""
    lines = (done.stdout + done.stderr).decode(errors="replace").splitlines()
    return LabProblem(
        f"The command `{what}` ended with {done.returncode}.",
        "It should have succeeded; the practice server rests on it.",
        "Read its last lines below, then run ./guide lab up again.",
        "\n".join(lines[-10:]),
    )


def find(state: Path) -> Engine:
    """Podman, else a docker that answers.  Private settings go below `state`."""
    if shutil.which("podman"):
        return _podman(state)
    for prefix in ((), as_root()):
        engine = Engine("docker", (*prefix, "docker"))
        if shutil.which("docker") and engine.ok("info"):
            return engine
    raise LabProblem(
        "The practice server is a container, and this computer has neither podman "
        "nor a running docker.",
        do="./guide installs podman where it may.",
    )


def as_root() -> tuple[str, ...]:
    """What stands before a command that needs root, asking for no password."""
    return () if os.geteuid() == 0 else ("sudo", "-n")


def _podman(state: Path) -> Engine:
    root = as_root()
    if root and subprocess.run([*root, "true"], capture_output=True).returncode:
        raise LabProblem(
            "You are not root here, and sudo asks for a password first.",
            "The practice server needs root, for its network and its systemd.",
            "Type sudo -v in this terminal, then the same command again.",
        )
    if "CONTAINERS_CONF" in os.environ:  # somebody knows better
        return Engine("podman", (*root, "podman"))
    conf = containers_conf(_quirks())
    if not conf:
        return Engine("podman", (*root, "podman"))
    path = state / "containers.conf"
    path.write_text(conf)
    env = {"CONTAINERS_CONF": str(path)}
    return Engine("podman", (*root, *_env_words(env, root), "podman"), env)


def _env_words(env: Mapping[str, str], root: tuple[str, ...]) -> list[str]:
    """`env A=B` after sudo, which passes no environment on."""
    return ["env", *(f"{k}={v}" for k, v in env.items())] if root else []


@dataclass(frozen=True)
class Quirks:
    """What is special here: no unified cgroups, no systemd, lowered limits."""

    unified: bool = True
    systemd: bool = True
    limits: Mapping[str, int] = field(default_factory=dict)


def _quirks() -> Quirks:
    mounts = Path("/proc/mounts").read_text()
    status = Path("/proc/self/status").read_text()
    kinds = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
    hard = {name: resource.getrlimit(kind)[1] for name, kind in kinds.items()}
    return Quirks(
        unified=has_unified_cgroups(mounts),
        systemd=Path("/run/systemd/system").is_dir(),
        limits={} if may_raise_limits(status) else hard,
    )


def has_unified_cgroups(mounts: str) -> bool:
    """Whether /sys/fs/cgroup is cgroup2 itself, by the text of /proc/mounts."""
    rows = (line.split() for line in mounts.splitlines())
    return any(r[1:3] == ["/sys/fs/cgroup", "cgroup2"] for r in rows)


def may_raise_limits(status: str) -> bool:
    """Whether CAP_SYS_RESOURCE is to be had, by the text of /proc/self/status.

    The bounding set counts, not our own: under sudo the engine may have more.
    """
    words = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return bool(int(words.get("CapBnd", "0").strip(), 16) & CAP_SYS_RESOURCE)


def _allowed(hard: int, enough: int) -> int:
    """What is enough, or the hard limit where that is lower."""
    return enough if hard == resource.RLIM_INFINITY else min(hard, enough)


def containers_conf(quirks: Quirks) -> str:
    """The private settings podman needs with these quirks; "" when none."""
    lines = []
    if quirks.limits:  # podman's own defaults are higher than the hard limits here
        low = {k: _allowed(v, LIMITS[k]) for k, v in quirks.limits.items()}
        words = ", ".join(f'"{k}={v}:{v}"' for k, v in low.items())
        lines += ["[containers]", f"default_ulimits = [{words}]"]
    if not (quirks.unified and quirks.systemd):
        lines += ["[engine]", 'cgroup_manager = "cgroupfs"']
    if not quirks.unified:  # crun refuses hybrid cgroups
        lines += ['runtime = "runc"']
    return "\n".join(lines) + "\n" if lines else ""


# Whether this computer can run containers at all, asked before anything is built.
#
# Inside another container, or where the kernel says no, the engine would fail late and
# in many words.  Docker needs no such question: its daemon is elsewhere, and answered.
# Manuals: unshare(1), namespaces(7).


def must_be_able(engine: Engine) -> None:
    """Return when a container of root's may have namespaces; LabProblem when not."""
    if engine.name != "podman":
        return
    argv = [*as_root(), "unshare", "--mount", "--pid", "--net", "--fork", "true"]
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().rpartition(": ")[2]
        raise LabProblem(f"This computer lets no container run: {said}.")
