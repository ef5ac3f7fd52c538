"""The smarthost: another server through which all outgoing mail leaves, with a login.

How its setting is read; what keeps one from being one says `problems`.  Pure, and knows
no password: that is kept by the server alone.  What makes it true is the step
`sending.smarthost`.  Sources: postconf(5) relayhost, SASL_README, RFC 6409 and 8314.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ispguide.engine.things import (
    Absent,
    Check,
    File,
    NoSecret,
    Packages,
    Plain,
    Proof,
    TypedSecret,
)
from ispguide.mail.checks import proved
from ispguide.mail.postfix import Postconf

if TYPE_CHECKING:
    from ispguide.engine.settings import Settings


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


# The two ways of outgoing mail: by itself, or all of it through a smarthost.
#
# Each says all of what the other says, so that turning back puts everything back.
# Manuals: postconf(5), SASL_README, TLS_README (secure), RFC 8314


THE_PASSWORD = "the password for the smarthost"

#: Each mail goes to its own receiver's server.
BY_ITSELF = (
    Postconf(
        relayhost="",
        smtp_sasl_auth_enable="no",
        smtp_sasl_password_maps="",
        smtp_sasl_tls_security_options="noanonymous",
        smtp_tls_policy_maps="",
        smtp_tls_wrappermode="no",
    ),
    Absent(LOGIN, why="Nobody logs in anywhere, and it holds a password."),
    NoSecret(PASSWORD, THE_PASSWORD),
)


def way_out(s: Settings) -> Iterator[Plain]:
    """What is true of Postfix as it sends."""
    return through(s) if s.smarthost else iter(BY_ITSELF)


def through(s: Settings) -> Iterator[Plain]:
    """All mail goes to the smarthost, which must prove its name before it learns ours."""
    hop = hop_of(s.smarthost)
    wrapped = port_of(s.smarthost) == SUBMISSIONS
    how = "Type it into the form of chapter 12, or run ./guide smarthost."
    yield Packages("libsasl2-modules")
    yield TypedSecret(PASSWORD, THE_PASSWORD, how)
    yield File(LOGIN, s, mode=0o600, hop=hop)
    yield Postconf(
        relayhost=hop,
        smtp_sasl_auth_enable="yes",
        smtp_sasl_password_maps=f"texthash:{LOGIN}",
        smtp_sasl_tls_security_options="noanonymous",
        smtp_tls_policy_maps=f"inline:{{ {{ {hop} = secure }} }}",
        smtp_tls_wrappermode="yes" if wrapped else "no",
    )


def tried(s: Settings) -> Check | Proof:
    """A letter that leaves through the smarthost; without one there is nothing to try."""
    if s.smarthost:
        return proved("mail leaves through the smarthost", "leaves_through_smarthost")
    return Check(
        "no smarthost is used, mail leaves by itself",
        '[ -z "$(postconf -h relayhost)" ]',
        do="Run the step smarthost.",
    )
