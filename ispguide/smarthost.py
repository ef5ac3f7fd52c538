"""The smarthost: another server through which all outgoing mail leaves, with a login.

How its setting is read; what keeps one from being one says `problems`.  Pure, and knows
no password: that is kept by the server alone.  What makes it true is the step
`sending.smarthost`.  Sources: postconf(5) relayhost, SASL_README, RFC 6409 and 8314.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
