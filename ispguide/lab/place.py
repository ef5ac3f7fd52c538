"""What one lab is called, where it lives and what its files say.

A lab belongs to one local state folder (`profile.home()`): its name is derived
from that folder's path, so two folders give two labs that never meet.
Starts and stops nothing.
"""

from __future__ import annotations

import hashlib
import io
import ipaddress
import json
import secrets
import subprocess
import tarfile
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import Template

from ispguide import profile
from ispguide.lab.engine import failed
from ispguide.lab.network import Network, host_resolvers

FILES = Path(__file__).parent / "files"
ACME = "acme.example-ca.test"
HOSTNAME = "mail.example.test"

#: The last number of each address in the lab's networks.
INTERNET, MAIL, FRIEND, SPAMMER = 2, 10, 20, 30


@dataclass(frozen=True)
class Place:
    """The lab of one state folder."""

    home: Path

    @cached_property
    def lab(self) -> str:
        """The lab's name, which is its network's too; containers append theirs."""
        path = str(self.home.resolve()).encode()
        return f"ispguide-{hashlib.sha256(path).hexdigest()[:8]}"

    @cached_property
    def folder(self) -> Path:
        """Where the lab keeps its state, readable by its owner only."""
        path = self.home / "lab" / self.lab
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    @property
    def key(self) -> Path:
        """The private key that opens the practice servers, made at first use."""
        path = self.folder / "id_ed25519"
        if not path.exists():
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.lab]
            done = subprocess.run([*argv, "-f", str(path)], capture_output=True)
            if done.returncode:
                raise failed("ssh-keygen", done)
        return path

    @property
    def known_hosts(self) -> Path:
        """The pinned host keys."""
        return self.folder / "known_hosts"

    @property
    def ca_file(self) -> Path:
        """The roots that vouch for certificates of the practice authority."""
        return self.folder / "ca.pem"

    @property
    def acme_ca(self) -> Path:
        """The root that vouches for the authority's own address."""
        return self.folder / "acme-ca.pem"

    @property
    def tsig(self) -> str:
        """The key for dynamic updates of the zones, base64, made at first use."""
        path = self.folder / "tsig"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(b64encode(secrets.token_bytes(32)).decode())
        return path.read_text()

    @property
    def network(self) -> Network | None:
        """The network this lab had last, if it ever had one."""
        path = self.folder / "network.json"
        return Network(**json.loads(path.read_text())) if path.exists() else None

    def remember(self, network: Network) -> Network:
        """Keep which network this lab has."""
        words = {"place": network.place, "six": network.six}
        (self.folder / "network.json").write_text(json.dumps(words))
        return network


def here() -> Place:
    """The lab of the current state folder."""
    return Place(profile.home())


def values(place: Place, net: Network) -> dict[str, str]:
    """What the files of this lab's containers are filled in with."""
    hosts = {"internet": INTERNET, "mail": MAIL, "friend": FRIEND, "spammer": SPAMMER}
    found = {f"{name}4": net.ip4(number) for name, number in hosts.items()}
    forward = " ".join(f"{address};" for address in host_resolvers())
    found |= {
        "tsig": place.tsig,
        "forwarders": f"forward only; forwarders {{ {forward} }};" if forward else "",
        "listed": ".".join(reversed(net.ip4(SPAMMER).split("."))),
        "reverse4": ".".join(net.ip4(0).split(".")[2::-1]) + ".in-addr.arpa",
        "reverse6": ".".join(_nibbles(net.ip6(0))[16:]) + ".ip6.arpa",
    }
    return found | (_six(net) if net.six else dict.fromkeys(_SIX, ""))


_SIX = ("aaaa_mail", "aaaa_friend", "aaaa_spammer", "ptr6", "strangers6", "hosts6")
_NAMES = {
    INTERNET: "internet.example-ca.test.",
    MAIL: f"{HOSTNAME}.",
    FRIEND: "mail.friend.test.",
    SPAMMER: "mail.spammer.test.",
}


def _six(net: Network) -> dict[str, str]:
    """The same for IPv6, in whole lines, so that they can be absent."""
    ptr = (
        f"{'.'.join(_nibbles(net.ip6(n)))}.ip6.arpa. IN PTR {name}"
        for n, name in _NAMES.items()
    )
    aaaa = {
        f"aaaa_{name}": f"mail IN AAAA {net.ip6(number)}"
        for name, number in {"mail": MAIL, "friend": FRIEND, "spammer": SPAMMER}.items()
    }
    strangers = f"{net.ip6(FRIEND)}/64 {net.ip6(SPAMMER)}/64"
    return aaaa | {
        "ptr6": "\n".join(ptr),
        "strangers6": strangers,
        "hosts6": f"{net.ip6(MAIL)} {HOSTNAME} mail",
    }


def _nibbles(address: str) -> list[str]:
    """The 32 digits of an IPv6 address, last one first."""
    return list(ipaddress.IPv6Address(address).exploded.replace(":", "")[::-1])


def filled(folder: str, words: Mapping[str, str]) -> dict[str, bytes]:
    """The files below lab/files/FOLDER by the path they will have, filled in."""
    root = FILES / folder
    return {
        str(path.relative_to(root)): Template(path.read_text())
        .substitute(words)
        .encode()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def machine_id() -> dict[str, bytes]:
    """An identity of its own; without one, systemd holds a "first boot"."""
    return {"etc/machine-id": f"{secrets.token_hex(16)}\n".encode()}


def tar(files: Mapping[str, bytes]) -> bytes:
    """The files as a tar archive of root's, 0644; /root/.ssh is root's alone."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        if any(name.startswith("root/.ssh/") for name in files):
            archive.addfile(_entry("root/.ssh", 0o700, tarfile.DIRTYPE))
        for name, content in files.items():
            entry = _entry(name, 0o644, tarfile.REGTYPE)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def _entry(name: str, mode: int, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.type, entry.mtime = mode, kind, int(time.time())
    return entry
