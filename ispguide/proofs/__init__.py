"""Small programs that act like a user and look what happens: the proofs.

`answers` runs those that are asked for, a few at a time.  What a proof does and
why stands in its docstring, in the modules named here.
"""

from __future__ import annotations

# Each registers its proofs.
from ispguide.proofs import (  # noqa: F401
    authentication,
    autoconfig,
    dns,
    firewall,
    imap,
    inbound,
    mailboxes,
    operations,
    spam,
    submission,
    tls,
    webmail,
)
from ispguide.proofs.base import PROOFS, Context, Mailbox, answer, answers

__all__ = ["PROOFS", "Context", "Mailbox", "answer", "answers"]
