"""The DNS: a resolver of one's own, and what the world must be able to look up.

Where a zone takes dynamic updates, the steps publish; elsewhere they say what to type
into the provider's form.  The key for DKIM is chapter 15's.
Manuals: RFC 1912, RFC 5321 5, RFC 7208, RFC 7489, RFC 8659, RFC 6186, RFC 8314;
unbound.conf(5), RFC 5782 (block lists), RFC 4035 (signatures), RFC 7672 (DANE), RFC
8461 (MTA-STS).
"""

from __future__ import annotations

from collections.abc import Iterator

from ispguide.chapters import dovecot, postfix, spam
from ispguide.chapters.dovecot import CONF
from ispguide.chapters.tls import APACHE, CIPHERS, apache
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import (
    Absent,
    Directory,
    File,
    Plain,
    Probe,
    Proof,
    Service,
)
from ispguide.mail import certificates
from ispguide.mail.checks import proved
from ispguide.mail.dns.others import SNI, STS, OtherDomains
from ispguide.mail.dns.thing import DnsRecord
from ispguide.mail.dns.wanted import PATH, PREFIX
from ispguide.mail.dns.wanted import policy as policy_text
from ispguide.mail.sni import LIVE, NameCertificates, NamesFile, SniMap, SniNames
from ispguide.mail.tlsa import tlsa

# Names in front of the mail domains: where the policy is fetched, and, if the reader
# wishes, names of their own for other domains.
#
# Each says what is true when it is left out, too, so that turning back takes it away.
# Manuals: RFC 8461, postconf(5) tls_server_sni_maps, https://doc.dovecot.org/2.3/
# (local_name), https://httpd.apache.org/docs/2.4/ssl/ssl_faq.html


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
    sni = SniNames(PREFIX, s, certificates.authority(s))
    yield DnsRecord("sts_name", s)
    yield Directory(f"{ROOT}/.well-known")
    yield File(f"{ROOT}{PATH}", text=policy_text(s))
    yield NameCertificates(sni, certificates.ask_for)
    yield NamesFile(POLICY_SITE, sni, ciphers=CIPHERS)
    # Who sees the record before the page is there goes on as if there were none.
    yield DnsRecord("sts", s)
    yield OtherDomains(s, STS, "the MTA-STS policy")


def policy_fetched(s) -> Iterator[Proof]:
    """The policy, as another server fetches it."""
    if s.sts:
        yield proved(
            "another server finds our MTA-STS policy, and it fits", "policy_fits"
        )


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
    sni = SniNames("mail", s, certificates.authority(s))
    yield OtherDomains(s, SNI, "the SNI name mail.DOMAIN")
    yield NameCertificates(sni, certificates.ask_for)
    yield NamesFile(NAMES_SITE, sni, ciphers=CIPHERS)
    yield NamesFile(NAMES_DOVECOT, sni)
    yield SniMap(sni)


def names_shown(s) -> Iterator[Proof]:
    """Each name, asked for at every door."""
    if s.sni:
        yield proved("each name shows its own certificate", "sni_certificates")


def lists_asked(block_list: str) -> Iterator[Probe]:
    """The list answers the server's own resolver, and has nothing against it."""
    yield Probe(
        f"{block_list} answers the server's own resolver",
        "list_answers",
        (block_list,),
        do="Run the step `own_resolver`.",
    )
    yield Probe(
        f"{block_list} lists none of this server's addresses",
        "not_listed",
        (block_list,),
        do="Its web page says why an address is listed, and how it comes off.",
    )


# The DNS: a resolver of one's own, and what the world must be able to look up.


chapter = Chapter(
    "dns",
    "The world's address book",
    14,
    needs=[postfix.chapter, dovecot.chapter],
    learn="How the world finds your server, and by which marks it knows it from a forger.",
    minutes=25,
    settings=["mta_sts", "sni"],
    former={
        "sender_policy": "spf_record",
        "policy": "dmarc_record",
        "authority": "caa_record",
        "pinned_key": "tlsa_record",
        "mail_programs": "srv_records",
        "strict_policy": "mta_sts_policy",
        "further_names": "sni_names",
    },
)


UNBOUND = "/etc/unbound/unbound.conf.d/ispguide.conf"
OPTIONS = f"{spam.LOCAL}/options.inc"
RBL = f"{spam.LOCAL}/rbl.conf"
REFUSE = f"{spam.LOCAL}/force_actions.conf"


@chapter.step
def own_resolver(s):
    """Before the world looks us up, we look at the world. A spam filter asks block
    lists about every caller, and these lists answer nobody who asks through one of
    the large public resolvers. So the server gets a resolver of its own, for itself
    alone. It asks the keepers of each zone, checks their signatures, and believes no
    one in between. The rest of the machine asks whom it asked before."""
    yield File(UNBOUND, s)
    yield Service("unbound", (UNBOUND,), test="unbound-checkconf", ports=(53,))
    yield File(OPTIONS, s)
    yield spam.rspamd(OPTIONS)


@chapter.step
def block_list(s):
    """Most spam comes from machines that are known for it since yesterday. Asking the
    list costs a few milliseconds, and whoever is on it is refused while he waits on
    the line, with the list's name, so that an innocent one knows whom to ask. Only a
    clear answer counts: when the list is silent, nothing changes."""
    yield File(RBL, s)
    yield File(REFUSE, s)
    yield spam.rspamd(RBL, REFUSE)


@chapter.step
def address(s):
    """A name is good for nothing until somebody can look up where it leads. Your
    server's name gets the addresses with which it goes out itself, of both kinds if
    it has both: a name that promises IPv6 and does not answer there makes half the
    world wait."""
    yield DnsRecord("address4", s)
    yield DnsRecord("address6", s)


@chapter.step
def reverse_name(s):
    """Whoever is called looks at the number and asks: whose is that? The answer is
    the reverse name. It must be the name your server introduces itself with, and that
    name must lead back to the same address. Many servers hang up on the others."""
    yield DnsRecord("reverse4", s)
    yield DnsRecord("reverse6", s)


@chapter.step
def mail_exchanger(s):
    """The domain on the envelope and the machine that takes the letter have different
    names. The MX record leads from one to the other. It holds a name, never an
    address, and that name may not be an alias."""
    yield DnsRecord("mx", s)


@chapter.step
def spf_record(s):
    """SPF is a list on the door of your domain: these machines send in my name, all
    others are forgers. There is exactly one such record, and following it may not
    cost a receiver more than ten look-ups. Notices that have no sender vouch with the
    name of the machine instead, so that one gets a list of its own."""
    yield DnsRecord("spf", s)
    yield DnsRecord("helo_spf", s)


@chapter.step
def dmarc_record(s):
    """SPF judges the envelope, and people read the letterhead. DMARC ties the two
    together, says what is to be done with forgeries, and asks for reports. We begin
    with `none`: watch, and change nothing. Chapter 15 raises it when the reports are
    quiet."""
    yield DnsRecord("dmarc", s)
    yield DnsRecord("tls_reports", s)


@chapter.step
def caa_record(s):
    """Any authority in the world could sign a certificate for your name, the careless
    ones as well. A CAA record names the one that may. It stands at the server's own
    name, so that it forbids nothing to the web site of your domain."""
    yield DnsRecord("caa", s)


@chapter.aside
def tlsa_record(s):
    """Mail between servers is encrypted with whoever answers, for nobody checks names
    there. A TLSA record ends that: it promises which key port 25 will show. Who can
    check signatures in the DNS believes the record and nobody else, so it only counts
    in a signed zone, and there a wrong one keeps mail away. The key stays the same
    when the certificate is renewed (chapter 4), and so does the record."""
    yield tlsa(s)


@chapter.step
def srv_records(s):
    """A mail program that knows only anna@example.org can look up the rest: which
    machine, which port, encrypted from the first byte where that is offered. A wrong
    record is worse than none, so those of services you do not offer must not be
    there."""
    yield DnsRecord("submissions", s)
    yield DnsRecord("submission", s)
    yield DnsRecord("imaps", s)
    yield DnsRecord("imap", s)
    yield DnsRecord("pop3s", s)
    yield DnsRecord("pop3", s)
    yield DnsRecord("sieve", s)
    yield DnsRecord("autoconfig", s)
    yield DnsRecord("autodiscover", s)


@chapter.step
def other_domains(s):
    """One server can serve many domains, and each is a name of its own to the world:
    where its mail is brought, who may send for it, what becomes of forgeries. The
    server's own names stay as they are. Domains whose zone somebody else keeps are
    looked at, and you are told what to type."""
    yield OtherDomains(s)


@chapter.aside
def mta_sts_policy(s):
    """The same promise for zones without signatures: a policy on a web page of yours,
    which says that mail comes to you encrypted, to this server, under its right name,
    or not at all. Others fetch it and remember it. It begins with `testing`: they
    report, and bring the mail all the same. A name that does not lead here yet gets no
    page, and you are told what to type."""
    yield from published_policy(s)


@chapter.aside
def sni_names(s):
    """People of another domain like to type their own domain's name into the mail
    program: mail.second.test. If you wish so, each such name that leads here gets a
    certificate, and all three programs show the one that was asked for (SNI). Nothing
    is gained in safety, and one more name can be wrong; so it is off until you choose."""
    yield from own_names(s)


@chapter.proof
def prove(s):
    """Now as a stranger does it, who has only an address on paper. He looks up the
    MX, then the address, knocks at port 25 and compares the name in the greeting.
    Then he turns the tables: he asks whose number it was that called, and whether
    this machine may speak for the domain, and whether somebody else may."""
    yield proved(
        "a stranger finds the way from the MX record to the greeting", "mail_route"
    )
    yield proved("the reverse name (PTR) leads back to the server", "reverse_route")
    yield proved("SPF lets this server send, and a stranger not", "sender_policy")
    yield proved("all name servers of the zone say the same", "zone_agrees")
    yield proved("port 25 shows the key of the TLSA record (DANE)", "tlsa_matches")
    yield from policy_fetched(s)
    yield from names_shown(s)
    yield Probe(
        "the server's own resolver checks signatures (DNSSEC)",
        "signatures",
        (s.domain,),
        do="Run the step `own_resolver`; if it stays, the clock may be wrong (chapter 2).",
    )
    yield from lists_asked(s.block_list)
