"""The context of proofs: the mailbox they use, and who is there to be asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from tempfile import NamedTemporaryFile
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from ispguide.engine import facts
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Fact, Have, Ran
from ispguide.engine.settings import Secret
from ispguide.outside.elsewhere import Elsewhere
from ispguide.proofs import Context, Mailbox, answers

if TYPE_CHECKING:
    from ispguide.engine.guide import Guide
    from ispguide.engine.profile import Profile


def seen(guide: Guide, asked: Sequence[Fact]) -> Have:
    """What each proof saw.  The mailbox exists only while they run."""
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
            elsewhere=known_elsewhere(guide.server.profile),
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
    pem = Ran.of(guide.server.exchange(tell=[fact]).have[fact]).out
    file = stack.enter_context(NamedTemporaryFile("w", suffix=".pem"))  # noqa: SIM115
    file.write(pem)
    file.flush()
    return file.name


def known_elsewhere(profile: Profile) -> Elsewhere | None:
    """Who may be asked at another provider: for a real server, nobody is known."""
    if not profile.practice:
        return None
    from ispguide.lab.friend import FriendTest

    return FriendTest()
