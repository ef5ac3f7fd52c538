"""Names and addresses: what keeps one from being one, in sentences.

Names of other scripts are kept as the DNS has them, and shown as people write them.
Sources: RFC 1035 2.3.1 and RFC 1123 2.1 (host names), RFC 5321 4.1.2 and 4.5.3.1.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_LOCAL = re.compile(r"[a-z0-9!#$%&*+/=?^_{|}~-]+(\.[a-z0-9!#$%&*+/=?^_{|}~-]+)*")


def to_ascii(text: str) -> str:
    """A name or an address as it is kept: its domain in A-labels (RFC 5890).

    What cannot be one stays as it is, and is found out by `name_problems`."""
    local, at, domain = text.rpartition("@")
    if domain.isascii():
        return text
    import idna  # only for who needs it: it loads large tables

    try:
        return local + at + idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return text


def to_unicode(text: str) -> str:
    """The same as people write it."""
    local, at, domain = text.rpartition("@")
    if "xn--" not in domain:
        return text
    import idna

    try:
        return local + at + idna.decode(domain)
    except idna.IDNAError:
        return text


def host_name_problems(name: str) -> list[str]:
    """What keeps `name` from being a host or domain name; empty: nothing."""
    return name_problems("name", name, dots=1)


def address_problems(address: str) -> list[str]:
    """What keeps `address` from being a mail address on this server."""
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local.lower()) or len(local) > 64:
        return [
            f"{address!r} is no mail address. It should look like anna@example.org: "
            "letters, digits and .-_+ before the @, a domain after it."
        ]
    return name_problems(f"domain of {address}", domain, dots=1)


def name_problems(what: str, name: str, dots: int) -> list[str]:
    labels = name.split(".")
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        return [
            f"The {what} {name!r} is no domain name. It may hold small letters, "
            "digits and hyphens, in parts divided by dots, like mail.example.org."
        ]
    if any(label.startswith("xn--") for label in labels) and to_unicode(name) == name:
        return [
            f"The {what} {name!r} is no name of another script, though it begins so."
        ]
    if len(labels) <= dots or labels[-1].isdigit():
        return [
            f"The {what} {name!r} is too short. Write it in full, like {'mail.' * (dots - 1)}example.org."
        ]
    return []


def machine_problems(name: str) -> list[str]:
    """What keeps `name` from being a machine's name or address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return host_name_problems(name)
    return []


# Names of other scripts: typed and shown as people write them, kept as the DNS has them.


def to_ascii_text(value: Any) -> Any:
    """What was typed, as the settings keep it: domains in A-labels."""
    return to_ascii(value) if isinstance(value, str) else value


def to_unicode_text(value: Any) -> Any:
    """What the settings keep, as people write it."""
    return to_unicode(value) if isinstance(value, str) else value
