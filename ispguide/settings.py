"""What the reader decided: the only source of values a template may use.

Settings live on the server in /etc/ispguide/settings.toml; a copy lies in the
local profile.  They hold no password: generated secrets are made on the server
and never leave it, and what a reader types travels as a `Secret`.
Reads and writes no file itself.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import asdict, dataclass, fields
from typing import Any

from ispguide.errors import SettingsProblem
from ispguide.names import address_problems, name_problems

#: Where the server keeps them.
PATH = "/etc/ispguide/settings.toml"

TLS = ("letsencrypt", "acme-url", "self-signed")


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


@dataclass(frozen=True)
class Settings:
    """The reader's decisions; `problems()` says in sentences what cannot be."""

    hostname: str  #: the server's full name, e.g. mail.example.org
    domain: str  #: the first mail domain, e.g. example.org
    postmaster: str  #: who gets the server's own mail and the authority's notices
    tls: str = "letsencrypt"  #: letsencrypt, acme-url or self-signed
    acme_url: str = ""  #: directory address of the authority, for acme-url
    acme_ca: str = ""  #: file on the server that vouches for that address
    timezone: str = "Etc/UTC"
    pop3: bool = True
    message_size_mb: int = 40  #: largest message taken or sent, in MiB
    junk_days: int = 30  #: days after which Junk and Trash are emptied
    reject_score: int = 15  #: rspamd refuses a mail from this score on
    junk_score: int = 6  #: … and files it into Junk from this one on

    other_server: str = "gmail-smtp-in.l.google.com"  #: whose port 25 is knocked at
    block_list: str = "zen.spamhaus.org"  #: asked whether it lists this server

    @property
    def cert_dir(self) -> str:
        """Where certbot keeps the certificate in use."""
        return f"/etc/letsencrypt/live/{self.hostname}"

    def problems(self) -> list[str]:
        """Sentences for the form: what is so, what should be so.  Empty: fine."""
        found = [*name_problems("server's name", self.hostname, dots=2)]
        found += name_problems("mail domain", self.domain, dots=1)
        found += name_problems("other mail server", self.other_server, dots=1)
        found += name_problems("block list", self.block_list, dots=1)
        found += address_problems(self.postmaster)
        if not found and self.hostname == self.domain:
            found.append(
                f"Server and mail domain are both called {self.domain}. "
                "Postfix needs two names: call the server mail." + self.domain + "."
            )
        found += _tls_problems(self)
        found += _number_problems(self)
        if not re.fullmatch(r"[A-Za-z_]+(/[A-Za-z0-9_+-]+)*", self.timezone):
            found.append(
                f"{self.timezone!r} is no time zone. Write one like Europe/Berlin."
            )
        return found

    def checked(self) -> Settings:
        """Self, or SettingsProblem with every problem in it."""
        if found := self.problems():
            raise SettingsProblem("\n".join(found))
        return self

    def to_toml(self) -> str:
        """As the file on the server; JSON strings and numbers are valid TOML."""
        lines = (f"{k} = {json.dumps(v)}" for k, v in asdict(self).items())
        head = (
            "# Written by ispguide: what you decided in 00-start. No secrets in here.\n"
        )
        return head + "\n".join(lines) + "\n"

    @classmethod
    def from_toml(cls, text: str) -> Settings:
        """From such a file.  Raises SettingsProblem in a sentence."""
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise SettingsProblem(
                f"{PATH} on the server cannot be read: {error}.",
                'It should hold lines like hostname = "mail.example.org".',
                "Correct that line by hand, or save the form in 00-start again.",
            ) from error
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise SettingsProblem(
                f"{PATH} names {', '.join(unknown)}, which no chapter knows.",
                f"It may hold {', '.join(sorted(known))}.",
                "Remove that line, or use the version of ispguide that wrote it.",
            )
        return _typed(cls, values).checked()

    @property
    def hash(self) -> str:
        """Eight bytes of SHA-256 over the file's text, in hex."""
        return text_hash(self.to_toml())


def text_hash(text: str) -> str:
    """The hash by which profile and server compare their settings."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _tls_problems(s: Settings) -> list[str]:
    if s.tls not in TLS:
        return [f"tls is {s.tls!r}. It should be one of {', '.join(TLS)}."]
    if s.tls == "acme-url" and not re.fullmatch(r"https://[\w.:/-]+", s.acme_url):
        return [
            f"The authority's address is {s.acme_url!r}. With tls = acme-url it "
            "should be its directory, like https://acme.example.org/directory."
        ]
    if s.acme_ca and not re.fullmatch(r"/[\w./-]+", s.acme_ca):
        return [f"acme_ca is {s.acme_ca!r}. It should be the full path of a file."]
    return []


def _number_problems(s: Settings) -> list[str]:
    found = []
    for name, low, high in (
        ("message_size_mb", 1, 500),
        ("junk_days", 1, 3650),
        ("reject_score", 1, 1000),
        ("junk_score", 1, 1000),
    ):
        if not low <= getattr(s, name) <= high:
            found.append(
                f"{name} is {getattr(s, name)}. It should be from {low} to {high}."
            )
    if s.junk_score >= s.reject_score:
        found.append(
            f"junk_score is {s.junk_score} and reject_score {s.reject_score}. "
            "Filing into Junk should begin before refusing does."
        )
    return found


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
