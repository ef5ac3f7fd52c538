"""A change in a zone, as a dynamic update: what this computer sends, and shows first.

It is done from here and not by the server, which therefore never gets the key of a
zone.  Pure; `nameservers.py` sends it.  Sources: RFC 2136, nsupdate(1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ispguide.dns.records import written


@dataclass(frozen=True)
class Publish:
    """Take `remove` away and put `values` there.

    `remove`: single values of this type, or None for all of them.  An alias of the
    same name goes in any case: beside one, nothing else may stand (RFC 1034 3.6.2)."""

    zone: str
    name: str
    type: str
    values: tuple[str, ...]
    remove: tuple[str, ...] | None = None
    ttl: int = 3600

    #: It is not for the server: see `Guide.exchange`.
    do: ClassVar[str] = "publish"

    def lines(self) -> list[str]:
        """As nsupdate reads it."""
        name = f"{self.name}."
        gone = [f"update delete {name} {self.type}"]
        if self.remove is not None:
            gone = [f"{gone[0]} {written(self.type, value)}" for value in self.remove]
        if self.type == "CNAME":
            gone = [f"update delete {name}"]
        else:
            gone.insert(0, f"update delete {name} CNAME")
        return gone + [
            f"update add {name} {self.ttl} {self.type} {written(self.type, value)}"
            for value in self.values
        ]

    def by_hand(self) -> str:
        """With the zone's key in a file; on this computer, not on the server."""
        lines = "\n".join([f"zone {self.zone}.", *self.lines(), "send"])
        return f"nsupdate -k YOUR-KEY-FILE <<'END'\n{lines}\nEND"

    def note(self) -> str:
        """For the ledger on the server: a shell script of comments, which does nothing."""
        what = " and ".join(self.values) or "nothing"
        said = (
            f"# published in the DNS: {self.name} {self.type} {what}\n{self.by_hand()}"
        )
        return said.replace("\n", "\n# ")
