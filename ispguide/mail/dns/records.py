"""A record that should be in the DNS, and the shapes in which people need it.

Pure data.  Sources: RFC 1035 5.1 (zone files), RFC 7208 3.3 (a text in several pieces
is one text), RFC 1034 3.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

REQUIRED, RECOMMENDED, OPTIONAL = "required", "recommended", "optional"
LEVELS = (REQUIRED, RECOMMENDED, OPTIONAL)

#: One piece of a text holds no more bytes than this.
PIECE = 255


@dataclass(frozen=True)
class Record:
    """`key`: its place in the guide.  `name`: absolute, without the final dot.

    `values`: as in a zone file, texts without quotes; none: there should be no such
    record.  `level`: one of LEVELS.  `ttl`: seconds that others may remember it."""

    key: str
    name: str
    type: str
    values: tuple[str, ...]
    level: str
    why: str
    ttl: int = 3600

    def __str__(self) -> str:
        return f"{self.type} of {self.name}"

    def relative(self, zone: str) -> str:
        """The name as web forms want it: without the zone, "@" for the zone itself."""
        if self.name == zone:
            return "@"
        return self.name.removesuffix(f".{zone}")

    def within(self, zone: str) -> bool:
        """Whether the record stands in that zone."""
        return self.name == zone or self.name.endswith(f".{zone}")

    def lines(self) -> list[str]:
        """As lines of a zone file, with absolute names."""
        return [
            f"{self.name}. {self.ttl} IN {self.type} {written(self.type, value)}"
            for value in self.values
        ]


@dataclass(frozen=True)
class Shapes:
    """One value of a record, as it may have to be typed.

    `fields`: (label, value) for forms that want a value in several fields."""

    relative: str
    absolute: str
    line: str
    pieces: str
    zone: str
    fields: tuple[tuple[str, str], ...] = ()


def shapes(record: Record, zone: str) -> list[Shapes]:
    """Every value of the record in all its shapes."""
    return [
        Shapes(
            record.relative(zone),
            f"{record.name}.",
            value,
            written(record.type, value),
            line,
            _fields(record.type, value),
        )
        for value, line in zip(record.values, record.lines(), strict=True)
    ]


def _fields(kind: str, value: str) -> tuple[tuple[str, str], ...]:
    labels = {
        "MX": ("priority", "server"),
        "SRV": ("priority", "weight", "port", "server"),
        "CAA": ("flags", "tag", "value"),
        "TLSA": ("usage", "selector", "matching type", "certificate data"),
    }.get(kind, ())
    words = [w.strip('"') for w in value.split(" ", max(len(labels) - 1, 0))]
    return tuple(zip(labels, words, strict=True)) if labels else ()


def written(kind: str, value: str) -> str:
    """The value as a zone file has it: a text in quotes, and in pieces if it is long."""
    if kind != "TXT":
        return value
    return " ".join(f'"{_escaped(piece)}"' for piece in pieces(value))


def _escaped(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)


def pieces(text: str) -> list[str]:
    """The text cut so that no piece has more than 255 bytes."""
    data = text.encode()
    cut = [data[i : i + PIECE] for i in range(0, len(data), PIECE)]
    return [piece.decode(errors="surrogateescape") for piece in cut] or [""]


def zone_file(records: Iterable[Record], zone: str) -> str:
    """The records of a zone as a file to import; those of other zones as comments."""
    return "\n".join(_zone_lines(list(records), zone)) + "\n"


def _zone_lines(records: list[Record], zone: str) -> Iterator[str]:
    yield f"; What the mail server needs in the zone {zone}."
    yield "; To be imported into it, or copied line by line."
    yield f"$ORIGIN {zone}."
    for level in LEVELS:
        inside = [r for r in records if r.level == level and r.within(zone)]
        if any(r.values for r in inside):
            yield f"\n; {level}"
        for record in inside:
            yield from record.lines()
    if outside := [r for r in records if not r.within(zone)]:
        yield "\n; In other zones, as that of your server's provider (reverse names):"
        yield from (f"; {line}" for record in outside for line in record.lines())
