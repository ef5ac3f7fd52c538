"""Mail programs that set themselves up: which server, which doors, which encryption.

Each family of programs has its own question; one small page answers all of them, for
every mail domain, without knowing who lives there.  The records in the DNS that some
programs ask for are chapter 14's.
Sources: https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat,
[MS-OXDSCLI] and [MS-OXDISCO] (Outlook), RFC 6186 (SRV),
https://developer.apple.com/documentation/devicemanagement/mail
"""

from __future__ import annotations

from collections.abc import Iterator

from ispguide.chapters import sending, tls, webmail
from ispguide.chapters.dns import LIVE, SITES
from ispguide.chapters.tls import CIPHERS, apache
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import Directory, File, Plain, Service
from ispguide.mail.certificates import ask_for, authority
from ispguide.mail.checks import proved
from ispguide.mail.dns.others import PROGRAMS, OtherDomains
from ispguide.mail.sni import NameCertificates, NamesFile, SniNames

# What mail programs are told, and the names at which they ask.
#
# One list of doors for all the languages, so they cannot disagree.
# Sources: RFC 8314 (encrypted from the first byte is to be preferred), RFC 6186.


FOLDER = "/var/www/ispguide-autoconfig"
SOCKET = "/run/php/ispguide-autoconfig.sock"
FRONT = ("autoconfig", "autodiscover")  #: the words in front of a mail domain


def endpoints(s) -> list[tuple[str, int, str]]:
    """(kind, port, encryption), the ones to recommend first, in Thunderbird's words."""
    found = [("imap", 993, "SSL"), ("imap", 143, "STARTTLS")]
    found += [("pop3", 995, "SSL"), ("pop3", 110, "STARTTLS")] if s.pop3 else []
    return [*found, ("smtp", 465, "SSL"), ("smtp", 587, "STARTTLS")]


def own_names(s) -> Iterator[Plain | Service]:
    """autoconfig.DOMAIN and autodiscover.DOMAIN; nobody believes a certificate that we
    signed ourselves, so then the server's own name must do."""
    if s.tls != "self-signed":
        yield OtherDomains(s, PROGRAMS, "the names for autoconfig and autodiscover")
        for word in FRONT:
            sni = SniNames(word, s, authority(s))
            yield NameCertificates(sni, ask_for)
            path = f"{SITES}/{word}-names.conf"
            yield NamesFile(path, sni, ciphers=CIPHERS, folder=FOLDER)
    yield apache(SITES, LIVE, ports=(80, 443))


# Mail programs that set themselves up: which server, which doors, which encryption.


chapter = Chapter(
    "autoconfig",
    "Mail programs that set themselves up",
    17,
    needs=[sending.chapter],
    learn="How a mail program finds server, ports and encryption when its owner knows only an address.",
    minutes=10,
    settings=["autoconfig"],
    former={
        "the_answer": "autoconfig_endpoint",
        "where_they_ask": "autoconfig_urls",
        "names": "autoconfig_names",
    },
)

POOL = f"{webmail.POOLS}/ispguide-autoconfig.conf"
PLAIN = f"{SITES}/autoconfig-plain.conf"
PATHS = f"{tls.APACHE}/ispguide-https.d/autoconfig.conf"


@chapter.step
def autoconfig_endpoint(s):
    """Thunderbird, Outlook and Apple's devices ask in three languages for the same few
    facts. One script knows all three. It needs no list of people: whatever stands before
    the @, the doors are the same. So it asks no database, runs as nobody, and tells a
    stranger nothing about who lives in the house."""
    yield Directory(FOLDER)
    yield File(f"{FOLDER}/index.php", s, endpoints=endpoints(s))
    yield File(POOL, s, socket=SOCKET, folder=FOLDER)
    yield webmail.php(POOL, FOLDER)


@chapter.step
def autoconfig_urls(s):
    """Each language has its own address, written down by those who invented it. At the
    server's own name they lead to the script. Who asks without encryption at a name in
    front of your domain is sent there too: what comes unencrypted can be forged, and a
    forged answer would have your people say their passwords to somebody else."""
    yield tls.modules("proxy", "proxy_fcgi")
    yield File(PATHS, s, socket=SOCKET, folder=FOLDER)
    yield File(PLAIN, s)
    yield tls.apache(PATHS, PLAIN, ports=(80, 443))


@chapter.aside
def autoconfig_names(s):
    """Programs ask at autoconfig and autodiscover in front of the domain first, and
    encrypted. So each such name that leads here gets a certificate of its own, for all
    your mail domains. One that does not lead here yet gets none; you are told what to
    type, and the rest works all the same."""
    yield from own_names(s)


@chapter.proof
def prove(s):
    """Three strangers with nothing but an address and a password: one asks as Thunderbird
    does, one as Outlook, one as an iPhone. Each believes what it is told, goes to every
    door that was named, in the way that was named, and logs in. A fourth asks the DNS."""
    yield proved(
        "Thunderbird finds every port (autoconfig), and gets in", "thunderbird_finds"
    )
    yield proved(
        "Outlook finds every port (autodiscover), and gets in", "outlook_finds"
    )
    yield proved(
        "an iPhone's profile (mobileconfig) names the right ports", "iphone_finds"
    )
    yield proved("who asks for SRV records finds the same ports", "dns_finds")
    yield proved("who asks unencrypted is sent on to HTTPS", "asked_plainly")
    yield proved("nobody learns which mailboxes there are", "tells_nobody")
