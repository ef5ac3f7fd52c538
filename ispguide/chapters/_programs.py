"""What mail programs are told, and the names at which they ask.

One list of doors for all the languages, so they cannot disagree.
Sources: RFC 8314 (encrypted from the first byte is to be preferred), RFC 6186.
"""

from collections.abc import Iterator

from ispguide.chapters._certificate import ask_for, authority
from ispguide.chapters._further import LIVE, SITES
from ispguide.chapters.tls import CIPHERS, apache
from ispguide.dns.others import PROGRAMS, OtherDomains
from ispguide.further.seen import Further
from ispguide.further.things import NameCertificates, NamesFile
from ispguide.things import Plain, Service

FOLDER = "/var/www/ispguide-autoconfig"
SOCKET = "/run/php/ispguide-autoconfig.sock"
FRONT = ("autoconfig", "autodiscover")  #: the words in front of a mail domain


def doors(s) -> list[tuple[str, int, str]]:
    """(kind, port, encryption), the ones to recommend first, in Thunderbird's words."""
    found = [("imap", 993, "SSL"), ("imap", 143, "STARTTLS")]
    found += [("pop3", 995, "SSL"), ("pop3", 110, "STARTTLS")] if s.pop3 else []
    return [*found, ("smtp", 465, "SSL"), ("smtp", 587, "STARTTLS")]


def own_names(s) -> Iterator[Plain | Service]:
    """autoconfig.DOMAIN and autodiscover.DOMAIN; nobody believes a certificate that we
    signed ourselves, so then the server's own name must do."""
    if s.tls != "self-signed":
        yield OtherDomains(s, PROGRAMS, "the names at which mail programs ask")
        for word in FRONT:
            further = Further(word, s, authority(s))
            yield NameCertificates(further, ask_for)
            path = f"{SITES}/{word}-names.conf"
            yield NamesFile(path, further, ciphers=CIPHERS, folder=FOLDER)
    yield apache(SITES, LIVE, ports=(80, 443))
