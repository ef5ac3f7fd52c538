"""The task that keeps other settings, on the server and on this computer.

Exported from `tasks.py`.  It makes nothing true: the steps that read them do.
"""

from __future__ import annotations

from typing import Any

from fabric import task

from ispguide import problems
from ispguide.actions import Action, MakeDirectory, Write
from ispguide.errors import GuideError
from ispguide.opening import PRACTICE, known, open_server
from ispguide.settings import PATH, Settings


def written(settings: Settings) -> list[Action]:
    """What keeps the settings on the server."""
    text = settings.to_toml()
    return [MakeDirectory("/etc/ispguide"), Write(PATH, text, 0o600)]


@task
def save_settings(
    c: Any, settings: Any, server: str = PRACTICE, sudo: Any = None
) -> None:
    """Keep other settings, on the server and in the profile."""
    problems.checked(settings)
    profile = known(server)
    with open_server(profile, sudo) as there:
        answer = there.exchange(written(settings), step="settings")
        if not answer.done or not answer.done["ok"]:
            raise GuideError(
                "The settings could not be written.",
                evidence=str(answer.done),
                kind="server-refused",
            )
    profile.with_settings(settings).save()
