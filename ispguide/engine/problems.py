"""What cannot be decided: values of settings that exclude each other or mean nothing.

In sentences for the form.  Pure, and the one place where it is said how a setting is
written; who uses its parts later takes the forms from here.
Sources: RFC 7208 5 (words of SPF), ssh_config(5), RFC 6409 and 8314 (ports).
"""

from __future__ import annotations

import re
from ipaddress import ip_network

from ispguide.engine.errors import SettingsProblem
from ispguide.engine.names import address_problems, machine_problems, name_problems
from ispguide.engine.settings import DECISIONS, Settings

#: user@machine:folder, as scp(1) writes it.
TARGET = re.compile(r"([A-Za-z0-9._-]+)@([A-Za-z0-9.:-]+):([A-Za-z0-9._/-]+)")
#: Of a machine's key, as `ssh-keygen -lf` prints it.
FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
#: A port as the reader writes it: 8080, or 51820/udp.
PORT = re.compile(r"(\d{1,5})(?:/(tcp|udp))?")
#: A machine, and a port if one is said.
SMARTHOST = re.compile(r"([^:]*)(?::([1-9]\d{0,4}))?")
#: Of SPF, what lets somebody in by name or address: include:spf.example.org.
MECHANISM = re.compile(
    r"(?:include|exists|a|mx):[\w-]+(?:\.[\w-]+)+(?:/\d{1,2})?"
    r"|(?P<version>ip[46]):(?P<network>[0-9A-Fa-f.:]+(?:/\d{1,3})?)"
)
TIMEZONE = re.compile(r"[A-Za-z_]+(/[A-Za-z0-9_+-]+)*")


def of(s: Settings) -> list[str]:
    """Sentences for the form: what is so, what should be so.  Empty: fine."""
    return (
        _names(s)
        + _certificates(s)
        + _ports(s)
        + _choices(s)
        + _ranges(s)
        + _contradictions(s)
        + _smarthost(s)
        + _backup(s)
        + _old_server(s)
        + _timezone(s)
    )


def checked(s: Settings) -> Settings:
    """The same, or SettingsProblem with every problem in it."""
    if found := of(s):
        raise SettingsProblem("\n".join(found))
    return s


def read(text: str) -> Settings:
    """The settings of such a file, checked.  Raises SettingsProblem."""
    return checked(Settings.from_toml(text))


def _names(s: Settings) -> list[str]:
    found = [*name_problems("server's name", s.hostname, dots=2)]
    for what, name in (
        ("mail domain", s.domain),
        ("other mail server", s.other_server),
        ("block list", s.block_list),
    ):
        found += name_problems(what, name, dots=1)
    found += address_problems(s.postmaster)
    if not found and s.hostname == s.domain:
        found.append(
            f"Server and mail domain are both called {s.domain}. "
            "Postfix needs two names: call the server mail." + s.domain + "."
        )
    return found


def _certificates(s: Settings) -> list[str]:
    if s.tls == "acme-url" and not re.fullmatch(r"https://[\w.:/-]+", s.acme_url):
        return [
            f"The authority's address is {s.acme_url!r}. With tls = acme-url it "
            "should be its directory, like https://acme.example.org/directory."
        ]
    if s.acme_ca and not re.fullmatch(r"/[\w./-]+", s.acme_ca):
        return [f"acme_ca is {s.acme_ca!r}. It should be the full path of a file."]
    return name_problems("authority's name", s.acme_name, dots=1) if s.acme_name else []


def words(text: str) -> list[str]:
    """What stands between commas and spaces."""
    return re.split(r"[,\s]+", text.strip()) if text.strip() else []


def _ports(s: Settings) -> list[str]:
    return [
        f"{word!r} is no port. Write numbers up to 65535, like 8080 or 51820/udp."
        for word in words(s.more_ports)
        if not (match := PORT.fullmatch(word)) or not 0 < int(match[1]) < 65536
    ]


def _choices(s: Settings) -> list[str]:
    return [
        f"{name} is {value!r}. It should be one of "
        f"{', '.join(filter(None, choices))}{', or empty' * ('' in choices)}."
        for name, decision in DECISIONS.items()
        if (choices := decision.choices) and (value := getattr(s, name)) not in choices
    ]


def _ranges(s: Settings) -> list[str]:
    return [
        f"{name} is {getattr(s, name)}. It should be from {low} to {high}."
        for name, decision in DECISIONS.items()
        if (low := decision.least) is not None and (high := decision.most) is not None
        if not low <= getattr(s, name) <= high
    ]


def _contradictions(s: Settings) -> list[str]:
    found = []
    if s.sni and s.tls == "self-signed":
        found.append(
            "sni asks for more certificates, and with tls = self-signed there is no "
            "authority. Choose one, or switch sni off."
        )
    if s.mails_per_day < s.mails_per_hour:
        found.append(
            f"mails_per_hour is {s.mails_per_hour} and mails_per_day {s.mails_per_day}. "
            "A day should hold at least what an hour holds."
        )
    if 0 < s.quota < s.message_size_mb * 1024 * 1024:
        found.append(
            f"A new mailbox holds {s.quota_mb} MB, and one message may have "
            f"{s.message_size_mb} MiB. The mailbox should hold at least one; 0 is no limit."
        )
    if s.junk_score >= s.reject_score:
        found.append(
            f"junk_score is {s.junk_score} and reject_score {s.reject_score}. "
            "Filing into Junk should begin before refusing does."
        )
    return found


def _smarthost(s: Settings) -> list[str]:
    if not s.smarthost:
        return [
            f"{name} is {getattr(s, name)!r} and there is no smarthost. Either name the "
            "smarthost, or leave this empty."
            for name in ("smarthost_user", "smarthost_spf")
            if getattr(s, name)
        ]
    host = s.smarthost.partition(":")[0]
    found = name_problems("smarthost", host, dots=1)
    match = SMARTHOST.fullmatch(s.smarthost)
    if not match or int(match[2] or 1) > 65535:
        found.append(
            f"The smarthost is {s.smarthost!r}. After its name there may be a colon "
            "and a port from 1 to 65535, like mail.example.org:587."
        )
    if host == s.hostname:
        found.append(
            f"The smarthost is {s.hostname}, this server itself. It should be another "
            "one, or mail would run in a circle."
        )
    return found + _login(s.smarthost_user) + _mechanism(s.smarthost_spf)


def _login(user: str) -> list[str]:
    if re.fullmatch(r"[!-9;-~]{1,200}", user):
        return []
    return [
        f"smarthost_user is {user!r}. It should be the name your provider gave you "
        "for the login, in plain letters, digits and signs without blanks and colons."
    ]


def _mechanism(word: str) -> list[str]:
    """One word that lets somebody in by name or address, and not everybody."""
    match = MECHANISM.fullmatch(word)
    if not word or (match and (not match["version"] or _network(match))):
        return []
    return [
        f"smarthost_spf is {word!r}. It should be one word that your provider "
        "tells you, like include:spf.example.org or a:mail.example.org."
    ]


def _network(match: re.Match[str]) -> bool:
    try:
        return f"ip{ip_network(match['network'], strict=False).version}" == match[1]
    except ValueError:
        return False


def _backup(s: Settings) -> list[str]:
    found = []
    if match := TARGET.fullmatch(s.backup_to):
        found = machine_problems(match[2])
    elif s.backup_to:
        found.append(
            f"backup_to is {s.backup_to!r}. It should be user@machine:folder, or empty."
        )
    return found + _fingerprint("backup_fingerprint", s.backup_fingerprint)


def _old_server(s: Settings) -> list[str]:
    found = machine_problems(s.old_server) if s.old_server else []
    if s.old_server and s.old_server == s.hostname:
        found.append("The old server has the name of this one. Give its address.")
    return found + _fingerprint("old_fingerprint", s.old_fingerprint)


def _fingerprint(name: str, value: str) -> list[str]:
    if not value or FINGERPRINT.fullmatch(value):
        return []
    return [
        f"{name} is {value!r}. It should be SHA256: and 43 signs, as "
        "`ssh-keygen -lf` prints it on that machine."
    ]


def _timezone(s: Settings) -> list[str]:
    if TIMEZONE.fullmatch(s.timezone):
        return []
    return [f"{s.timezone!r} is no time zone. Write one like Europe/Berlin."]
