"""What one lab is called, where it lives, and its keys.

A lab belongs to one local state folder (`local.home()`): its name is derived
from that folder's path, so two folders give two labs that never meet.
Starts and stops nothing.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import subprocess
from base64 import b64encode
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import Template

from ispguide.engine import local
from ispguide.lab.engine import failed
from ispguide.lab.network import Network

FILES = Path(__file__).parent / "files"
ACME = "acme.example-ca.test"
HOSTNAME = "mail.example.test"


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
    def anchors(self) -> Path:
        """What a validating resolver starts from here, as DS records."""
        return self.folder / "trust-anchors.ds"

    @property
    def identity(self) -> Path:
        """An archive of the practice internet's own keys: with them, another
        container is the same internet."""
        return self.folder / "identity.tar"

    @property
    def tsig(self) -> str:
        """The key for dynamic updates of the zones, base64, made at first use."""
        return self._secret("tsig").read_text()

    def password(self, who: str) -> Path:
        """The file with the password of `who` at friend.test, made at first use."""
        return self._secret(f"password-{who}")

    def _secret(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(b64encode(secrets.token_bytes(32)).decode())
        return path

    @property
    def zone_key(self) -> Path:
        """The same key as a file in BIND's form, for nsupdate and the guide."""
        path = self.folder / "practice.key"
        template = FILES / "internet" / "etc" / "bind" / "practice.key"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(Template(template.read_text()).substitute(tsig=self.tsig))
        return path

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
    return Place(local.home())
