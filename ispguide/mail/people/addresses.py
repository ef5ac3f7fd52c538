"""What an address, a mailbox and a password may be; GuideError in sentences when not.

An address may hold what RFC 5321 allows without quotes.  A mailbox is narrower: its
name is also a folder and a login, and Dovecot takes letters, digits and . - _ alone
(auth_username_chars).  Domains of other scripts are kept as the DNS has them.
Sources: RFC 5321 4.1.2, RFC 5890 (A-labels), RFC 6531 (letters before the @, which
most servers cannot take yet).
"""

from __future__ import annotations

import re

from ispguide.engine.errors import GuideError
from ispguide.engine.names import host_name_problems, to_ascii
from ispguide.engine.settings import Secret

#: What bcrypt reads of a password; more would be ignored without a word.
LONGEST = 72

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_MAILBOX = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


def valid_address(text: str, catch_all: bool = False) -> str:
    """The address as it is stored: in small letters, its domain in A-labels."""
    address = to_ascii(text.strip().lower())
    local, at, domain = address.rpartition("@")
    if catch_all and at and not local:
        return "@" + valid_domain(domain)
    if at and not local.isascii():
        raise GuideError(
            f"{text.strip()} has letters beyond a to z before the @.",
            "Many servers could not write to it, so it should have none.",
            "Write it with plain letters; the domain behind the @ may have others.",
            kind="bad-address",
        )
    if not at or not _LOCAL.fullmatch(local) or len(local) > 64 or len(address) > 254:
        raise GuideError(
            f"{text.strip()!r} is no mail address.",
            "It should look like anna@example.org.",
            "Write it like that.",
            kind="bad-address",
        )
    valid_domain(domain)
    return address


def valid_mailbox(text: str) -> str:
    """The address of a mailbox."""
    address = valid_address(text)
    local = address.rpartition("@")[0]
    if not _MAILBOX.fullmatch(local):
        raise GuideError(
            f"{local!r} can be an address, but not the name of a mailbox.",
            "It should have letters, digits and . - _ alone: it is a folder and a login too.",
            "Choose another name, and forward this address to it.",
            kind="bad-mailbox-name",
        )
    return address


def valid_domain(text: str) -> str:
    """The domain as it is stored: in small letters and A-labels."""
    name = to_ascii(text.strip().lower())
    if problems := host_name_problems(name):
        raise GuideError(problems[0], kind="bad-domain")
    return name


def typed(secret: object, otherwise: str) -> str:
    """The password; GuideError when it came where others could read it.

    `otherwise`: what happens when it is left out."""
    if isinstance(secret, Secret):
        return secret.reveal()
    raise GuideError(
        "A password was given as an ordinary word.",
        "On a command line or in a cell others could read it there.",
        f"Use --password-stdin, or leave it out and {otherwise}.",
        kind="password-in-the-open",
    )


def valid_password(secret: Secret) -> Secret:
    """The password itself; GuideError when no mail program could send it."""
    text = typed(secret, "one is made")
    if not text or not text.isprintable():
        raise GuideError(
            "The password is empty or holds a sign that cannot be typed.",
            "It should be one line of printable signs.",
            "Choose another one.",
            kind="bad-password",
        )
    if len(text.encode()) > LONGEST:
        raise GuideError(
            f"The password has {len(text.encode())} bytes.",
            f"Its hash can hold {LONGEST}; the rest would count for nothing.",
            "Choose a shorter one.",
            kind="password-too-long",
        )
    return secret


# What somebody types for a limit, as bytes: "500 MB", "2 GB", "none".
#
# A million bytes are an MB here, as in all that the guide shows.


UNITS = {"kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000}
NONE = ("0", "none", "no limit", "")
#: What the column can hold; nobody has so much disk.
MOST = 10**15
_AMOUNT = re.compile(r"(\d{1,9}(?:[.,]\d{1,3})?)\s*(kb|mb|gb)")


def bytes_of(text: str) -> int:
    """The limit in bytes, 0 for none; GuideError in a sentence when it is none of these."""
    said = text.strip().lower()
    if said in NONE:
        return 0
    found = _AMOUNT.fullmatch(said)
    size = round(float(found[1].replace(",", ".")) * UNITS[found[2]]) if found else 0
    if not 1000 <= size <= MOST:
        raise GuideError(
            f"{text!r} is no limit of a mailbox.",
            "It should be a number with its unit, like 500 MB or 2 GB, or none.",
            "Write it like that.",
            kind="bad-limit",
        )
    return size
