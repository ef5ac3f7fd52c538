"""Chromium that does not hear of this computer's addresses: `unshaken.py PROGRAM WORD…`.

With each container an address comes or goes, and Chromium, which listens for that, gives
up every connection it is just making: net::ERR_NETWORK_CHANGED.  Where it cannot listen,
it takes the network for one that stays.  It listens at a netlink socket, and only the
kernel can refuse it that.
Source: `AbortAndForceOnline` in Chromium's net/base/address_tracker_linux.cc
"""

import errno
import os
import socket
import sys

import pyseccomp as seccomp


def main() -> None:
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    netlink = seccomp.Arg(0, seccomp.EQ, socket.AF_NETLINK)
    rules.add_rule(seccomp.ERRNO(errno.EAFNOSUPPORT), "socket", netlink)
    rules.load()
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
