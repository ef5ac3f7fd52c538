"""The two ways of outgoing mail: by itself, or all of it through a smarthost.

Each says all of what the other says, so that turning back puts everything back.
Manuals: postconf(5), SASL_README, TLS_README (secure), RFC 8314
"""

from collections.abc import Iterator

from ispguide.chapters._words import proved
from ispguide.mail import Postconf
from ispguide.smarthost import LOGIN, PASSWORD, SUBMISSIONS, hop_of, port_of
from ispguide.things import (
    Absent,
    Check,
    File,
    NoSecret,
    Packages,
    Plain,
    Proof,
    TypedSecret,
)

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


def way_out(s) -> Iterator[Plain]:
    """What is true of Postfix as it sends."""
    return through(s) if s.smarthost else iter(BY_ITSELF)


def through(s) -> Iterator[Plain]:
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


def tried(s) -> Check | Proof:
    """A letter that leaves through the smarthost; without one there is nothing to try."""
    if s.smarthost:
        return proved("mail leaves through the smarthost", "leaves_through_smarthost")
    return Check(
        "no smarthost is used, mail leaves by itself",
        '[ -z "$(postconf -h relayhost)" ]',
        do="Run the step smarthost.",
    )
