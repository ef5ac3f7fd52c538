"""Names and addresses of a lab: derived from its name, checked for being free.

The networks come out of 198.18.0.0/15 and 2001:db8::/32.  Both look public:
rspamd treats private ranges as its own and then adds no headers and no scores.
It sets up no firewall and no routes; the engine does.
Sources: RFC 2544 (198.18.0.0/15), RFC 3849 (2001:db8::/32), ip-route(8).
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from ispguide.lab.engine import Engine, LabProblem

#: How many /24 fit into 198.18.0.0/15.
PLACES = 512


@dataclass(frozen=True)
class Network:
    """The `place`-th of the 512 networks; hosts are named by their last number."""

    place: int
    six: bool = True

    @property
    def v4(self) -> IPv4Network:
        """198.18.0.0/24 … 198.19.255.0/24."""
        return IPv4Network(f"198.{18 + self.place // 256}.{self.place % 256}.0/24")

    @property
    def v6(self) -> IPv6Network:
        """2001:db8:0::/64 … 2001:db8:1ff::/64."""
        return IPv6Network(f"2001:db8:{self.place:x}::/64")

    def ip4(self, host: int) -> str:
        """IPv4 address of that host."""
        return str(self.v4[host])

    def ip6(self, host: int) -> str:
        """IPv6 address of that host, the same digits read as hexadecimal."""
        return str(self.v6[int(str(host), 16)])

    def mac(self, host: int) -> str:
        """Hardware address of that host.

        A fresh server keeps it: its neighbours would otherwise go on calling the
        old one, for half a minute.
        """
        return f"02:c6:12:{self.place // 256:02x}:{self.place % 256:02x}:{host:02x}"


def candidates(lab: str, six: bool, taken: Iterable[str]) -> Iterator[Network]:
    """Free networks for this lab, the one its name points to first."""
    used = [ip_network(text, strict=False) for text in taken]
    first = int(hashlib.sha256(lab.encode()).hexdigest()[:8], 16)
    for step in range(PLACES):
        network = Network((first + step) % PLACES, six)
        ours = (network.v4, network.v6)
        if not any(
            a.version == b.version and a.overlaps(b) for a in ours for b in used
        ):
            yield network


def routes() -> list[str]:
    """Every network this computer has a route to, the default one left out."""
    found = []
    for family in ("-4", "-6"):
        argv = ["ip", "-json", family, "route", "show", "table", "all"]
        done = subprocess.run(argv, capture_output=True)
        rows = json.loads(done.stdout or b"[]")
        found += [row["dst"] for row in rows if row.get("dst") not in (None, "default")]
    return [
        text for text in found if text[0] in "0123456789abcdef" and "/0" not in text
    ]


def has_ipv6() -> bool:
    """Whether this computer's kernel speaks IPv6."""
    off = Path("/proc/sys/net/ipv6/conf/all/disable_ipv6")
    return off.is_file() and off.read_text().strip() == "0"


def smallest_mtu() -> int:
    """The smallest packet size of the interfaces that are up, at most 1500 bytes.

    A container that sends larger ones loses them silently on some clouds.
    """
    sizes = [1500]
    for link in Path("/sys/class/net").iterdir():
        if (link / "operstate").read_text().strip() == "up":
            sizes.append(int((link / "mtu").read_text()))
    return max(min(sizes), 1280)  # the least IPv6 allows


def create(engine: Engine, lab: str) -> Network:
    """Make the engine's network for this lab on the first place that is free."""
    for network in candidates(lab, has_ipv6(), routes()):
        done = engine.run(
            "network", "create", *_words(engine, network), lab, check=False
        )
        if done.returncode == 0:
            return network
        if not any(word in done.stderr for word in (b"used", b"overlap", b"conflict")):
            break
    raise LabProblem(
        "No network could be made for the practice server.",
        "A piece of 198.18.0.0/15 should be free for it.",
        "Look at `ip route`, take down what you do not need, then try again.",
        done.stderr.decode(errors="replace"),
    )


def _words(engine: Engine, network: Network) -> list[str]:
    """The options for the engine's `network create`."""
    mtu = "mtu" if engine.name == "podman" else "com.docker.network.driver.mtu"
    words = ["--subnet", str(network.v4), "--opt", f"{mtu}={smallest_mtu()}"]
    if network.six:
        words += ["--ipv6", "--subnet", str(network.v6)]
    if engine.name == "podman":  # bind9 in the practice internet answers instead
        words.append("--disable-dns")
    return [*words, "--label", "ispguide=lab"]


def resolvers(*texts: str) -> list[str]:
    """The name servers in resolv.conf texts that a container can reach too.

    One on loopback (systemd-resolved, dnsmasq) cannot; the first text with any
    other one decides.  None: the practice resolver asks the root servers itself.
    """
    for text in texts:
        rows = [line.split() for line in text.splitlines()]
        found = [r[1] for r in rows if len(r) > 1 and r[0] == "nameserver"]
        usable = [a for a in found if not a.startswith(("127.", "::1", "fe80"))]
        if usable:
            return usable
    return []


def host_resolvers() -> list[str]:
    """This computer's own name servers."""
    files = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
    return resolvers(*(f.read_text() for f in files if f.is_file()))
