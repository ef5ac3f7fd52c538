"""The wire: a Fabric connection with a pinned host key, and first contact.

Fabric accepts unknown and contradicting host keys; here the pinned file is loaded
and everything else rejected, before anybody authenticates.  paramiko does not set
TCP_NODELAY (46 ms instead of 3 for a command) and has no keep-alive by default.
Sources: https://docs.paramiko.org/en/stable/api/client.html, ssh-keygen(1).
"""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import Any

from ispguide.engine.errors import (
    CannotReachServer,
    ChangedServer,
    NotLetIn,
    UnknownServer,
)
from ispguide.engine.profile import Profile

CONNECT_SECONDS = 10
KEEPALIVE_SECONDS = 15


def open_connection(profile: Profile) -> Any:
    """A connected fabric.Connection to the server with the pinned key."""
    import fabric
    import paramiko

    # Its thread would log a traceback of what is raised here as a sentence anyway.
    logging.getLogger("paramiko.transport").setLevel(logging.CRITICAL)
    connection = fabric.Connection(
        profile.host,
        user=profile.user,
        port=profile.port,
        connect_timeout=CONNECT_SECONDS,
        config=fabric.Config(overrides={"load_ssh_configs": True}),
        connect_kwargs={**_login(profile), "transport_factory": _transport},
    )
    connection.client.load_host_keys(profile.known_hosts)
    connection.client.set_missing_host_key_policy(paramiko.RejectPolicy())
    try:
        connection.open()
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise _in_words(profile, error) from error
    connection.transport.set_keepalive(KEEPALIVE_SECONDS)
    return connection


def _transport(sock: Any, *words: Any, **named: Any) -> Any:
    """Paramiko's, whose small messages wait for nothing from the first one on."""
    import paramiko

    if isinstance(sock, socket.socket):  # and not the way through another server
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return paramiko.Transport(sock, *words, **named)


def _login(profile: Profile) -> dict[str, Any]:
    if not profile.key:
        return {}
    return {"key_filename": profile.key, "look_for_keys": False, "allow_agent": False}


def _in_words(profile: Profile, error: Exception) -> CannotReachServer:
    """The exception as what is so, what should be so, what to do now."""
    import paramiko

    where = f"{profile.host}, port {profile.port}"
    refused = paramiko.AuthenticationException | paramiko.PasswordRequiredException
    if isinstance(error, paramiko.BadHostKeyException):
        return ChangedServer(
            f"{where} showed another host key than the one you accepted "
            f"({error.key.fingerprint}).",
            "A server keeps its key. A new one means a reinstalled server, or somebody in between.",
            "Compare it in your provider's console; if it is yours, connect again with --accept.",
        )
    if isinstance(error, refused):
        return _not_let_in(profile, where, error)
    if "not found in known_hosts" in str(error):
        return UnknownServer(
            f"The key of {where} was never accepted on this computer.",
            "You should compare its fingerprint once, before the first password or change.",
            f"./guide connect {profile.user}@{profile.host}",
        )
    return _no_answer(where, error)


def _not_let_in(profile: Profile, where: str, error: Exception) -> NotLetIn:
    return NotLetIn(
        f"{where} does not let in {profile.user} with this key.",
        "Your public key should be in the file ~/.ssh/authorized_keys of that user.",
        f"Try: ssh -p {profile.port} {profile.user}@{profile.host}. When that works, look again.",
        str(error),
    )


def _no_answer(where: str, error: Exception) -> CannotReachServer:
    return CannotReachServer(
        f"{where} does not answer.",
        "An SSH server should be listening there.",
        "Check the name and the port, and that the server runs.",
        f"{type(error).__name__}: {error}",
    )


def host_key(host: str, port: int = 22) -> Any:
    """The public key the server shows, without logging in."""
    import paramiko

    try:
        with socket.create_connection((host, port), CONNECT_SECONDS) as socket_:
            transport = paramiko.Transport(socket_)
            try:
                transport.start_client(timeout=CONNECT_SECONDS)
                return transport.get_remote_server_key()
            finally:
                transport.close()
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise _in_words(Profile("", host, "", port=port), error) from error


def pin(host: str, port: int, key: Any, path: Path) -> None:
    """Write the accepted key as the only one known for this profile."""
    name = host if port == 22 else f"[{host}]:{port}"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(f"{name} {key.get_name()} {key.get_base64()}\n")
