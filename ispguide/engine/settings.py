"""What the reader decided: the only source of values a template may use.

Settings live on the server in /etc/ispguide/settings.toml; a copy lies in the
local profile.  They hold no password: generated secrets are made on the server
and never leave it, and what a reader types travels as a `Secret`.
Reads and writes no file itself.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import asdict, dataclass, fields
from typing import Any

import tomli_w

from ispguide.engine.errors import SettingsProblem
from ispguide.engine.names import kept

# A password on its way in, in a wrapping that cannot be shown by accident.
#
# Keeps nothing: generated secrets are made on the server and never leave it.


class Secret:
    """A password on its way in.  Deliberately not a str: formatting shows dots."""

    __slots__ = ("_value",)

    def __init__(self, value: str):
        self._value = value

    def reveal(self) -> str:
        """The text itself, for the one place that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "•••"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a Secret is not written anywhere")


# What the reader decided: the only source of values a template may use.


#: Where the server keeps them.
PATH = "/etc/ispguide/settings.toml"


@dataclass(frozen=True)
class Settings:
    """The reader's decisions; `problems.of` says in sentences what cannot be."""

    hostname: str  #: the server's full name, e.g. mail.example.org
    domain: str  #: the first mail domain, e.g. example.org
    postmaster: str  #: who gets the server's own mail and the authority's notices
    tls: str = "letsencrypt"  #: letsencrypt, acme-url or self-signed
    acme_url: str = ""  #: directory address of the authority, for acme-url
    acme_ca: str = ""  #: file on the server that vouches for that address
    acme_name: str = ""  #: what that authority calls itself in CAA records, if known
    timezone: str = "Etc/UTC"
    pop3: bool = True
    message_size_mb: int = 40  #: largest message taken or sent, in MiB
    junk_days: int = 30  #: days after which Junk and Trash are emptied
    reject_score: int = 15  #: rspamd refuses a mail from this score on
    junk_score: int = 6  #: … and files it into Junk from this one on

    quotas: bool = True  #: whether mailboxes have limits at all (chapter 10)
    #: What a new mailbox may hold, in MB of a million bytes; 0 = no limit.
    quota_mb: int = 2000

    dkim_overlap_days: int = 7  #: days that a key stays in the DNS after its successor
    dmarc_policy: str = ""  #: none, quarantine or reject; "": as it stands in the DNS
    #: MTA-STS: testing, enforce, none (taken back); "": left out.
    mta_sts: str = "testing"
    sni: bool = False  #: certificates for mail.DOMAIN of the other mail domains

    brute_force: bool = True  #: whether chapter 16 is wanted
    more_ports: str = ""  #: doors of your own that stay open, like 8080, 51820/udp
    ban_tries: int = 10  #: wrong guesses within an hour that shut somebody out
    ban_minutes: int = 60  #: … for so long, the first time
    mails_per_hour: int = 100  #: receivers one person may write to in an hour
    mails_per_day: int = 500  #: … and in a day
    watching: bool = True  #: a look every night that mails what changed
    log_days: int = 30  #: days that the journal is kept

    other_server: str = "gmail-smtp-in.l.google.com"  #: whose port 25 is knocked at
    block_list: str = "zen.spamhaus.org"  #: asked whether it lists this server
    smarthost: str = ""  #: host or host:port through which all mail leaves; "" = none
    smarthost_user: str = ""  #: the name for the login there
    smarthost_spf: str = ""  #: the word of SPF that lets it send in our name

    webmail: bool = True  #: chapter 11: mail in the browser
    autoconfig: bool = True  #: chapter 17: mail programs that set themselves up
    backup: bool = True
    backup_to: str = ""  #: user@machine:folder, over SFTP; "": a folder on this server
    backup_port: int = 22
    backup_fingerprint: str = ""  #: of that machine's key, as it was compared
    backup_days: int = 7  #: how many daily backups are kept
    backup_weeks: int = 5  #: … and weekly ones
    backup_months: int = 12  #: … and monthly ones

    old_server: str = ""  #: from which this one takes over; "": there is none
    old_port: int = 22
    old_fingerprint: str = ""  #: of its key, as it was compared

    def __post_init__(self) -> None:
        """Names of other scripts, as the DNS has them."""
        for name in ("hostname", "domain", "postmaster"):
            value = getattr(self, name)
            object.__setattr__(self, name, kept(value) if value else value)

    @property
    def cert_dir(self) -> str:
        """Where certbot keeps the certificate in use."""
        return f"/etc/letsencrypt/live/{self.hostname}"

    @property
    def quota(self) -> int:
        """What a new mailbox may hold, in bytes; 0 = no limit."""
        return self.quota_mb * 1_000_000

    @property
    def sts(self) -> str:
        """The mode of the MTA-STS policy; "" where there can be none: nobody believes a
        certificate that we signed ourselves."""
        return "" if self.tls == "self-signed" else self.mta_sts

    def to_toml(self) -> str:
        """As the file on the server."""
        head = (
            "# Written by ispguide: what you decided in 00-start. No secrets in here."
        )
        return f"{head}\n{tomli_w.dumps(asdict(self))}"

    @classmethod
    def from_toml(cls, text: str) -> Settings:
        """From such a file, as it is written: whether it can be, `problems.read` says.

        Raises SettingsProblem in a sentence where a word is of the wrong kind."""
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise SettingsProblem(
                f"{PATH} on the server cannot be read: {error}.",
                'It should hold lines like hostname = "mail.example.org".',
                "Correct that line by hand, or save the form in 00-start again.",
            ) from error
        return cls.from_table(values)

    @classmethod
    def from_table(cls, values: dict[str, Any]) -> Settings:
        """The same from what such a file holds."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise SettingsProblem(
                f"{PATH} names {', '.join(unknown)}, which no chapter knows.",
                f"It may hold {', '.join(sorted(known))}.",
                "Remove that line, or use the version of ispguide that wrote it.",
            )
        return _typed(cls, values)

    @property
    def hash(self) -> str:
        """Eight bytes of SHA-256 over the file's text, in hex."""
        return text_hash(self.to_toml())


def text_hash(text: str) -> str:
    """The hash by which profile and server compare their settings."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _typed(cls: type[Settings], values: dict[str, Any]) -> Settings:
    missing = {"hostname", "domain", "postmaster"} - set(values)
    if missing:
        raise SettingsProblem(
            f"The settings lack {', '.join(sorted(missing))}.",
            "Every server needs these.",
            "Fill in the form in 00-start.",
        )
    for field in fields(cls):
        wanted = {"str": str, "int": int, "bool": bool}[str(field.type)]
        value = values.get(field.name, wanted())
        if not isinstance(value, wanted) or (wanted is int and value is True):
            raise SettingsProblem(
                f"{field.name} is {value!r}.",
                f"It should be a {wanted.__name__}.",
                "Correct it in the form of 00-start.",
            )
    return cls(**values)
