"""The wire without a practice server: whose key is believed, and what others may read."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from ispguide.engine import server, ssh
from ispguide.engine.errors import ChangedServer, UnknownServer
from ispguide.engine.profile import Profile
from ispguide.engine.settings import Secret

HERE = "127.0.0.1"


class Doorman(paramiko.ServerInterface):
    """Lets nobody in, and notes who asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def get_allowed_auths(self, username: str) -> str:
        self.asked.append(username)
        return "publickey"


@pytest.fixture
def door() -> Iterator[tuple[int, Doorman]]:
    """An SSH server of this computer, with a key that nobody knows."""
    doorman, over = Doorman(), threading.Event()
    with socket.create_server((HERE, 0)) as listening:

        def serve() -> None:
            transport = paramiko.Transport(listening.accept()[0])
            transport.add_server_key(paramiko.ECDSAKey.generate())
            transport.start_server(threading.Event(), doorman)
            over.wait(60)
            transport.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1], doorman
        over.set()
        thread.join(10)


@pytest.mark.parametrize("known", ["nobody", "another key of that server"])
def test_who_shows_a_key_that_was_not_accepted_hears_no_name(
    door: tuple[int, Doorman], known: str, tmp_path: Path
) -> None:
    port, doorman = door
    file = tmp_path / "known_hosts"
    file.touch()
    if known != "nobody":
        ssh.pin(HERE, port, paramiko.ECDSAKey.generate(), file)
    profile = Profile("", HERE, str(file), port=port, user="anna")
    with pytest.raises(UnknownServer if known == "nobody" else ChangedServer):
        ssh.open_connection(profile)
    assert doorman.asked == []


def test_small_messages_wait_for_nothing_from_the_first_one_on(
    door: tuple[int, Doorman],
) -> None:
    with socket.create_connection((HERE, door[0])) as there:
        assert not there.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert ssh._transport(there).sock is there
        assert there.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_way_through_another_program_has_no_such_switch() -> None:
    """As `ProxyCommand` in ~/.ssh/config brings it."""
    through = paramiko.ProxyCommand("cat")
    assert ssh._transport(through).sock is through
    through.close()


def test_no_password_stands_in_a_command() -> None:
    """Everybody on the server reads the list of processes."""
    password = Secret("planted-gooseberry-4711")
    said = {server.command(user, password, "mark") for user in ("anna", "root")}
    said.add(server.command("anna", None, "mark"))
    assert len(said) == 3
    assert not [line for line in said if password.reveal() in line]
