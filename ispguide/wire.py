"""What goes over the channel: the bootstrap, JSON lines back, errors in words.

A line that is no JSON (a banner, a login message) is passed over, and never taken for
an instruction.  Sources: sudo(8), python(1).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from ispguide.errors import NoPython, NoRoot, RemoteProblem
from ispguide.settings import Secret

Watch = Callable[[str], None]

#: Runs what follows the marker; a password line that sudo did not take is skipped,
#: not executed (under NOPASSWD it would otherwise reach the interpreter).  The program
#: is kept below /run, where only root writes: Python then keeps its byte code beside it
#: and compiles it once instead of each time (20 ms), and the unit finds it there.
#: Where it cannot be kept (not root, /run is full), it runs all the same.
BOOT = (
    "import sys,os,zlib,json;b=sys.stdin.buffer;l=b.readline()\n"
    "while l and not l.startswith(b'{mark} '): l=b.readline()\n"
    "p=json.loads(zlib.decompress(b.read(int(l.split()[1]))))\n"
    "d='/run/ispguide/program-'+p['name'];f=d+'/remote.py';g={{'__file__':f}};t=f+'{mark}'\n"
    "try:\n"
    " if not os.path.exists(f):\n"
    "  os.makedirs(d,0o700,True)\n"
    "  with open(t,'w') as o: o.write(p['program'])\n"
    "  os.rename(t,f)\n"
    " sys.path.insert(0,d);import remote;g=vars(remote)\n"
    "except OSError:\n"
    " if os.path.exists(t): os.unlink(t)\n"
    " exec(p['program'],g)\n"
    "g['main'](p['request'])"
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
