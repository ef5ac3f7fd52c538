"""Small programs that act like a user and look what happens: the proofs.

`answers` runs those that are asked for, a few at a time.  What a proof does and
why stands in its docstring, in doors, strangers, reading, sending and spam.
"""

from ispguide.proofs import doors, reading, sending, spam, strangers
from ispguide.proofs.acting import PROOFS, Context, Mailbox
from ispguide.proofs.running import answer, answers

__all__ = ["PROOFS", "Context", "Mailbox", "answer", "answers",
           "doors", "reading", "sending", "spam", "strangers"]  # fmt: skip
