"""Running proofs: opens the mailbox they use and hands them their context."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from tempfile import NamedTemporaryFile
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from ispguide import elsewhere, facts
from ispguide.errors import GuideError
from ispguide.facts import Fact
from ispguide.proofs import Context, Mailbox, answers
from ispguide.settings import Secret

if TYPE_CHECKING:
    from ispguide.chapter import Step
    from ispguide.guide import Guide
    from ispguide.report import Finding
    from ispguide.wire import Watch

#: Seconds before what failed is tried again: the first letter after a restart meets a
#: half-started rspamd.
PAUSES = (0.3, 2)


def proved(guide: Guide, proofs: Sequence[Step], watch: Watch) -> list[Finding]:
    """The findings of these proofs; the server remembers when each was tried."""
    asked = list(guide.facts(proofs))
    for pause in (*PAUSES, None):
        tried(guide, asked, watch)
        found = [f for s in proofs for f in guide.findings(s)]
        if pause is None or all(f.state != "gap" for f in found):
            break
        time.sleep(pause)
        open_ = (t for s in proofs for t in guide.things(s) if t.gap(guide.have))
        asked = [f for t in open_ for f in t.facts()]
    found = [f.now(state="failed") if f.state == "gap" else f for f in found]
    guide.server.exchange(proved=verdicts(found))
    return found


def tried(guide: Guide, asked: Sequence[Fact], watch: Watch) -> None:
    """Ask the server and act like a user, once; the answers are in `guide.have`."""
    if server_side := [f for f in asked if f[0] not in ("proof", "outside")]:
        guide.exchange(tell=server_side, watch=watch)
    guide.have |= seen(guide, [f for f in asked if f[0] == "proof"], watch)


def verdicts(found: Iterable[Finding]) -> dict[str, bool]:
    """Each proof, and whether all of it held; what could not be told says nothing."""
    rows = [f for f in found if f.state != "unknown"]
    names = dict.fromkeys(f"{f.chapter}.{f.step}" for f in rows)
    return {
        name: all(f.state == "ok" for f in rows if f"{f.chapter}.{f.step}" == name)
        for name in names
    }


def seen(guide: Guide, asked: list[Fact], watch: Watch) -> dict[Fact, Any]:
    """What each proof saw.  The mailbox exists only while they run."""
    if not asked:
        return {}
    watch("Proving: " + ", ".join(dict.fromkeys(f[1] for f in asked)))
    if guide.server.profile.replay:
        return dict(guide.server.exchange(tell=asked, watch=watch).have)

    with opened(guide) as context:
        return dict(answers(asked, context))


@contextmanager
def opened(guide: Guide) -> Iterator[Context]:
    """What acts like a user works with; its mailbox is gone when the block ends."""

    def ask(questions: Iterable[Fact]) -> dict[Fact, Any]:
        return dict(guide.server.exchange(tell=questions).have)

    turn = BoundedSemaphore(2)  # each is a session of its own, and sshd allows ten

    @contextmanager
    def another(quota: int, locked: bool) -> Iterator[Mailbox]:
        with turn, _another(guide, quota, locked) as box:
            yield box

    with ExitStack() as stack:
        yield Context(
            host=guide.server.profile.host,
            settings=guide.settings,
            mailbox=_open(guide, stack),
            ask=ask,
            ca_file=_trusted(guide, stack),
            resolver=guide.server.profile.resolver,
            another=another,
            elsewhere=elsewhere.known(guide.server.profile),
        )


def _open(guide: Guide, stack: ExitStack) -> Mailbox:
    """The mailbox of the proofs; an empty one before there is a database."""
    try:
        return stack.enter_context(_another(guide))
    except GuideError:
        return Mailbox(address="", password=Secret(""), alias="")


@contextmanager
def _another(guide: Guide, quota: int = 0, locked: bool = False) -> Iterator[Mailbox]:
    """A mailbox that may hold so many bytes (0: no limit), until the block ends."""
    with guide.server.mailbox(guide.settings.domain, quota, locked) as box:
        yield Mailbox(box["address"], Secret(box["password"]), box["alias"])


def _trusted(guide: Guide, stack: ExitStack) -> str:
    """The file that vouches for the server's certificate; "" is this computer's own.

    A self-signed certificate is vouched for by itself, fetched over the pinned line.
    """
    if guide.settings.tls != "self-signed":
        return guide.server.profile.ca_file
    fact = facts.run(f"cat {guide.settings.cert_dir}/fullchain.pem")
    pem = guide.server.exchange(tell=[fact]).have[fact].get("out", "")
    file = stack.enter_context(NamedTemporaryFile("w", suffix=".pem"))  # noqa: SIM115
    file.write(pem)
    file.flush()
    return file.name
