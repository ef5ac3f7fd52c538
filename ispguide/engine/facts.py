"""Names for questions.  A fact is a tuple of words; its answer comes back under it.

Asked on the server (answered by `remote.asking`): file, newest, unit, package, user,
postconf, master, sql, secret, listening, run, probe, ledger, proved.
Asked from this computer (answered by `outside`): every tuple that starts with
"outside"; one that starts with "outside", "after" waits for what the server says
to another.  Asked by doing (answered by `proofs`, only when something is to be
proved): every tuple that starts with "proof".
Because facts are values, ten things that ask the same question cost one answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Fact = tuple[str, ...]
Have = Mapping[Fact, Any]


#: In front of `openssl x509`, which reads all of Debian's roots before it looks at a
#: certificate, and needs none of them: 4 ms instead of 25, and a check asks often.
NO_ROOTS = "export SSL_CERT_FILE=/dev/null"


def file(path: str) -> Fact:
    """{kind: file|directory|link|none, mode, owner, group, text, to}."""
    return ("file", path)


def newest(*paths: str) -> Fact:
    """{path, time}: the newest change (ctime, µs since 1970) at or below paths."""
    return ("newest", *paths)


def unit(name: str) -> Fact:
    """{load, active, sub, enabled, since (µs), restarts, result, read} of a unit; `read`: by
    systemd, since its files last changed."""
    return ("unit", name)


def package(name: str) -> Fact:
    """The installed version, or "" when it is not (wholly) installed."""
    return ("package", name)


def user(name: str) -> Fact:
    """{uid, gid, home, shell, groups} or {} when there is no such user."""
    return ("user", name)


def postconf() -> Fact:
    """{parameter: value} that main.cf sets (`postconf -n`)."""
    return ("postconf",)


def master() -> Fact:
    """{"name/type": {"line": columns, "options": {name: value}}} of master.cf."""
    return ("master",)


def sql(query: str) -> Fact:
    """{"rows": [[text, …], …]} as MariaDB's root sees it, or {"error": …}."""
    return ("sql", query)


def secret(name: str) -> Fact:
    """{"made": bool, "source_same": bool}: never the value."""
    return ("secret", name)


def listening() -> Fact:
    """[[address, port, process], …] of every TCP socket that listens."""
    return ("listening",)


def run(command: str, stdin: str = "") -> Fact:
    """{rc, out, err} of a command that only looks, ten seconds at most; see `Ran`."""
    return ("run", command, stdin)


def probe(name: str, *words: str) -> Fact:
    """{rc, out, err} of a small program of `remote.probes`; see `Ran`."""
    return ("probe", name, *words)


def ledger() -> Fact:
    """[{time, who, step, did, ok, path, before, …}]: what was done, oldest first."""
    return ("ledger",)


def proved() -> Fact:
    """{"chapter.proof": {ok, time (s since 1970), who}}: the last try of each."""
    return ("proved",)


def outside(kind: str, *words: str) -> Fact:
    """A question answered from this computer; see `outside.talk`."""
    return ("outside", kind, *words)


def after(kind: str, fact: Fact) -> Fact:
    """A question from this computer about what the server answers to `fact`."""
    return ("outside", "after", kind, *fact)


def proof(name: str, *words: str) -> Fact:
    """A small program that sends, reads and looks; see `proofs`."""
    return ("proof", name, *words)


def failed_answer(answer: Any) -> str:
    """The reason when a question could not be answered, else ""."""
    return (
        str(answer["error"]) if isinstance(answer, dict) and "error" in answer else ""
    )


#: "Could not tell", as an exit code (EX_TEMPFAIL of sysexits.h).
TEMPFAIL = 75


@dataclass(frozen=True)
class Ran:
    """How a command or a probe ended.

    One that could not be asked has no code and no output; `err` is then the reason,
    so whoever wants its output alone need not tell the two failures apart."""

    rc: int | None
    out: str
    err: str

    @classmethod
    def of(cls, answer: Any) -> Ran:
        """The answer to `run` or `probe`."""
        if why := failed_answer(answer):
            return cls(None, "", why)
        return cls(answer["rc"], answer["out"], answer["err"])

    @property
    def ok(self) -> bool:
        return self.rc == 0

    @property
    def why(self) -> str:
        """The reason when it could not be asked, else ""."""
        return self.err if self.rc is None else ""

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()
