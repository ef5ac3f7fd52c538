"""The images: a Debian 12 base, the bare server on it, the practice internet.

The base comes from an image registry where one answers, else from mmdebstrap;
both go through the same Containerfile.  An image is named by a hash of all it
is made of and of the week, so it is built once and refreshed weekly.
It starts nothing.  Manuals: podman-build(1), mmdebstrap(1), apt-get(8).
"""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ispguide.chapters.packages import PACKAGES
from ispguide.lab.engine import Engine, LabProblem, Watch, as_root, failed
from ispguide.lab.sources import CODENAME, apt_settings, inherited

HERE = Path(__file__).parent
REGISTRY = "debian:12-slim"  # the engine's own short names say where that is
_SYSTEM = "systemd,systemd-sysv,dbus,openssh-server,python3,iproute2"


def packages() -> list[str]:
    """What the guide will install; its archives lie ready in the server's image."""
    return sorted(PACKAGES)


def server(engine: Engine, watch: Watch) -> str:
    """The image of the bare server, built when there is none of this week."""
    words = " ".join(packages())
    name = _name("server", words, inherited(), apt_settings())
    return _built(engine, name, "server", watch, PACKAGES=words)


def internet(engine: Engine, watch: Watch) -> str:
    """The image of the practice internet, likewise."""
    name = _name("internet", inherited(), apt_settings())
    return _built(engine, name, "internet", watch)


def recipe() -> str:
    """Tells one practice internet from another: a hash of all its files say.

    The week is no part of it: a newer Debian is no reason to forget the zones."""
    files = (HERE / "internet", HERE / "files" / "internet")
    found = sorted(p for f in files for p in f.rglob("*") if p.is_file())
    return hashlib.sha256(b"\0".join(p.read_bytes() for p in found)).hexdigest()[:12]


def _name(kind: str, *parts: str) -> str:
    """localhost/ispguide-KIND:HASH over the recipe, the parts and the week."""
    year, week, _ = datetime.date.today().isocalendar()
    recipe = sorted(p for p in (HERE / kind).rglob("*") if p.is_file())
    base = (HERE / "server" / "Containerfile").read_bytes()
    blob = b"\0".join([base, *(p.read_bytes() for p in recipe)])
    blob += "\0".join([*parts, f"{year}-{week}"]).encode()
    return f"localhost/ispguide-{kind}:{hashlib.sha256(blob).hexdigest()[:12]}"


def _built(engine: Engine, name: str, kind: str, watch: Watch, **args: str) -> str:
    with _alone():
        if engine.ok("image", "inspect", name):
            return name
        base = _base(engine, watch)
        watch(f"Building the image of the {kind}; once a week, about a minute …")
        words = [f"--build-arg={k}={v}" for k, v in {"BASE": base, **args}.items()]
        with _recipe(kind) as folder:
            engine.run("build", "--network=host", *words, "-t", name, str(folder))
        _forget(engine, kind)
    return name


@contextmanager
def _alone() -> Iterator[None]:
    """Two labs that begin together build an image once; the kernel ends the lock."""
    with (Path(tempfile.gettempdir()) / "ispguide-images.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _recipe(kind: str) -> Iterator[Path]:
    """The build folder: the recipe's files, and the host's way to packages."""
    with tempfile.TemporaryDirectory(prefix="ispguide-") as name:
        folder = Path(name) / kind
        shutil.copytree(HERE / kind, folder)
        (folder / "apt" / "apt.conf.d").mkdir(parents=True)
        if text := inherited():
            (folder / "apt" / "sources.list").write_text(text)
        (folder / "apt" / "apt.conf.d" / "90practice").write_text(_apt_conf())
        yield folder


def _apt_conf() -> str:
    """apt.conf of the practice server: the host's proxies; no translations."""
    return apt_settings() + 'Acquire::Languages "none";\n'


def _base(engine: Engine, watch: Watch) -> str:
    """A Debian 12 image to start from, fetched or made once a week."""
    name = _name("base", inherited(), apt_settings())
    if engine.ok("image", "inspect", name):
        return name
    watch("Looking for a Debian 12 base image …")
    if engine.ok("pull", "--quiet", REGISTRY):
        engine.run("tag", REGISTRY, name)
        return name
    watch("No image registry answers. Making the base with mmdebstrap, 20 seconds …")
    with tempfile.TemporaryDirectory(prefix="ispguide-") as folder:
        tar = Path(folder) / "base.tar"
        _mmdebstrap(tar)
        engine.run("import", str(tar), name)
    return name


def _mmdebstrap(tar: Path) -> None:
    """Write a minimal Debian 12 with apt, from the host's own sources."""
    if not shutil.which("mmdebstrap"):
        raise LabProblem(
            "No image registry answers, and mmdebstrap is not installed.",
            "One of the two gives the practice server its Debian 12.",
            "Run ./guide once: it installs mmdebstrap.",
        )
    argv = ["mmdebstrap", "--quiet", "--variant=apt", f"--include={_SYSTEM}"]
    argv += ["--dpkgopt=force-unsafe-io"]
    argv += [f"--aptopt={line}" for line in _apt_conf().splitlines()]
    argv += [CODENAME, str(tar), *(["-"] if inherited() else [])]
    done = subprocess.run(
        [*as_root(), *argv], input=inherited().encode(), capture_output=True
    )
    if done.returncode:
        raise failed("mmdebstrap", done)


def _forget(engine: Engine, kind: str) -> None:
    """Drop images of this kind that are older than two weeks and not in use."""
    engine.run(
        *("image", "prune", "--all", "--force", "--filter", "until=336h"),
        *("--filter", f"label=ispguide={kind}"),
        check=False,
    )
