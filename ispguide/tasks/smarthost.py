"""The Fabric tasks about the smarthost; `tasks` offers them with the others.

They keep what was decided: the settings, and the password among the server's secrets.
What makes it true, in both directions, is the step `sending.smarthost`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ispguide.engine import facts, problems
from ispguide.engine.actions import Action, KeepSecret, Remove
from ispguide.engine.errors import GuideError
from ispguide.engine.guide import Guide
from ispguide.engine.settings import Secret, Settings
from ispguide.mail.people import typed
from ispguide.mail.smarthost import LOGIN, PASSWORD
from ispguide.tasks.base import guide_task
from ispguide.tasks.settings import written

#: A short password, or a plain word, would also be found where it only looks alike:
#: the server hides what it keeps in every text it tells.
SHORTEST, LONGEST = 8, 500
KEPT = facts.secret(PASSWORD)
Both = tuple[Settings, Settings]


@guide_task
def smarthost_use(
    guide: Guide, smarthost: str, user: str, password: Any = None, spf: str = ""
) -> Both:
    """All mail is to leave through `smarthost`.  The settings before, and now.

    Without `password`, the one that is kept already stays."""
    guide.look((), also=[KEPT, facts.file(LOGIN)])
    after = _changed(guide, smarthost, user, spf)
    if password:
        return _keep(guide, after, _new(guide, valid_login(password, after)))
    if not guide.have[KEPT]["made"]:
        raise GuideError(
            "The server knows no password for a smarthost yet.",
            "It needs the one that belongs to this login.",
            "Type it.",
            kind="no-password",
        )
    return _keep(guide, after, ())


@guide_task
def smarthost_off(guide: Guide) -> Both:
    """Mail is to leave by itself.  The settings before, and now.

    The password is known until the step has removed the file that holds it."""
    guide.look(())
    return _keep(guide, _changed(guide, "", "", ""), ())


def valid_login(secret: Secret, s: Settings) -> Secret:
    """The password itself; GuideError when the server could not keep or hide it."""
    text = typed(secret, "you are asked")
    if not text.isprintable() or text != text.strip() or "⟦" in text:
        raise GuideError(
            "The password begins or ends with a blank, or holds a sign that cannot be typed.",
            "It should be one line of printable signs.",
            "Look at it again, or choose another one at your provider.",
            kind="bad-password",
        )
    if not SHORTEST <= len(text) <= LONGEST or _looks_alike(text, s):
        raise GuideError(
            f"The password is shorter than {SHORTEST} signs, longer than {LONGEST}, or a plain word.",
            "It should be told from all other texts, because the server hides it in them.",
            "Choose another one at your provider.",
            kind="weak-password",
        )
    return secret


def _looks_alike(text: str, s: Settings) -> bool:
    """Whether it stands in texts that are no secret."""
    return (text.isalpha() and text.islower()) or text in s.to_toml()


def _changed(guide: Guide, smarthost: str, user: str, spf: str) -> Settings:
    return problems.checked(
        replace(
            guide.settings, smarthost=smarthost, smarthost_user=user, smarthost_spf=spf
        )
    )


def _new(guide: Guide, password: Secret) -> Sequence[Action]:
    """The file with the older password goes first, while that is still hidden in it;
    the step writes it anew.  Until then mail may have to wait in the queue."""
    there = guide.have[facts.file(LOGIN)]["kind"] != "none"
    old = [Remove(LOGIN)] if there else []
    return [*old, KeepSecret(PASSWORD, password.reveal())]


def _keep(guide: Guide, after: Settings, more: Sequence[Action]) -> Both:
    """On the server in one run, then in the profile."""
    before = guide.settings
    refused = GuideError(
        "The smarthost could not be kept.",
        "Nothing was changed.",
        "Read the server's own words below.",
        kind="server-refused",
    )
    guide.must([*written(after), *more], "settings: smarthost", refused)
    guide.server.profile.with_settings(after).save()
    return before, after
