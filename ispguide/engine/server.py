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
import io
import json
import secrets
import socket
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ispguide.engine.actions import Action, as_message, typed_in
from ispguide.engine.errors import (
    ConnectionLost,
    GuideError,
    NoPython,
    NoRoot,
    RemoteProblem,
)
from ispguide.engine.facts import Fact, Have
from ispguide.engine.profile import Profile
from ispguide.engine.progress import BROKE
from ispguide.engine.settings import Secret
from ispguide.engine.ssh import open_connection

# What goes over the channel: the bootstrap, JSON lines back, errors in words.
#
# A line that is no JSON (a banner, a login message) is passed over, and never taken for
# an instruction.  Sources: sudo(8), python(1).


Watch = Callable[[str], None]

#: Runs what follows the marker; a password line that sudo did not take is skipped,
#: not executed (under NOPASSWD it would otherwise reach the interpreter).  The program
#: is kept below /run, where only root writes: Python then keeps its byte code beside it
#: and compiles it once instead of each time (20 ms), and the unit finds it there.
#: Where it cannot be kept (not root, /run is full), it runs all the same, out of memory.
BOOT = (
    "import sys,os,zlib,json;b=sys.stdin.buffer;l=b.readline()\n"
    "while l and not l.startswith(b'{mark} '): l=b.readline()\n"
    "_,n,m,name=l.split();q=json.loads(zlib.decompress(b.read(int(n))));z=zlib.decompress(b.read(int(m)))\n"
    "d='/run/ispguide/program-'+name.decode();t=d+'{mark}'\n"
    "try:\n"
    " if not os.path.isdir(d):\n"
    "  import io,zipfile;os.makedirs(t,0o700)\n"
    "  zipfile.ZipFile(io.BytesIO(z)).extractall(t);os.rename(t,d)\n"
    "except OSError:\n"
    " import shutil;shutil.rmtree(t,True)\n"
    " if not os.path.isdir(d):\n"  # else somebody else was quicker
    "  f=os.memfd_create('program');os.write(f,z);d='/proc/self/fd/%d'%f\n"
    "sys.path.insert(0,d);import remote.__main__ as r;r.main(q)"
)


def command(user: str, sudo: Secret | None, mark: str) -> str:
    # Nothing of the machine's own packages (-S): that would take 4 ms at each start.
    python = f'python3 -IS -c "{BOOT.format(mark=mark)}"'
    if user == "root":
        return python
    return f"sudo -S -p '' {python}" if sudo else f"sudo -n {python}"


def read_answer(channel: Any, watch: Watch) -> dict[str, Any]:
    """The answer after its progress lines; an error in words when none comes."""
    last: dict[str, Any] | None = None
    for last in lines_of(channel):
        if "line" in last:
            watch(last["line"])
    answer = (last or {}).get("answer")
    if not isinstance(answer, dict) or "error" in answer:
        raise_for(channel, last)
    assert isinstance(answer, dict)
    return answer


def lines_of(channel: Any) -> Iterator[dict[str, Any]]:
    """JSON lines from the server; a line that is none (a banner) is passed over."""
    with channel.makefile("r", -1) as stream:
        for line in stream:
            if line.startswith("{"):
                yield json.loads(line)


def raise_for(channel: Any, last: dict[str, Any] | None) -> None:
    """The error behind a missing answer, in a sentence."""
    error = (last or {}).get("answer", {}).get("error", "")
    said = _stderr(channel)
    code = channel.recv_exit_status() if not error else 0
    if error == "not root" or "sudo:" in said:
        raise NoRoot(
            "You can log in to the server, but not become root there.",
            "This guide changes packages and services, which only root may.",
            "Add the user to the group sudo, or give the sudo password.",
            said,
        )
    if code == 127 or "python3: " in said:
        raise NoPython(
            "The server has no python3.",
            "Our questions run there as a small Python program.",
            "On the server: apt-get install python3-minimal. Then look again.",
            said,
        )
    if code == -1 or not (error or said):
        raise EOFError("the connection closed before the answer")
    raise RemoteProblem(
        f"The program on the server stopped: {error or said.strip().splitlines()[-1]}",
        "It should have answered.",
        "Look again; if it stays, this is a fault of the guide.",
        said,
    )


def _stderr(channel: Any) -> str:
    with channel.makefile_stderr("r", -1) as stream:
        return str(stream.read())


# Server: one SSH connection, one verb.  `exchange` is one round trip.


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

    def must(self, otherwise: GuideError) -> None:
        """Raise `otherwise`, with the server's own words, where it was not done."""
        done = self.done or {"ok": False, "evidence": "The server restarted meanwhile."}
        if not done["ok"]:
            raise otherwise.shown_by(done.get("evidence", ""))


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
            asked, (name, program) = (
                zlib.compress(json.dumps(request).encode()),
                _program(),
            )
            password = self._sudo.reveal() + "\n" if self._sudo else ""
            head = f"{password}{mark} {len(asked)} {len(program)} {name}\n"
            with _hung_up(channel):
                channel.sendall(head.encode() + asked + program)
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

    def connect(self) -> None:
        """Connect, where that is still to be done; `exchange` does it by itself, too."""
        self._open()

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
def _program() -> tuple[str, bytes]:
    """A name that says which program it is, and the archive that is sent, compressed
    as a whole."""
    packed, mark = io.BytesIO(), hashlib.sha256()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(resources.files("ispguide.remote").iterdir(), key=str):
            if file.name.endswith(".py"):
                text = file.read_bytes()
                mark.update(f"{file.name} {len(text)}\n".encode() + text)
                archive.writestr(f"remote/{file.name}", text)
    return mark.hexdigest()[:16], zlib.compress(packed.getvalue())


def _who() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"
