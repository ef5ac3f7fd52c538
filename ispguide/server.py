"""Server: one SSH connection, one verb.  `exchange` is one round trip.

Fabric gives the connection; data goes through a raw channel, because `run(in_stream=…)`
sends 100 bytes a second and SFTP costs a round trip a file.  The host key is pinned:
Fabric by itself accepts unknown and even contradicting keys.  Secrets travel on
standard input only.  Decides nothing about what should be true on the server.
Sources: https://docs.fabfile.org, https://docs.paramiko.org/en/stable/api/client.html,
sudo(8).
"""

from __future__ import annotations

import contextlib
import functools
import getpass
import hashlib
import json
import secrets
import socket
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ispguide.actions import Action, as_message, typed_in
from ispguide.errors import ConnectionLost
from ispguide.facts import Fact, Have
from ispguide.profile import Profile
from ispguide.progress import BROKE
from ispguide.settings import Secret
from ispguide.ssh import open_connection
from ispguide.wire import Watch, command, lines_of, raise_for, read_answer


def ignore(line: str) -> None:
    """Watch nothing."""


@dataclass(frozen=True)
class Answer:
    """What one round trip brought.  `done`: the result of the actions, if any.

    `settings`: None when the server has the same ones as the profile, else
    {"text": toml or None}.  `busy`: the run under way by somebody else."""

    have: Have
    done: dict[str, Any] | None
    settings: dict[str, str | None] | None
    busy: dict[str, Any] | None


class Server:
    """A server as its profile describes it.  Connects when first needed."""

    def __init__(self, profile: Profile, sudo: Secret | None = None):
        self.profile, self._sudo = profile, sudo
        self.exchanges = 0
        self._connection: Any = None

    def exchange(
        self,
        do: Sequence[Action] = (),
        tell: Iterable[Fact] = (),
        watch: Watch = ignore,
        *,
        step: str = "",
        wait: bool = False,
        proved: Mapping[str, bool] | None = None,
    ) -> Answer:
        """Do these, then tell me those: one round trip.

        The doing happens in a unit on the server and outlives the connection; when
        the line breaks, this reconnects once and watches on.  `wait`: let a run
        under way finish first, and watch it.  `proved`: proofs by name, and whether
        they held; the server remembers when.  Raises CannotReachServer,
        ConnectionLost or RemoteProblem."""
        run = {"id": secrets.token_hex(8), "who": _who(), "step": step}
        request: dict[str, Any] = {
            "verb": "exchange",
            "do": [as_message(a) for a in do],
            "run": run,
            "wait": wait,
            "proved": dict(proved or {}),
            "tell": [list(fact) for fact in dict.fromkeys(tell)],
            "hide": [v for a in do for v in typed_in(a)],
        }
        if self.profile.settings:
            request["settings"] = self.profile.settings.hash
        try:
            return self._answer(request, watch)
        except ConnectionLost:
            watch(BROKE)
            self.close()
            # A look is simply asked again; what was being done is watched on.
            again = {**request, "do": [], "attach": run["id"]} if do else request
            return self._answer(again, watch)

    def _answer(self, request: dict[str, Any], watch: Watch) -> Answer:
        self.exchanges += 1
        with self._channel(request) as channel:
            raw = read_answer(channel, watch)
        have = {tuple(fact): answer for fact, answer in raw["have"]}
        return Answer(have, raw["done"], raw["settings"], raw["busy"])

    @contextlib.contextmanager
    def mailbox(
        self, domain: str, quota: int = 0, locked: bool = False
    ) -> Iterator[dict[str, str]]:
        """{address, alias, password}: exists while the block runs, then is gone.

        `quota`: what it may hold, in bytes; 0 = no limit.  `locked`: nobody logs in."""
        asked = {"verb": "mailbox", "domain": domain, "quota": quota, "locked": locked}
        with self._channel(asked) as channel:
            lines = lines_of(channel)
            first = next(lines, None)
            if first is None or "mailbox" not in first:
                raise_for(channel, first)
            assert first is not None
            yield first["mailbox"]
            channel.shutdown_write()
            for _ in lines:
                pass  # until the server says that the mailbox is gone

    def secret(self, name: str) -> Secret:
        """One of the few passwords that their owner must keep elsewhere too."""
        with self._channel({"verb": "secret", "name": name}) as channel:
            return Secret(read_answer(channel, ignore)["value"])

    @contextlib.contextmanager
    def _channel(self, request: dict[str, Any]) -> Iterator[Any]:
        """A channel with the program and the request already sent.

        Its end is not announced to a program that does not wait for it: paramiko makes
        a message and sends it a moment later (its issue 1115), so the announcement may
        come when the server has closed the channel and given its number to the next,
        who then hears nothing and waits for ever."""
        channel = self._open().create_session()
        try:
            mark = secrets.token_hex(8)
            channel.exec_command(command(self.profile.user, self._sudo, mark))
            load = zlib.compress(
                json.dumps({**_program(), "request": request}).encode()
            )
            password = self._sudo.reveal() + "\n" if self._sudo else ""
            with _hung_up(channel):
                channel.sendall(f"{password}{mark} {len(load)}\n".encode() + load)
            yield channel
        except (OSError, EOFError) as error:
            self.close()
            raise ConnectionLost(
                "The connection to the server broke.",
                "An answer was still under way; what the server does, it finishes.",
                "Run the cell again: it looks first, then goes on.",
                str(error),
            ) from error
        finally:
            channel.close()

    def _open(self) -> Any:
        if self._connection is None or not self._connection.is_connected:
            self._connection = open_connection(self.profile)
        return self._connection

    def close(self) -> None:
        """Hang up; the next exchange connects again."""
        if self._connection is not None:
            with contextlib.suppress(OSError, EOFError):
                self._connection.close()
        self._connection = None

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.contextmanager
def _hung_up(channel: Any) -> Iterator[None]:
    """Who may not become root is gone before he has heard it all, and the line is fine:
    what he said last is the answer."""
    try:
        yield
    except OSError:
        if not (channel.closed and channel.get_transport().is_active()):
            raise


@functools.cache
def _program() -> dict[str, str]:
    """What runs on the server, with a name that says which one it is."""
    text = resources.files("ispguide").joinpath("remote.py").read_text()
    return {"name": hashlib.sha256(text.encode()).hexdigest()[:16], "program": text}


def _who() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"
