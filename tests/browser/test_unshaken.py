"""The browser of these tests does not hear of addresses that come and go."""

from __future__ import annotations

import subprocess
import sys

from . import unshaken

KINDS = """
import socket
for kind in ("AF_NETLINK", "AF_INET", "AF_INET6", "AF_UNIX"):
    try:
        socket.socket(getattr(socket, kind), socket.SOCK_DGRAM).close()
    except OSError as error:
        print(kind, error.strerror)
"""


def said(*before: str) -> str:
    command = [*before, sys.executable, "-c", KINDS]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_only_the_listening_is_refused() -> None:
    assert said() == ""
    refused = said(sys.executable, unshaken.__file__)
    assert refused == "AF_NETLINK Address family not supported by protocol\n"
