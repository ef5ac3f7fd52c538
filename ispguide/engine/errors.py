"""The errors a reader can meet, each one sentence in three parts.

    GuideError                     what is so, what should be so, what to do now
    ├── SettingsProblem            the form has something to say
    ├── NoSuchStep                 a word that names no chapter and no step
    ├── CannotReachServer          no exchange took place; nothing was changed
    │   ├── UnknownServer          first contact: compare the fingerprint
    │   ├── ChangedServer          another host key than the pinned one
    │   ├── NotLetIn               the server does not accept the key or password
    │   ├── NoRoot                 logged in, but sudo refuses
    │   └── NoPython               the server has no python3
    ├── ConnectionLost             the line broke; the outcome is not known yet
    ├── CannotUndo                 something later rests on the step
    └── RemoteProblem              the program on the server stopped: a bug of ours

A gap on the server is never an exception: it is a Finding.
"""

from __future__ import annotations

import re
from typing import Self


class GuideError(Exception):
    """What is so, what should be so, what to do now; the evidence folded below.

    `kind`: its short name for tests and scripts, which stays while the words improve;
    a subclass is of the kind that its name says."""

    kind = ""

    def __init_subclass__(cls) -> None:
        cls.kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", cls.__name__).lower()

    def __init__(
        self,
        is_: str,
        should: str = "",
        do: str = "",
        evidence: str = "",
        *,
        kind: str = "",
    ):
        self.is_, self.should, self.do = is_, should, do
        self.kind = kind or self.kind
        super().__init__(" ".join(part for part in (is_, should, do) if part))
        self.shown_by(evidence)

    def shown_by(self, evidence: str) -> Self:
        """The same error, with the words that show it."""
        self.evidence = evidence
        if evidence:
            self.add_note(evidence)  # a traceback shows it too
        return self

    def as_dict(self) -> dict[str, object]:
        """The object behind --json, where the answer should have been."""
        parts = {"is": self.is_, "should": self.should, "do": self.do}
        return {"ok": False, "error": {"kind": self.kind, **parts}}


class SettingsProblem(GuideError):
    """The settings cannot be used as they are."""


class NoSuchStep(GuideError):
    """No chapter or step has this name."""


class CannotReachServer(GuideError):
    """No exchange took place, so nothing was changed."""


class UnknownServer(CannotReachServer):
    """First contact; `fingerprint` is what the server showed, `command` prints the
    same in its console."""

    fingerprint = ""
    command = ""


class ChangedServer(CannotReachServer):
    """The server shows another host key than the pinned one."""


class NotLetIn(CannotReachServer):
    """The server accepts neither the key nor the password."""


class NoRoot(CannotReachServer):
    """Logged in, but not able to become root."""


class NoPython(CannotReachServer):
    """The server has no python3, which runs our questions there."""


class ConnectionLost(GuideError):
    """The connection broke while an answer was under way."""


class CannotUndo(GuideError):
    """Something later rests on the step."""


class RemoteProblem(GuideError):
    """The program on the server stopped before it could answer."""
