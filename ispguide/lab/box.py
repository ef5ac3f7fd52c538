"""One container as a little computer: made, started, looked into, thrown away.

It boots systemd and looks to the guide like a rented server.  The way into it past
its own doors (`run`) stands for the provider's console.
Manuals: podman-run(1) (--systemd), podman-cp(1), nsenter(1).
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ispguide.lab.engine import Done, Engine, LabProblem, as_root, failed
from ispguide.lab.filling import tar
from ispguide.lab.network import Network

#: Files the engine lays over the server's own.  On a rented server they can be
#: replaced as a whole, and a mounted file cannot.
_LAID_OVER = ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf")

_NAMESPACES = ("-m", "-u", "-i", "-n", "-p", "-C")
#: What the engine would give to a command.
_ENVIRONMENT = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "container=oci",
)

#: By a box's name: its init's process id on this computer, and when that began.
_INITS: dict[str, tuple[str, str]] = {}


def _began(pid: str) -> str:
    """When a process began (proc(5), stat, field 22); "" when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return stat.rpartition(")")[2].split()[19]


@dataclass(frozen=True)
class Box:
    """A container by its name."""

    engine: Engine
    name: str
    hostname: str

    def state(self) -> str:
        """running, exited, created …, or "" when there is none."""
        argv = ("container", "inspect", "-f", "{{.State.Status}}", self.name)
        return self.engine.run(*argv, check=False).stdout.decode().strip()

    def recipe(self) -> str:
        """What it was made by, as `create` was told; "" when nothing was said."""
        argv = ("-f", '{{index .Config.Labels "ispguide.recipe"}}', self.name)
        done = self.engine.run("container", "inspect", *argv, check=False)
        return done.stdout.decode().strip()

    def create(
        self,
        image: str,
        net: Network,
        host: int,
        lab: str,
        archives: Iterable[bytes],
        recipe: str = "",
    ) -> None:
        """Make it with these files in it, not yet running: whole, or not at all."""
        try:
            self.engine.run(*self._words(net, host, lab, recipe), image, "/sbin/init")
            for archive in archives:
                self.unpack(archive)
        except LabProblem:
            self.remove()  # half a container would be taken for a stopped one
            raise

    def _words(self, net: Network, host: int, lab: str, recipe: str) -> list[str]:
        """The command that makes it; NET_ADMIN lets nftables work inside."""
        words = ["create", "--name", self.name, "--hostname", self.hostname]
        words += ["--network", lab, "--label", f"ispguide.recipe={recipe}"]
        words += ["--ip", net.ip4(host), "--cap-add", "NET_ADMIN", *self._systemd()]
        words += ["--ip6", net.ip6(host)] if net.six else []
        return [*words, "--mac-address", net.mac(host)]

    def _systemd(self) -> list[str]:
        if self.engine.name == "podman":
            # Podman's journal would be in memory, and gone after a reboot.
            journal = "--volume=/var/log/journal"
            return ["--systemd=always", "--no-hosts", "--dns=none", journal]
        # docker has no such switch; systemd needs its cgroups and mounts of its own
        return ["--privileged", "--cgroupns=private", "--tmpfs=/run", "--tmpfs=/tmp"]

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write these files, running or not; paths without the leading slash."""
        archive = tar(files)
        if self.runs():  # without the engine, see `run`
            words = ["tar", "-xp", "-C", "/", "--no-overwrite-dir"]
            self.run(words, stdin=archive, check=True)
        else:
            self.unpack(archive)

    def unpack(self, archive: bytes) -> None:
        """Write what this tar archive holds, with its owners and modes; not running."""
        # podman 4 leaves a copy of what it reads behind, in a folder of its choice
        with tempfile.TemporaryDirectory() as own:
            env = {**self.engine.env, "TMPDIR": own}
            engine = dataclasses.replace(self.engine, env=env)
            engine.run("cp", "-", f"{self.name}:/", stdin=archive)

    def start(self) -> None:
        """Boot it, and give it its own /etc/hostname, hosts and resolv.conf."""
        self.engine.run("start", self.name)
        script = 'for f; do umount -n "$f" 2>/dev/null; done; true'
        self.run(["sh", "-c", script, "sh", *_LAID_OVER], check=True)

    def run(self, argv: Iterable[str], stdin: bytes = b"", check: bool = False) -> Done:
        """Run a command in it as root, past every door of its own."""
        # Not by the engine's `exec`: that takes 0.2 s, and this 3 ms.
        words = ["nsenter", "-t", self._first_process(), *_NAMESPACES, "-w"]
        inside = [*words, "env", "-i", *_ENVIRONMENT, *argv]
        done = Engine("nsenter", as_root()).run(*inside, stdin=stdin, check=False)
        if check and done.returncode:
            raise failed(" ".join(argv), done)
        return done

    def runs(self) -> bool:
        """Whether it runs at this moment."""
        return bool(self._init())

    def _first_process(self) -> str:
        """The process id that its init has on this computer."""
        if pid := self._init():
            return pid
        raise LabProblem(
            f"{self.name} does not run, so nothing can be done in it.",
            do="Run ./guide lab up.",
        )

    def _init(self) -> str:
        """The same, or "" when it does not run.  The engine takes 0.1 s to tell."""
        pid, began = _INITS.get(self.name, ("", ""))
        if not began or _began(pid) != began:
            words = ("container", "inspect", "-f", "{{.State.Pid}}", self.name)
            pid = self.engine.run(*words, check=False).stdout.decode().strip()
            if pid in ("", "0"):
                return ""
            _INITS[self.name] = (pid, _began(pid))
        return pid

    def booted(self) -> None:
        """Return when every service has started, or failed to, or after 60 s."""
        script = "until systemctl is-system-running --wait | grep .; do sleep .02; done"
        self.run(["timeout", "60", "sh", "-c", script])

    def stop(self) -> None:
        """Shut it down as a computer is: every service ends in order."""
        self.booted()  # while it boots, it does not listen to being stopped
        # Databases need two seconds.  Dovecot, which has nothing to lose, hangs for
        # half a minute when it has only just started.
        self.engine.run("stop", "--time", "10", self.name)

    def remove(self) -> None:
        """Throw it away at once, whatever it is doing."""
        at_once = ("--time", "0") if self.engine.name == "podman" else ()
        self.engine.run("rm", "--force", "--volumes", *at_once, self.name, check=False)
