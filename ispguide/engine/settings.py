"""What the reader decides: the only source of values a template may use.

Each decision is declared here, once: what it is called, why one would change it, and
what it may be; forms, problems and the file on the server follow from that.
Settings live on the server in /etc/ispguide/settings.toml; a copy lies in the local
profile.  They hold no password: generated secrets are made on the server and never
leave it, and what a reader types travels as a `Secret`.
Reads and writes no file itself.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

import tomli_w

from ispguide.engine.errors import SettingsProblem
from ispguide.engine.names import to_ascii


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


#: Where the server keeps them.
PATH = "/etc/ispguide/settings.toml"


@dataclass(frozen=True)
class Decision:
    """What there is to know of one setting, for forms and for `problems`.

    `label`: what it is called; `why`: a plain sentence or two about it.
    `least`, `most`: the range of a number.  `choices`: each value it may have, and the
    words for it; {}: not one of a few."""

    label: str
    why: str
    least: int | None = None
    most: int | None = None
    choices: Mapping[str, str] = field(default_factory=dict)


def decided(label: str, why: str, default: Any = MISSING, **more: Any) -> Any:
    """A field of `Settings`; without a default, everybody has to decide."""
    return field(default=default, metadata={"is": Decision(label, why, **more)})


@dataclass(frozen=True)
class Settings:
    """The reader's decisions; `problems.of` says in sentences what cannot be."""

    hostname: str = decided(
        "name of the server",
        "The full name by which other servers know this computer; mail. and your "
        "domain is usual. It needs an address in the DNS, and the address must lead "
        "back to this name.",
    )
    domain: str = decided(
        "mail domain",
        "What stands behind the @ of the first mailbox. More domains are added in "
        "the chapter about people.",
    )
    postmaster: str = decided(
        "postmaster",
        "Who gets the server's own mail, and the notices of the authority that "
        "makes the certificate.",
    )
    tls: str = decided(
        "certificate",
        "Who vouches that this server is the one it says it is.",
        default="letsencrypt",
        choices={
            "letsencrypt": "Let's Encrypt: free, and every program trusts it",
            "acme-url": "an authority of your own, by its ACME address",
            "self-signed": "self-signed: every program will warn",
        },
    )
    acme_url: str = decided(
        "address of the authority",
        "Only for an authority of your own: its directory, a long address that "
        "begins with https.",
        default="",
    )
    acme_ca: str = decided(
        "its root certificate",
        "Only for an authority of your own: a file on the server that vouches for "
        "that address. Empty: the system's.",
        default="",
    )
    acme_name: str = decided(
        "its name in CAA records",
        "Only for an authority of your own: what it calls itself in the DNS, if it "
        "is known.",
        default="",
    )
    timezone: str = decided(
        "time zone",
        "The clock by which the log is written. Type a city and choose; Etc/UTC is "
        "the same all year.",
        default="Etc/UTC",
    )
    pop3: bool = decided(
        "POP3 beside IMAP",
        "Older mail programs fetch mail by POP3 and take it away with them. Nobody "
        "needs it who does not know it.",
        default=True,
    )
    message_size_mb: int = decided(
        "largest message, in MiB",
        "What is larger is refused while its sender still waits. Attachments grow "
        "by a third on their way.",
        default=40,
        least=1,
        most=500,
    )
    junk_days: int = decided(
        "days in Junk and Trash",
        "What lies longer in these two folders is removed for good.",
        default=30,
        least=1,
        most=3_650,
    )
    reject_score: int = decided(
        "refuse from this score on",
        "rspamd gives points for what looks like spam. With so many, a mail is "
        "refused at the door, and its sender is told.",
        default=15,
        least=1,
        most=1_000,
    )
    junk_score: int = decided(
        "into Junk from this score on",
        "With so many points a mail is taken, and filed into Junk.",
        default=6,
        least=1,
        most=1_000,
    )
    quotas: bool = decided(
        "mailboxes have limits",
        "Without, a mailbox may fill the disk, and with it everybody's. What "
        "chapter 10 has set up already stays.",
        default=True,
    )
    quota_mb: int = decided(
        "a new mailbox holds, in MB",
        "A million bytes each; 0 is no limit. Mailboxes that are there already keep "
        "what they have.",
        default=2000,
        least=0,
        most=1_000_000,
    )
    dkim_overlap_days: int = decided(
        "days an old key stays",
        "After a change of keys, the old public key stays in the DNS so long, for "
        "letters that are still on their way.",
        default=7,
        least=0,
        most=365,
    )
    dmarc_policy: str = decided(
        "forgeries in your name",
        "What others shall do with letters in your name that nothing vouches for. "
        "Raise it by one step when the reports are quiet.",
        default="",
        choices={
            "": "not decided: as it stands in the DNS, none to begin with",
            "none": "none: take them, and tell me",
            "quarantine": "quarantine: put them into Junk",
            "reject": "reject: refuse them",
        },
    )
    mta_sts: str = decided(
        "encryption on the way to you",
        "What other servers shall do who cannot encrypt, or find another name at "
        "your door. They fetch it from a page of yours.",
        default="testing",
        choices={
            "testing": "testing: bring the mail, and report it",
            "enforce": "enforce: keep it back until it is safe",
            "none": "none: no longer, forget what I said",
            "": "leave it out",
        },
    )
    sni: bool = decided(
        "server names for other domains",
        "mail.DOMAIN of each further mail domain gets a certificate of its own, so "
        "that people can type it. One name for all is enough.",
        default=False,
    )
    brute_force: bool = decided(
        "guard the server",
        "Firewall, bans and limits. Without it, doors that nobody needs stay open, "
        "and guessers may go on.",
        default=True,
    )
    more_ports: str = decided(
        "other open ports",
        "Only if this server does more than mail: their numbers, like 8080, "
        "51820/udp. Empty: mail, web and your SSH.",
        default="",
    )
    ban_tries: int = decided(
        "guesses until shut out",
        "So many wrong passwords within one hour. A phone with an old password "
        "tries several times by itself, so do not be too strict.",
        default=10,
        least=2,
        most=100,
    )
    ban_minutes: int = decided(
        "minutes shut out",
        "The first time; each time after that it is double, up to a week.",
        default=60,
        least=1,
        most=10_080,
    )
    mails_per_hour: int = decided(
        "letters in an hour",
        "How many one person may send; every receiver counts. Whoever sends more is "
        "told to wait, and you get a letter.",
        default=100,
        least=1,
        most=100_000,
    )
    mails_per_day: int = decided(
        "letters in a day",
        "The same for a whole day. A newsletter to all members needs more than the "
        "usual.",
        default=500,
        least=1,
        most=1_000_000,
    )
    watching: bool = decided(
        "watch over the server",
        "Every night the server looks at itself, and writes to the postmaster when "
        "something changed.",
        default=True,
    )
    log_days: int = decided(
        "days the log is kept",
        "So far back a letter can be followed. The log tells who wrote to whom, so "
        "keep it no longer than you need it.",
        default=30,
        least=1,
        most=3_650,
    )
    other_server: str = decided(
        "a server to knock at",
        "Only for a proof of chapter 2: at whose port 25 we knock to see whether "
        "mail may leave.",
        default="gmail-smtp-in.l.google.com",
    )
    block_list: str = decided(
        "block list to ask",
        "Only for a proof of chapter 2: which list is asked whether this server "
        "stands on it.",
        default="zen.spamhaus.org",
    )
    smarthost: str = decided(
        "smarthost",
        "Only where port 25 is closed: the server through which all mail leaves, "
        "with its port if that is not 587. Empty: mail leaves by itself. The "
        "password is typed in chapter 12.",
        default="",
    )
    smarthost_user: str = decided(
        "your name there",
        "Only with a smarthost: the name for the login, as its provider told you; "
        "often a mail address.",
        default="",
    )
    smarthost_spf: str = decided(
        "its word for SPF",
        "Only with a smarthost: what its provider says to add to the SPF record, "
        "like include:spf.example.org.",
        default="",
    )
    webmail: bool = decided(
        "mail in the browser",
        "Roundcube, a mail program in a web page, at your server's name. Without "
        "it, people need a program of their own.",
        default=True,
    )
    autoconfig: bool = decided(
        "mail programs set themselves up",
        "Thunderbird, Outlook and Apple's devices learn server and ports from the "
        "address alone. Without it, people are told.",
        default=True,
    )
    backup: bool = decided(
        "backups",
        "A backup each night, encrypted. Leave it out only where somebody else "
        "makes them.",
        default=True,
    )
    backup_to: str = decided(
        "where they go",
        "Another machine that takes files over SFTP, as user@machine:folder. Empty: "
        "a folder on this server, which helps against mistakes, and not when the "
        "machine is lost.",
        default="",
    )
    backup_port: int = decided(
        "its port",
        "Only with another machine: where its SSH listens. Nearly always 22; some "
        "providers of storage say 23.",
        default=22,
        least=1,
        most=65_535,
    )
    backup_fingerprint: str = decided(
        "its fingerprint",
        "Only with another machine: the fingerprint of its key, as its provider "
        "tells it, like SHA256:…",
        default="",
    )
    backup_days: int = decided(
        "daily backups kept",
        "The last backup of each of so many days.",
        default=7,
        least=1,
        most=3_650,
    )
    backup_weeks: int = decided(
        "weekly backups kept",
        "The last backup of each of so many weeks; these reach further back.",
        default=5,
        least=0,
        most=520,
    )
    backup_months: int = decided(
        "monthly backups kept",
        "The last backup of each of so many months, for what you miss only in autumn.",
        default=12,
        least=0,
        most=240,
    )
    old_server: str = decided(
        "the older server",
        "Its address or name, if mail is to move from there to here. Empty: there "
        "is none.",
        default="",
    )
    old_port: int = decided(
        "its port",
        "Only with an older server: where its SSH listens, nearly always 22.",
        default=22,
        least=1,
        most=65_535,
    )
    old_fingerprint: str = decided(
        "its fingerprint",
        "Only with an older server: the fingerprint of its key, like SHA256:…, as "
        "you see it on that machine itself.",
        default="",
    )

    def __post_init__(self) -> None:
        """Names of other scripts, as the DNS has them."""
        for name in ("hostname", "domain", "postmaster"):
            value = getattr(self, name)
            object.__setattr__(self, name, to_ascii(value) if value else value)

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
        known = {f.name for f in fields(cls)}
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


#: What there is to know of each setting.
DECISIONS: Mapping[str, Decision] = {f.name: f.metadata["is"] for f in fields(Settings)}


def text_hash(text: str) -> str:
    """The hash by which profile and server compare their settings."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _typed(cls: type[Settings], values: dict[str, Any]) -> Settings:
    missing = {f.name for f in fields(cls) if f.default is MISSING} - set(values)
    if missing:
        raise SettingsProblem(
            f"The settings lack {', '.join(sorted(missing))}.",
            "Every server needs these.",
            "Fill in the form in 00-start.",
        )
    for each in fields(cls):
        wanted = {"str": str, "int": int, "bool": bool}[str(each.type)]
        value = values.get(each.name, wanted())
        if not isinstance(value, wanted) or (wanted is int and value is True):
            raise SettingsProblem(
                f"{each.name} is {value!r}.",
                f"It should be a {wanted.__name__}.",
                "Correct it in the form of 00-start.",
            )
    return cls(**values)
