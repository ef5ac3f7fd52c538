"""What cannot be decided: values of settings that exclude each other or mean nothing.

In sentences for the form.  Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ispguide.firewall.ports import problems as port_problems
from ispguide.names import name_problems

if TYPE_CHECKING:
    from ispguide.settings import Settings

#: What a domain may ask for; none of them: whatever stands in the DNS.
DMARC = ("", "none", "quarantine", "reject")
TLS = ("letsencrypt", "acme-url", "self-signed")
#: How strictly others shall encrypt (RFC 8461 5); none: no longer; "": nothing said.
MTA_STS = ("", "none", "testing", "enforce")


def tls_problems(s: Settings) -> list[str]:
    if s.tls not in TLS:
        return [f"tls is {s.tls!r}. It should be one of {', '.join(TLS)}."]
    if s.tls == "acme-url" and not re.fullmatch(r"https://[\w.:/-]+", s.acme_url):
        return [
            f"The authority's address is {s.acme_url!r}. With tls = acme-url it "
            "should be its directory, like https://acme.example.org/directory."
        ]
    if s.acme_ca and not re.fullmatch(r"/[\w./-]+", s.acme_ca):
        return [f"acme_ca is {s.acme_ca!r}. It should be the full path of a file."]
    return name_problems("authority's name", s.acme_name, dots=1) if s.acme_name else []


#: Setting, least, most.
RANGES = (
    ("message_size_mb", 1, 500),
    ("quota_mb", 0, 1_000_000),
    ("junk_days", 1, 3650),
    ("reject_score", 1, 1000),
    ("junk_score", 1, 1000),
    ("dkim_overlap_days", 0, 365),
    ("log_days", 1, 3650),
    ("backup_port", 1, 65535),
    ("backup_days", 1, 3650),
    ("backup_weeks", 0, 520),
    ("backup_months", 0, 240),
    ("old_port", 1, 65535),
    ("ban_tries", 2, 100),
    ("ban_minutes", 1, 10_080),
    ("mails_per_hour", 1, 100_000),
    ("mails_per_day", 1, 1_000_000),
)


def further_problems(s: Settings) -> list[str]:
    found = []
    if s.mta_sts not in MTA_STS:
        words = ", ".join(filter(None, MTA_STS))
        found.append(
            f"mta_sts is {s.mta_sts!r}. It should be one of {words}, or empty."
        )
    if s.sni and s.tls == "self-signed":
        found.append(
            "sni asks for more certificates, and with tls = self-signed there is no "
            "authority. Choose one, or switch sni off."
        )
    return found


def other_problems(s: Settings) -> list[str]:
    found = port_problems(s.more_ports)
    if s.dmarc_policy not in DMARC:
        words = ", ".join(filter(None, DMARC))
        found.append(
            f"dmarc_policy is {s.dmarc_policy!r}. It should be one of {words}, or empty."
        )
    found += further_problems(s)
    for name, low, high in RANGES:
        if not low <= getattr(s, name) <= high:
            found.append(
                f"{name} is {getattr(s, name)}. It should be from {low} to {high}."
            )
    return found + contradictions(s)


def contradictions(s: Settings) -> list[str]:
    found = []
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
