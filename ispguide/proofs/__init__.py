"""Small programs that act like a user and look what happens: the proofs.

`answers` runs those that are asked for, a few at a time.  What a proof does and
why stands in its docstring, in the modules beside this one.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from ispguide.proofs.base import PROOFS, Context, Mailbox, answer, answers

for _module in pkgutil.iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)  # each registers its proofs

__all__ = ["PROOFS", "Context", "Mailbox", "answer", "answers"]
