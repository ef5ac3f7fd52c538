"""Conversations with the server from this computer, and answers seen from here.

A `Talk` keeps what was said as readable lines (a password never among them), has
a deadline, and says in a sentence why it did not come about.  `answers` looks up
the facts that start with "outside".  It judges nothing and speaks no protocol but
TLS: `proofs` does, and `lookups` asks name servers.  smtplib and its sisters stay
unused because they do not let through the broken lines and the passwords in UTF-8
that proofs need.
Sources: RFC 7435 (TLS without a check), RFC 3207 (STARTTLS).
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from ispguide.engine.facts import Fact, Have

if TYPE_CHECKING:
    from ispguide.outside.names import Names


CONNECT, WHOLE = 5.0, 15.0  #: seconds to open a connection; for all of it

#: Where TLS is spoken from the first byte on; elsewhere it is asked for.
DIRECT = (443, 465, 993, 995)


class NotReached(Exception):
    """A conversation that did not come about (`opened` is False) or broke."""

    def __init__(self, port: int, opened: bool, why: str, cause: Exception):
        self.port, self.opened, self.cause = port, opened, cause
        super().__init__(f"port {port}: {why}")


@dataclass(frozen=True)
class Where:
    """The server as seen from here.  `check`: whether its certificate can be."""

    host: str
    name: str
    ca_file: str = ""
    check: bool = True

    def context(self) -> ssl.SSLContext:
        """For a user's TLS: the certificate is checked, if there is a way to."""
        if not self.check:
            return unchecked()
        return ssl.create_default_context(cafile=self.ca_file or None)


def unchecked() -> ssl.SSLContext:
    """TLS with whoever answers: mail between servers (RFC 7435), or a look."""
    # Not create_default_context: to read all of this computer's roots takes 25 ms, and
    # none of them is asked.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@dataclass
class Talk:
    """One conversation; `lines` is the record, shared by all talks of a proof."""

    where: Where
    port: int
    lines: list[str] = field(default_factory=list)
    context: ssl.SSLContext | None = None
    patience: float = WHOLE

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.patience
        self._buffer, self._opened = b"", False
        self.tls, self.certificate = "", b""  # once secured: version, leaf as DER
        with self._reasons():
            address = (self.where.host, self.port)
            self.socket: socket.socket = socket.create_connection(address, CONNECT)
        self._opened = True
        self.lines.append(f"   (connected to port {self.port} of {self.where.host})")
        if self.port in DIRECT:
            self.secure()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self._end - time.monotonic()

    @contextmanager
    def _reasons(self) -> Iterator[None]:
        try:
            if self._opened:
                self.socket.settimeout(max(self.left, 0.01))
            yield
        except (OSError, UnicodeError) as error:
            self.lines.append(f"   (broke off: {why(error)})")
            if self._opened:
                self.socket.close()
            raise NotReached(self.port, self._opened, why(error), error) from error

    def secure(self) -> None:
        """From here on, TLS."""
        context = self.context or self.where.context()
        with self._reasons():
            secured = context.wrap_socket(self.socket, server_hostname=self.where.name)
        self.socket, self.tls = secured, secured.version() or ""
        self.certificate = secured.getpeercert(binary_form=True) or b""
        self._buffer = b""  # said before TLS, so perhaps by somebody else: RFC 3207 6
        self.lines.append(f"   (from here on {self.tls})")

    def send(self, data: bytes, shown: str = "") -> None:
        """Say `data` as it is; the record keeps `shown` instead, if given."""
        self.lines.append("C: " + (shown or data.decode(errors="replace").rstrip()))
        with self._reasons():
            self.socket.sendall(data)

    def read(self, size: int = 0) -> bytes:
        """`size` bytes, or one line without its end."""
        while len(self._buffer) < size if size else b"\n" not in self._buffer:
            with self._reasons():
                if not (more := self.socket.recv(65536)):
                    raise ConnectionResetError(0, "the server hung up")
            self._buffer += more
        cut = size or self._buffer.index(b"\n") + 1
        got, self._buffer = self._buffer[:cut], self._buffer[cut:]
        return got if size else got.rstrip(b"\r\n")

    def line(self) -> str:
        """The next line the server says."""
        text = self.read().decode(errors="replace")
        self.lines.append(f"S: {text}")
        return text


def why(error: Exception) -> str:
    """What was in the way, in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason or error})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(getattr(error, "strerror", None) or error).lower()


def answers(
    facts: Iterable[Fact],
    host: str,
    told: Have,
    resolver: str = "",
    updates: bool = False,
) -> Have:
    """The facts ("outside", "now"), ("outside", "updates") and those of lookups.py.

    `told`: what the server has said, for facts that are about it.  `resolver`: whom
    to ask for names, this computer's if empty.  `updates`: whether a key for dynamic
    updates is at hand."""
    from ispguide.outside.names import Names

    asked, names = list(facts), Names(resolver, host)
    with ThreadPoolExecutor(max_workers=16) as pool:
        found = pool.map(lambda fact: _answer(fact, names, updates, told), asked)
        return dict(zip(asked, found, strict=True))


def _answer(fact: Fact, names: Names, updates: bool, told: Have) -> Any:
    from ispguide.outside.lookups import ABOUT, QUESTIONS

    match fact[1:]:
        case ("now",):
            return time.time()
        case ("updates",):
            return {"accepted": updates}
        case ("after", kind, *words) if kind in ABOUT:
            return ABOUT[kind](names, told[tuple(words)])
        case (kind, *words) if kind in QUESTIONS:
            return QUESTIONS[kind](names, *words)
    return {"error": f"nobody knows the question {' '.join(fact)}"}
