"""The tasks of the beginning: first contact with a server, and its settings.

They make nothing true: the steps that read the settings do.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fabric import task

from ispguide.engine import problems, ssh
from ispguide.engine.actions import Action, MakeDirectory, Write
from ispguide.engine.errors import GuideError, SettingsProblem, UnknownServer
from ispguide.engine.local import home
from ispguide.engine.names import host_name_problems
from ispguide.engine.profile import Profile
from ispguide.engine.server import Server
from ispguide.engine.settings import PATH, Settings
from ispguide.tasks.base import PRACTICE, known, open_server

# First contact with a real server: compare its fingerprint, pin its key.
#
# Changes nothing on the server.


@task
def connect(
    c: Any,
    where: str,
    domain: str = "",
    accept: str = "",
    name: str = "",
    key: str = "",
    sudo: Any = None,
) -> Profile:
    """Make a profile for a real server.  `accept`: the fingerprint you compared."""
    user, host, port = _parts(where)
    first = _new_settings(domain) if domain else None
    _pinned(host, port, accept)
    profile = Profile(
        name=name or host.replace(":", "-"),
        host=host,
        port=port,
        user=user,
        known_hosts=str(_known_hosts(host)),
        key=key,
    )
    with Server(profile, sudo) as server:
        found = (server.exchange().settings or {}).get("text")
    settings = problems.read(found) if found else first
    if settings is None:
        raise GuideError(
            f"{where} has no settings of this guide yet.",
            "The guide should know which mail domain it is for.",
            "Fill in the mail domain in the form of 00-start, or on the command line "
            f"add --domain example.org to: ./guide connect {where}",
            kind="no-settings",
        )
    profile = profile.with_settings(settings)
    profile.save()
    return profile


def _parts(where: str) -> tuple[str, str, int]:
    """user, host and port of "user@host:port"; root and 22 when left out."""
    form = r"(?:([\w.-]+)@)?(\[[0-9A-Fa-f:]+\]|\w[\w.-]*)(?::(\d{1,5}))?"
    found = re.fullmatch(form, where, re.ASCII)
    if not found:
        raise GuideError(
            f"{where!r} is no address of a server.",
            "It should look like root@mail.example.org, with :PORT behind it if not 22.",
            "Write it as you would for ssh.",
            kind="bad-address",
        )
    return found[1] or "root", found[2].strip("[]"), int(found[3] or 22)


def _new_settings(domain: str) -> Settings:
    """The defaults for a new mail domain; SettingsProblem when it is no domain."""
    if found := host_name_problems(domain):
        raise SettingsProblem(found[0])
    return problems.checked(Settings(f"mail.{domain}", domain, f"postmaster@{domain}"))


def _known_hosts(host: str) -> Path:
    return home() / "profiles" / f"{host.replace(':', '-')}.known_hosts"


def _pinned(host: str, port: int, accept: str) -> None:
    """Pin the key when its fingerprint is the accepted one; else show it."""
    if _known_hosts(host).exists() and not accept:
        return
    key = ssh.host_key(host, port)
    shown = key.fingerprint
    if accept != shown:
        kind = key.get_name().removeprefix("ssh-").partition("-")[0]
        command = f"ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub"
        error = UnknownServer(
            f"{host} showed the {kind} key {shown}"
            + (f", not {accept}." if accept else "."),
            "Before you trust it, its console at your provider should print the same:\n"
            f"  {command}",
            f"When both are equal, repeat the command with --accept {shown}",
        )
        error.fingerprint, error.command = shown, command
        raise error
    ssh.pin(host, port, key, _known_hosts(host))


# The task that keeps other settings, on the server and on this computer.


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
        refused = GuideError(
            "The settings could not be written.",
            "The server should keep them.",
            "Read its words below.",
            kind="server-refused",
        )
        there.exchange(written(settings), step="settings").must(refused)
    profile.with_settings(settings).save()
