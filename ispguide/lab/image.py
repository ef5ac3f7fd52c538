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
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ispguide.lab.engine import Engine, LabProblem, Watch, as_root, failed
from ispguide.mail.packages import PACKAGES

# Where the practice server gets its packages: from where its host gets them.
#
# Reads the host's apt sources (sources.list(5), both forms) and the few apt
# settings without which they cannot be reached.  Only Debian's own suites are
# taken over, always as those of Debian 12; third-party ones stay outside.
# No mirror is written down anywhere: without Debian sources on the host, the
# base image's or mmdebstrap's own are used.


CODENAME = "bookworm"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_SUITE = re.compile(r"(?:bookworm|trixie|forky|stable|testing)(-updates|-security)?")
_SETTINGS = ("Acquire::http::Proxy", "Acquire::https::Proxy")
_SWITCHES = ("Acquire::Check-Valid-Until", "Acquire::Check-Date")


@dataclass(frozen=True)
class Source:
    """One address with one suite, as a line of sources.list would have it."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""

    def is_debian(self) -> bool:
        """Whether this is Debian's own archive, and not one that sits beside it."""
        last = urlsplit(self.uri).path.rstrip("/").rpartition("/")[2]
        return (
            last.startswith("debian")
            and _SUITE.fullmatch(self.suite) is not None
            and "main" in self.components
            and (not self.signed_by or "debian-archive" in self.signed_by)
        )

    def line(self) -> str:
        """The line for the practice server: Debian 12, main, Debian's keys."""
        match = _SUITE.fullmatch(self.suite)
        suite = CODENAME + ((match and match[1]) or "")
        return f"deb [signed-by={KEYRING}] {self.uri.rstrip('/')} {suite} main"


def inherited(etc: Path = Path("/etc/apt")) -> str:
    """The host's Debian sources as the text of a sources.list; "" when none."""
    lists = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))]
    found: list[Source] = []
    for path in filter(Path.is_file, lists):
        found += one_line(path.read_text())
    for path in sorted((etc / "sources.list.d").glob("*.sources")):
        found += deb822(path.read_text())
    return sources_list(found)


def sources_list(found: Iterable[Source]) -> str:
    """The text with Debian's own among these, each line once."""
    lines = dict.fromkeys(s.line() for s in found if s.is_debian())
    return "".join(f"{line}\n" for line in lines)


def one_line(text: str) -> Iterator[Source]:
    """Sources in the old form: deb [options] URI suite component…"""
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if match:
            options, uri, suite, components = match.groups()
            key = re.search(r"signed-by=(\S+)", options or "")
            yield Source(uri, suite, tuple(components.split()), key[1] if key else "")


def deb822(text: str) -> Iterator[Source]:
    """Sources in the form of deb822(5): paragraphs of Field: value."""
    plain = "\n".join(r for r in text.splitlines() if not r.startswith("#"))
    for paragraph in re.split(r"\n\s*\n", plain):
        pairs = re.findall(r"^([\w-]+):((?:.*)(?:\n[ \t].*)*)", paragraph, re.M)
        field = {name.lower(): value.split() for name, value in pairs}
        if "deb" not in field.get("types", []) or field.get("enabled") == ["no"]:
            continue
        for uri in field.get("uris", []):
            for suite in field.get("suites", []):
                parts = tuple(field.get("components", []))
                yield Source(uri, suite, parts, " ".join(field.get("signed-by", [])))


def apt_settings(dump: str | None = None) -> str:
    """The apt.conf text with what reaching these sources needs here: proxies."""
    if dump is None:
        dump = _dump()
    found = dict(re.findall(r'^(\S+) "(.+)";$', dump, re.M))
    keep = {k: found[k] for k in _SETTINGS if "//" in found.get(k, "")}
    keep |= {k: found[k] for k in _SWITCHES if found.get(k) == "false"}
    # A proxy on the host's loopback cannot be reached from inside a container.
    loopback = re.compile(r"//(localhost|127\.|\[::1\])")
    rows = (f'{k} "{v}";\n' for k, v in keep.items() if not loopback.search(v))
    return "".join(rows)


def _dump() -> str:
    if not shutil.which("apt-config"):  # not a Debian host
        return ""
    done = subprocess.run(["apt-config", "dump"], capture_output=True, text=True)
    return done.stdout


# The images: a Debian 12 base, the bare server on it, the practice internet.


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
