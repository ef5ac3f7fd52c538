"""Names in front of the mail domains: where the policy is fetched, and, if the reader
wishes, names of their own for other domains.

Each says what is true when it is left out, too, so that turning back takes it away.
Manuals: RFC 8461, postconf(5) tls_server_sni_maps, https://doc.dovecot.org/2.3/
(local_name), https://httpd.apache.org/docs/2.4/ssl/ssl_faq.html
"""

from collections.abc import Iterator

from ispguide.chapters import _certificate, dovecot, postfix
from ispguide.chapters._words import proved
from ispguide.chapters.dovecot import CONF
from ispguide.chapters.tls import APACHE, CIPHERS, apache
from ispguide.dns.others import SNI, STS, OtherDomains
from ispguide.dns.sts import PATH, PREFIX
from ispguide.dns.sts import policy as policy_text
from ispguide.dns.thing import DnsRecord
from ispguide.further.seen import Further
from ispguide.further.things import LIVE, NameCertificates, NamesFile, SniMap
from ispguide.things import Absent, Directory, File, Plain, Proof, Service

SITES = f"{APACHE}/ispguide-sites.d"
POLICY_SITE = f"{SITES}/mta-sts.conf"
NAMES_SITE = f"{SITES}/names.conf"
NAMES_DOVECOT = f"{CONF}/99-ispguide-names.conf"
ROOT = "/var/www/ispguide-mta-sts"


def published_policy(s) -> Iterator[Plain | Service]:
    """The policy of every mail domain; taken away when the reader leaves it out."""
    if s.sts:
        yield from _policy(s)
    else:
        yield Absent(POLICY_SITE, why="No policy is announced.")
    yield apache(SITES, LIVE, ports=(80, 443))


def _policy(s) -> Iterator[Plain]:
    further = Further(PREFIX, s, _certificate.authority(s))
    yield DnsRecord("sts_name", s)
    yield Directory(f"{ROOT}/.well-known")
    yield File(f"{ROOT}{PATH}", text=policy_text(s))
    yield NameCertificates(further, _certificate.ask_for)
    yield NamesFile(POLICY_SITE, further, ciphers=CIPHERS)
    # Who sees the record before the page is there goes on as if there were none.
    yield DnsRecord("sts", s)
    yield OtherDomains(s, STS, "the policy")


def policy_fetched(s) -> Iterator[Proof]:
    """The policy, as another server fetches it."""
    if s.sts:
        yield proved("another server finds our policy, and it fits", "policy_fits")


def own_names(s) -> Iterator[Plain | Service]:
    """mail.DOMAIN of every other mail domain, or one name for all."""
    if s.sni:
        yield from _own_names(s)
    else:
        one = "One name is enough for all domains."
        yield Absent(NAMES_SITE, why=one)
        yield Absent(NAMES_DOVECOT, why=one)
        yield SniMap(None)
    yield apache(SITES, LIVE, ports=(80, 443))
    yield dovecot.dovecot(s, CONF, LIVE)
    yield postfix.postfix(LIVE)


def _own_names(s) -> Iterator[Plain]:
    further = Further("mail", s, _certificate.authority(s))
    yield OtherDomains(s, SNI, "the server's name mail.DOMAIN")
    yield NameCertificates(further, _certificate.ask_for)
    yield NamesFile(NAMES_SITE, further, ciphers=CIPHERS)
    yield NamesFile(NAMES_DOVECOT, further)
    yield SniMap(further)


def names_shown(s) -> Iterator[Proof]:
    """Each name, asked for at every door."""
    if s.sni:
        yield proved("each name shows its own certificate", "further_names")
