"""Somebody at spammer.test who tries passwords, at any door that asks for one.

He has a list, which holds one wrong password, and hurries: several tries at once.  What
he does runs in the practice internet's container, so he has an address of his own.
Manuals: RFC 9051 (IMAP), RFC 4954 (SMTP AUTH), ssh(1).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources

from ispguide.lab.engine import LabProblem
from ispguide.lab.filling import MAIL
from ispguide.lab.parts import awake
from ispguide.lab.spammer import FROM

#: Doors at which one can guess.
SERVICES = ("ssh", "imaps", "imap", "pop3s", "submissions", "submission", "webmail")


@dataclass(frozen=True)
class Guessed:
    """From where, how often he was told no, and whether nobody answers him now."""

    address: str
    tries: int
    shut: bool


def guess(
    service: str, tries: int = 10, via: str = "nameless", six: bool = False
) -> Guessed:
    """Try a wrong password so many times at `service`, then look whether he is shut out;
    with no try at all, only look."""
    lab = awake()
    net = lab.network()
    place = net.ip6 if six else net.ip4
    program = resources.files("ispguide.lab").joinpath("guessing.py").read_bytes()
    argv = ["python3", "-I", "-", service, place(MAIL), place(FROM[via]), str(tries)]
    done = lab.internet.run(argv, program)
    if done.returncode:
        raise LabProblem(
            f"Nobody could guess at {service}.",
            "A server that is built asks for a password there.",
            "Build it first, with ./guide apply.",
            done.stderr.decode(errors="replace"),
        )
    found = json.loads(done.stdout)
    return Guessed(place(FROM[via]), found["tries"], found["shut"])
