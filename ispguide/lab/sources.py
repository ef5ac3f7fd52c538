"""Where the practice server gets its packages: from where its host gets them.

Reads the host's apt sources (sources.list(5), both forms) and the few apt
settings without which they cannot be reached.  Only Debian's own suites are
taken over, always as those of Debian 12; third-party ones stay outside.
No mirror is written down anywhere: without Debian sources on the host, the
base image's or mmdebstrap's own are used.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

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
