"""What the files of a lab's containers say: the templates, and their values.

Every address follows from the lab's network and the last number of a host.  Writes
nothing; `box.py` puts the files where they belong.
"""

from __future__ import annotations

import hashlib
import io
import ipaddress
import os
import secrets
import tarfile
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from typing import Any

from ispguide.lab.network import Network, host_resolvers
from ispguide.lab.place import FILES, HOSTNAME, Place

#: The last number of each address in the lab's networks.  Of the spammer's three, the
#: first is on the block list and has a generic reverse name, the second has no
#: reverse name, and the third is a decent server that somebody broke into.
INTERNET, MAIL, FRIEND = 2, 10, 20
SPAMMER, NAMELESS, HIRED = 30, 31, 32
BLOCKLIST, PUBLIC = 40, 53

HOSTS = {
    "internet": INTERNET,
    "mail": MAIL,
    "friend": FRIEND,
    "spammer": SPAMMER,
    "nameless": NAMELESS,
    "hired": HIRED,
    "blocklist": BLOCKLIST,
    "public": PUBLIC,
}

#: Who lives in the internet's container beside its own address.
STRANGERS = (FRIEND, SPAMMER, NAMELESS, HIRED, BLOCKLIST, PUBLIC)


def values(place: Place, net: Network) -> dict[str, str]:
    """What the files of this lab's containers are filled in with."""
    found = {f"{name}4": net.ip4(number) for name, number in HOSTS.items()}
    forward = " ".join(f"{address};" for address in host_resolvers())
    found |= {
        "tsig": place.tsig,
        "forwarders": f"forward only; forwarders {{ {forward} }};" if forward else "",
        "generic4": generic(net),
        "reverse4": ".".join(net.ip4(0).split(".")[2::-1]) + ".in-addr.arpa",
        "reverse6": _zone6(net),
        "ben_hash": hashed(place.password("ben").read_text()),
        "relay_hash": hashed(place.password("relay").read_text()),
        "blocklist_binds": f"-b {net.ip4(BLOCKLIST)}/53",
    }
    return found | _six(net, found["blocklist_binds"])


def generic(net: Network) -> str:
    """The name of the spammer's line, as providers make them from an address."""
    return net.ip4(SPAMMER).replace(".", "-") + ".pool"


def _six(net: Network, binds: str) -> dict[str, str]:
    """The same for IPv6, in whole words or lines, so that they can be absent."""
    has, stub = net.six, f'stub-zone:\n    name: "{_zone6(net)}."\n    stub-addr: '
    addresses = {f"{name}6": net.ip6(number) for name, number in HOSTS.items()}
    found = addresses | {
        "aaaa_mail": f"mail IN AAAA {net.ip6(MAIL)}",
        "aaaa_friend": f"mail IN AAAA {net.ip6(FRIEND)}",
        "aaaa_hired": f"mail IN AAAA {net.ip6(HIRED)}",
        "generic_aaaa": f"{generic(net)} IN AAAA {net.ip6(SPAMMER)}",
        "ptr6": "\n".join(_reverse6(net)),
        "strangers6": " ".join(f"{net.ip6(n)}/64" for n in STRANGERS),
        "stub6": stub + net.ip4(INTERNET),
        "hosts6": f"{net.ip6(MAIL)} {HOSTNAME} mail",
        "not_blocklist6": f"!{net.ip6(BLOCKLIST)};",
        "and_public6": f"{net.ip6(PUBLIC)};",
    }
    binds6 = {
        "blocklist_binds": f"{binds} -b {net.ip6(BLOCKLIST)}/53" if has else binds
    }
    return (found if has else dict.fromkeys(found, "")) | binds6


def _zone6(net: Network) -> str:
    """The zone of the reverse names of the lab's IPv6 addresses."""
    return ".".join(_nibbles(net.ip6(0))[16:]) + ".ip6.arpa"


def _reverse6(net: Network) -> list[str]:
    names = {
        INTERNET: "internet.example-ca.test.",
        MAIL: f"{HOSTNAME}.",
        FRIEND: "mail.friend.test.",
        SPAMMER: f"{generic(net)}.spammer.test.",
        HIRED: "mail.spammer.test.",
    }
    return [
        f"{'.'.join(_nibbles(net.ip6(n)))}.ip6.arpa. IN PTR {name}"
        for n, name in names.items()
    ]


def _nibbles(address: str) -> list[str]:
    """The 32 digits of an IPv6 address, last one first."""
    return list(ipaddress.IPv6Address(address).exploded.replace(":", "")[::-1])


def hashed(password: str) -> str:
    """As Dovecot's passwd-file has it; enough for a password that nobody chose."""
    salt = os.urandom(8)
    digest = hashlib.sha512(password.encode() + salt).digest()
    return "{SSHA512}" + b64encode(digest + salt).decode()


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
        end = archive.offset + 2 * tarfile.BLOCKSIZE
    # Nothing behind the two blocks that end it: podman stops reading there, and may
    # then fail because the rest was not read (containers/buildah, issue 6573).
    return out.getvalue()[:end]


def _entry(name: str, mode: int, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.type, entry.mtime = mode, kind, int(time.time())
    return entry


# Where everything of a lab is, as `lab status` tells people and programs.
#
# Passwords are not told, only the files they lie in.  Starts and asks nothing.


#: What a mail server may answer on.
PORTS = (22, 25, 53, 80, 110, 143, 443, 465, 587, 993, 995, 4190)
DOMAIN = HOSTNAME.partition(".")[2]


@dataclass(frozen=True)
class Status:
    """Where everything is.  `net` is None when there never was a network."""

    running: bool
    place: Place
    net: Network | None

    def as_dict(self) -> dict[str, Any]:
        """As `lab status --json` prints it."""
        net = self.net
        return {
            "running": self.running,
            "resolver": [net.ip4(INTERNET), 53] if net else None,
            "public_resolver": [net.ip4(PUBLIC), 53] if net else None,
            "trust_anchors": str(self.place.anchors),
            "ca_file": str(self.place.ca_file),
            "friend": self._friend(net.ip4(FRIEND)) if net else None,
            "seats": [self._seat(net.ip4(MAIL))] if net else [],
        }

    def _friend(self, address: str) -> dict[str, Any]:
        """The provider elsewhere: its mailbox, and its login for those who relay."""
        return {
            "hostname": "mail.friend.test",
            "address": address,
            "ports": {str(port): [address, port] for port in (25, 587, 993)},
            "ca_file": str(self.place.acme_ca),
            "user": "ben@friend.test",
            "password_file": str(self.place.password("ben")),
            "relay_user": "relay@friend.test",
            "relay_password_file": str(self.place.password("relay")),
        }

    def _seat(self, address: str) -> dict[str, Any]:
        ssh = {
            "host": address,
            "port": 22,
            "user": "root",
            "key": str(self.place.key),
            "known_hosts": str(self.place.known_hosts),
        }
        names = {"name": "practice", "hostname": HOSTNAME, "domain": DOMAIN}
        ports = {str(port): [address, port] for port in PORTS if port != 53}
        return {**names, "address": address, "ssh": ssh, "ports": ports}
