"""Small programs that act like a user and look what happens: the proofs.

`answers` runs those that are asked for, a few at a time.  What a proof does and
why stands in its docstring, in the modules named here.
"""

# Each registers its proofs.
from ispguide.proofs import (  # noqa: F401
    doors,
    fences,
    leaving,
    living,
    names,
    programs,
    promises,
    reading,
    returning,
    room,
    sending,
    signatures,
    spam,
    strangers,
    verdicts,
    watching,
    webmail,
)
from ispguide.proofs.acting import PROOFS, Context, Mailbox
from ispguide.proofs.running import answer, answers

__all__ = ["PROOFS", "Context", "Mailbox", "answer", "answers"]
