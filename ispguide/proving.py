"""Running proofs: opens the mailbox they use and hands them their context."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

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
            ca_file=profile.ca_file,
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
