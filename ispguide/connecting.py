"""First contact with a real server: compare its fingerprint, pin its key.

Changes nothing on the server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fabric import task

from ispguide import ssh
from ispguide.errors import GuideError, UnknownServer
from ispguide.profile import Profile, home
from ispguide.server import Server
from ispguide.settings import Settings


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
    user, _, host = where.rpartition("@")
    host, _, port = host.partition(":")
    _pinned(host, int(port or 22), accept)
    profile = Profile(
        name=name or host,
        host=host,
        port=int(port or 22),
        user=user or "root",
        known_hosts=str(_known_hosts(host)),
        key=key,
    )
    with Server(profile, sudo) as server:
        found = (server.exchange().settings or {}).get("text")
    profile = profile.with_settings(_first_settings(found, domain, where))
    profile.save()
    return profile


def _first_settings(found: str | None, domain: str, where: str) -> Settings:
    """Those the server remembers, else the defaults for a new mail domain."""
    if found:
        return Settings.from_toml(found)
    if domain:
        return Settings(f"mail.{domain}", domain, f"postmaster@{domain}").checked()
    raise GuideError(
        f"{where} has no settings of this guide yet.",
        "The guide should know which mail domain it is for.",
        f"Add --domain example.org to: ./guide connect {where}",
    )


def _known_hosts(host: str) -> Path:
    return home() / "profiles" / f"{host}.known_hosts"


def _pinned(host: str, port: int, accept: str) -> None:
    """Pin the key when its fingerprint is the accepted one; else show it."""
    if _known_hosts(host).exists() and not accept:
        return
    key = ssh.host_key(host, port)
    shown = ssh.fingerprint(key.asbytes())
    if accept != shown:
        kind = key.get_name().removeprefix("ssh-").partition("-")[0]
        error = UnknownServer(
            f"{host} showed the {kind} key {shown}"
            + (f", not {accept}." if accept else "."),
            "Before you trust it, its console at your provider should print the same:\n"
            f"  ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub",
            f"When both are equal, repeat the command with --accept {shown}",
        )
        error.fingerprint = shown
        raise error
    ssh.pin(host, port, key, _known_hosts(host))
