"""What every proof works with: its context, and the register.

A proof is a function that acts like a user and returns (ok, seen): True, False, or
None when it could not tell, and one readable sentence with the decisive line.  It
prints nothing, changes nothing on the server by itself and leaves its mails only
in the mailbox it was given, which exists no longer than the proofs do.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ispguide.engine import facts
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Fact, Have, Ran
from ispguide.engine.gaps import Gap
from ispguide.engine.settings import Secret, Settings
from ispguide.outside.elsewhere import Elsewhere
from ispguide.outside.talk import NotReached, Where, unchecked
from ispguide.proofs.protocols import KINDS, Imap, Reply, Smtp

Verdict = tuple[bool | None, str]
Build = TypeVar("Build", bound=Callable[..., Verdict])

#: The register: name → function(context, *words).
PROOFS: dict[str, Callable[..., Verdict]] = {}

#: Proofs that wait for the others to end: a wrong password makes Dovecot answer
#: this address more slowly for a while (auth penalty), so nothing may come after.
LAST: set[str] = set()


class CannotTell(Exception):
    """Something the proof itself needs is missing; says nothing about the server."""


class Refused(Exception):
    """The server said no where a proof needs a yes to go on."""


class RefusedForNow(Refused):
    """It said "not now"; a mail program would ask again."""


def need(reply: Reply, what: str) -> Reply:
    """`reply` if it is a yes; else the proof ends here, not held."""
    if not reply.good:
        refused = RefusedForNow if reply.later else Refused
        raise refused(f"{what} was refused: {reply.text!r}.")
    return reply


def proof(build: Build) -> Build:
    """Decorator: the function is the proof of its name."""
    PROOFS[build.__name__] = build
    return build


def last_proof(build: Build) -> Build:
    """Decorator: likewise, but run after the others."""
    LAST.add(build.__name__)
    return proof(build)


@dataclass(frozen=True)
class Mailbox:
    """The proofs' own mailbox.  `alias`: an address that delivers into it.

    All empty: it could not be made, and proofs that need it cannot tell."""

    address: str
    password: Secret
    alias: str


#: A second mailbox: how many bytes it may hold (0: any), whether it is locked.
Another = Callable[[int, bool], AbstractContextManager[Mailbox]]


@dataclass
class Context:
    """Where the server is, what it should be, and who may be asked.

    `host`: its address.  `ask`: questions to the server, in one exchange.
    `another`: a second mailbox."""

    host: str
    settings: Settings
    mailbox: Mailbox
    ask: Callable[[Iterable[Fact]], Have]
    ca_file: str = ""
    resolver: str = ""  #: whom to ask for names; "" = this computer's resolver
    another: Another | None = None
    elsewhere: Elsewhere | None = None  #: a provider that says what it thinks of us
    lines: list[str] = field(default_factory=list)  #: the record of this proof

    @property
    def where(self) -> Where:
        """A private authority without its certificate at hand cannot be checked."""
        check = bool(self.ca_file) or self.settings.tls == "letsencrypt"
        return Where(self.host, self.settings.hostname, self.ca_file, check)

    @property
    def address(self) -> str:
        """The mailbox's, if there is one: before chapter 5 there is no database."""
        if not self.mailbox.address:
            raise CannotTell("The mailbox for proofs could not be made on the server.")
        return self.mailbox.address

    @contextmanager
    def apart(self, quota: int = 0, locked: bool = False) -> Iterator[Context]:
        """The same with a mailbox of its own.  `quota`: bytes it may hold, 0 = any."""
        if self.another is None:
            raise CannotTell("Another mailbox could not be made on the server.")
        how = f"that may hold {quota} bytes" if quota else "locked" if locked else "new"
        self.lines.append(f"   (on the server) a mailbox, {how}")
        with self.another(quota, locked) as box:
            yield replace(self, mailbox=box)

    def tell(self, command: str) -> Ran:
        """How a command on the server ended that only looks."""
        self.lines.append(f"   (on the server) {command}")
        said = Ran.of(self.ask([facts.run(command)])[facts.run(command)])
        if said.why:
            raise CannotTell(f"The server could not say: {said.why}.")
        self.lines += [f"   {line}" for line in said.lines[:8]]
        return said

    def inbound_smtp(self) -> Smtp:
        """Somebody at port 25, after EHLO; such a client checks no certificate."""
        smtp = Smtp(self.where, 25, self.lines, unchecked())
        smtp.ehlo()
        return smtp

    def user(self, port: int) -> Any:
        """The mailbox's owner's mail program at `port`, in TLS, not yet logged in."""
        talk = KINDS[port](self.where, port, self.lines)
        if isinstance(talk, Smtp):
            talk.ehlo()
        if port in (110, 143, 587):
            need(talk.starttls(), "STARTTLS")
        return talk

    def tried(self, port: int, password: Secret) -> tuple[Any, Reply]:
        """The same after a login, and how it was answered.

        "Not now" is asked again twice: after a restart of Dovecot each process of
        Postfix learns only by failing once that it must connect anew."""
        for _ in range(3):
            talk = self.user(port)
            reply: Reply = talk.login(self.address, password)
            if not reply.later:
                break
            talk.socket.close()
        return talk, reply

    def logged_in(self, port: int) -> Any:
        """The same with the right password, or the proof ends."""
        talk, reply = self.tried(port, self.mailbox.password)
        need(reply, f"The right password at port {port}")
        return talk

    def reader(self) -> Imap:
        """The mailbox's owner at port 993, logged in."""
        talk: Imap = self.logged_in(993)
        return talk

    def listens(self, port: int) -> bool:
        """Whether the server listens at `port` for others than itself."""
        inside = ("127.", "::1", "[::1")
        rows = self.ask([facts.listening()])[facts.listening()]
        return any(int(r[1]) == port and not str(r[0]).startswith(inside) for r in rows)


# How proofs are run: a few at a time, each with a record and a verdict of its own.
#
# A proof that stumbles is named; one that reaches nobody asks the server whether it
# listens at all, because the way to it may be what is broken.


def answer(fact: Fact, context: Context) -> dict[str, Any]:
    """{ok, seen, transcript} for ("proof", name, *words), with the kind of what was
    seen where the proof can name it; or {error} about a proof that stumbled: a bug of
    ours, not the server's."""
    started, context = time.monotonic(), dataclasses.replace(context, lines=[])
    try:
        ok, seen = PROOFS[fact[1]](context, *fact[2:])
    except (CannotTell, GuideError) as lack:
        ok, seen = None, str(lack)
    except Refused as no:
        ok, seen = False, str(no)
    except NotReached as stop:
        ok, seen = _stopped(stop, context)
    except Exception as error:
        return {"error": f"the proof {' '.join(fact[1:])} stumbled: "
                f"{type(error).__name__}: {error}", "transcript": context.lines}  # fmt: skip
    seconds = round(time.monotonic() - started, 2)
    kind = {"kind": seen.kind} if isinstance(seen, Gap) else {}
    said = {"ok": ok, "seen": str(seen), **kind}
    return {**said, "seconds": seconds, "transcript": context.lines}


def answers(wanted: Iterable[Fact], context: Context) -> dict[Fact, dict[str, Any]]:
    """All of them, a few at a time; the server is asked by one at a time."""
    order = sorted(set(wanted), key=lambda fact: fact[1] in LAST)
    context = dataclasses.replace(context, ask=_one_at_a_time(context.ask))
    found: dict[Fact, dict[str, Any]] = {}
    for late in (False, True):
        batch = [fact for fact in order if (fact[1] in LAST) is late]
        with ThreadPoolExecutor(max_workers=6) as pool:
            done = pool.map(lambda fact: answer(fact, context), batch)
            found.update(zip(batch, done, strict=True))
    return found


def _one_at_a_time(ask: Callable[[Iterable[Fact]], Have]) -> Callable[..., Have]:
    lock = threading.Lock()

    def locked(questions: Iterable[Fact]) -> Have:
        with lock:
            return ask(questions)

    return locked


def _stopped(stop: NotReached, context: Context) -> Verdict:
    """Nobody answered: is it the server, or something on the way to it?"""
    if stop.opened:
        return False, f"{stop}."
    if context.listens(stop.port):
        return None, (
            f"{stop}, though the server listens there: something on the way "
            "(a firewall, your own provider) keeps this computer from it."
        )
    return False, f"{stop}: nothing listens there for the outside."
