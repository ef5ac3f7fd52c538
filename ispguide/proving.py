"""Running proofs: opens the mailbox they use and hands them their context."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from ispguide import facts
from ispguide.errors import GuideError
from ispguide.facts import Fact
from ispguide.proofs import Context, Mailbox, answers
from ispguide.settings import Secret

if TYPE_CHECKING:
    from ispguide.guide import Guide
    from ispguide.wire import Watch


def seen(guide: Guide, asked: list[Fact], watch: Watch) -> dict[Fact, Any]:
    """What each proof saw.  The mailbox exists only while they run."""
    if not asked:
        return {}
    watch("Proving: " + ", ".join(dict.fromkeys(f[1] for f in asked)))

    def ask(questions: Iterable[Fact]) -> dict[Fact, Any]:
        return dict(guide.server.exchange(tell=questions).have)

    with ExitStack() as stack:
        box = _open(guide, stack)
        profile = guide.server.profile
        context = Context(
            host=profile.host,
            settings=guide.settings,
            mailbox=box,
            ask=ask,
            ca_file=_trusted(guide, stack),
        )
        return dict(answers(asked, context))


def _open(guide: Guide, stack: ExitStack) -> Mailbox:
    """The mailbox of the proofs; an empty one before there is a database."""
    try:
        box = stack.enter_context(guide.server.mailbox(guide.settings.domain))
    except GuideError:
        return Mailbox(address="", password=Secret(""), alias="")
    return Mailbox(
        address=box["address"], password=Secret(box["password"]), alias=box["alias"]
    )


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
