"""The smarthost: another server through which all outgoing mail leaves, with a login.

How it is written, and what keeps it from being one, in sentences.  Pure, and knows no
password: that is kept by the server alone.  What makes it true is the step
`sending.smarthost`.
Sources: postconf(5) relayhost, SASL_README, RFC 6409 and 8314 (ports), RFC 7208 5.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ispguide.dns import spf
from ispguide.names import name_problems

if TYPE_CHECKING:
    from ispguide.settings import Settings

#: What the password is called among the secrets of the server.
PASSWORD = "smarthost-password"
#: The file in which Postfix finds it, with the name that belongs to it.
LOGIN = "/etc/postfix/ispguide-smarthost-login"
SUBMISSION, SUBMISSIONS = 587, 465


def host_of(smarthost: str) -> str:
    """The name without the port."""
    return smarthost.partition(":")[0]


def port_of(smarthost: str) -> int:
    """The port, 587 where none is said; 0 when what is said is none."""
    _, colon, port = smarthost.partition(":")
    if not colon:
        return SUBMISSION
    return int(port) if re.fullmatch(r"[1-9]\d{0,4}", port) else 0


def hop_of(smarthost: str) -> str:
    """As Postfix writes it: in brackets, so that no MX record is asked for."""
    return f"[{host_of(smarthost)}]:{port_of(smarthost)}"


def left_behind(before: Settings, after: Settings) -> str:
    """What only the reader can take away: others may need the word in SPF."""
    word = before.smarthost_spf
    if not word or word == after.smarthost_spf:
        return ""
    return (
        f"The SPF record of {after.domain} may still hold {word}, and lets that server "
        "send in your name. Take it out by hand, unless somebody there sends for you."
    )


def problems(s: Settings) -> list[str]:
    """What cannot be, in sentences."""
    if not s.smarthost:
        return _needless(s)
    found = name_problems("smarthost", host_of(s.smarthost), dots=1)
    if not 1 <= port_of(s.smarthost) <= 65535:
        found.append(
            f"The smarthost is {s.smarthost!r}. After its name there may be a colon "
            "and a port from 1 to 65535, like mail.example.org:587."
        )
    if host_of(s.smarthost) == s.hostname:
        found.append(
            f"The smarthost is {s.hostname}, this server itself. It should be another "
            "one, or mail would run in a circle."
        )
    return found + _user_problems(s.smarthost_user) + _spf_problems(s.smarthost_spf)


def _needless(s: Settings) -> list[str]:
    """A login or a word of SPF for nobody would mean nothing."""
    return [
        f"{name} is {getattr(s, name)!r} and there is no smarthost. Either name the "
        "smarthost, or leave this empty."
        for name in ("smarthost_user", "smarthost_spf")
        if getattr(s, name)
    ]


def _user_problems(user: str) -> list[str]:
    if re.fullmatch(r"[!-9;-~]{1,200}", user):
        return []
    return [
        f"smarthost_user is {user!r}. It should be the name your provider gave you "
        "for the login, in plain letters, digits and signs without blanks and colons."
    ]


def _spf_problems(mechanism: str) -> list[str]:
    """One word that lets somebody in by name or address, and not everybody."""
    try:
        terms = spf.parse(f"v=spf1 {mechanism}")
    except spf.Broken as error:
        return [f"smarthost_spf is {mechanism!r}. {error}"]
    plain = re.fullmatch(r"[a-z0-9]+:[\w.:/-]+", mechanism)
    if not mechanism or (plain and len(terms) == 1):
        return []
    return [
        f"smarthost_spf is {mechanism!r}. It should be one word that your provider "
        "tells you, like include:spf.example.org or a:mail.example.org."
    ]
