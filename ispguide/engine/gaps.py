"""What is not so: a sentence for the reader, and its kind for tests and scripts.

The words may improve at any time; a kind stays, and is part of `--json`.  The table
is short on purpose: what is not so of *which* thing, the thing's own name tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

#: Every kind of gap, and what it means.
KINDS = {
    "": "all is well",
    "unsure": "it could not be told, so it is neither broken nor proven",
    "no-answer": "what should tell cannot be asked, so it is not as it should be",
    "missing": "it should be there, and is not",
    "unwanted": "it is there, and should not be",
    "wrong-type": "something of another type is in its place",
    "wrong-permissions": "owner, mode or rights are others",
    "wrong-password": "the password is not the one in use",
    "differs": "its content or value is another one",
    "malformed": "it cannot be read as what it should be",
    "weak": "it protects too little",
    "not-installed": "a package is missing",
    "not-running": "a service does not run",
    "not-enabled": "it would not be there after a restart",
    "port-closed": "a service runs, and does not listen",
    "stale": "what is in use was made from something older",
    "not-done": "a command has not done its work yet",
    "not-so": "a look found otherwise",
    "not-seen": "acting like a user, it did not happen",
    "untrusted": "its certificate does not prove its name",
    "not-reached": "nobody answers there",
    "not-taken": "the other side did not take it",
    "waits": "something else must come first",
    "not-compared": "nobody has compared a fingerprint yet",
    "failed": "the last try went wrong",
    "too-old": "the last time is too long ago",
    "dangling": "it leads to what does not exist",
    "elsewhere": "it leads to another address, name or port",
    "generic": "it has the name that a provider gives everybody",
    "alias": "it is an alias (CNAME), and may not be one",
    "several": "there is more than one, so none counts",
    "too-many": "it has more parts than others look at",
    "too-open": "it lets in everybody",
    "too-strict": "it keeps out who should be let in",
    "short-lived": "the next renewal breaks it",
    "revoked": "its owner has taken it back",
}


class Gap(str):
    """What is not so, in words; `kind` is its short name (see KINDS), which stays the
    same while the words improve.  Empty where there is no gap."""

    kind: str

    def __new__(cls, kind: str, words: str) -> Self:
        if kind not in KINDS or bool(kind) != bool(words):
            raise ValueError(f"{kind!r} is no kind of gap for {words!r}")
        gap = super().__new__(cls, words)
        gap.kind = kind
        return gap

    def __deepcopy__(self, memo: object) -> Self:
        return self  # like any str


#: All is well.
NO_GAP = Gap("", "")


class Unsure(Gap):
    """A gap that is none: "could not tell", with the reason."""

    def __new__(cls, words: str) -> Self:
        return super().__new__(cls, "unsure", words)


def together(told: Iterable[Gap]) -> Gap:
    """The gaps of several parts as one; unsure only when nothing is known to be wrong.
    Its kind is that of the first."""
    found = [gap for gap in told if gap]
    sure = [gap for gap in found if not isinstance(gap, Unsure)]
    if not found:
        return NO_GAP
    if not sure:
        return Unsure("\n".join(found))
    return Gap(sure[0].kind, "\n".join(sure))
