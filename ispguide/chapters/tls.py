"""A name that can be trusted: the web server, the certificate, its renewal.

One certificate, at one place, for Apache, Postfix and Dovecot alike.
Does not configure mail; those chapters point to the files made here.
Manuals: https://eff-certbot.readthedocs.io/, https://httpd.apache.org/docs/2.4/,
https://wiki.mozilla.org/Security/Server_Side_TLS (intermediate, version 5.7)
"""

from __future__ import annotations

from ispguide.chapters import packages
from ispguide.engine.chapter import Chapter
from ispguide.engine.things import (
    Absent,
    Directory,
    File,
    Link,
    Once,
    Service,
    UnitRead,
)
from ispguide.mail.certificates import HOOK, ask, good, same_key
from ispguide.mail.checks import proved

chapter = Chapter(
    "tls",
    "A name that can be trusted",
    4,
    needs=[packages.chapter],
    learn="How a certificate is asked for, why others believe it, and how every program notices a new one.",
    minutes=15,
    settings=["tls", "acme_url"],
)

#: Mozilla's intermediate recommendation for TLS 1.2; TLS 1.3 chooses by itself.
CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305"
)


APACHE = "/etc/apache2"
MODULES = ("ssl", "socache_shmcb", "rewrite", "headers")

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{name}</title>
<h1>{name}</h1><p>This is a mail server. There is nothing else to see here.</p></html>
"""


def apache(*reads: str, ports=(80,)) -> Service:
    """Apache, which must have read these files of a step."""
    return Service(
        "apache2", reads, test="apache2ctl configtest", reload=True, ports=ports
    )


def modules(*names: str) -> Once:
    """Apache's modules, switched on the way Debian does."""
    links = [f"{APACHE}/mods-enabled/{name}.load" for name in names]
    return Once(
        f"Apache has the modules {', '.join(names)}",
        command=f"a2enmod -q {' '.join(names)}",
        unless=f"ls {' '.join(links)}",
        touches=tuple(links),
    )


def enabled(kind: str, name: str) -> Link:
    """Debian's way to switch a site or a piece of configuration on: a link."""
    return Link(f"{APACHE}/{kind}-enabled/{name}", f"../{kind}-available/{name}")


@chapter.step
def web_server(s):
    """A mail server needs a web server: for the authority that signs certificates, and
    later for webmail. Apache gets the modules for encryption and redirects. Debian's
    welcome page goes, because it answers for the machine's own name and would stand
    in front of our site. And Apache need not tell strangers which version it is."""
    yield modules(*MODULES)
    yield File(f"{APACHE}/conf-available/zz-ispguide.conf", s)
    yield enabled("conf", "zz-ispguide.conf")
    welcome = "Debian's welcome page would answer in place of our own site."
    yield Absent("/etc/apache2/sites-enabled/000-default.conf", why=welcome)
    yield Absent("/etc/apache2/sites-enabled/default-ssl.conf", why=welcome)
    yield apache(f"{APACHE}/conf-available/zz-ispguide.conf")


@chapter.step
def plain_site(s):
    """Port 80 has two duties. It shows the authority the small file by which it knows
    us, and it sends everybody else to the encrypted site. The authority's path is not
    redirected: on the day the encrypted site is broken, this is the way back."""
    yield Directory(f"/var/www/{s.hostname}")
    yield File(f"/var/www/{s.hostname}/index.html", text=PAGE.format(name=s.hostname))
    yield File(f"{APACHE}/sites-available/ispguide-http.conf", s)
    yield enabled("sites", "ispguide-http.conf")
    yield apache(f"{APACHE}/sites-available/ispguide-http.conf")


@chapter.step
def certificate(s):
    """Anybody can encrypt; a certificate says to whom you are speaking. The authority
    asks our web server for a word that only the owner of the name could put there,
    and signs. Without an authority we sign it ourselves: good for practice, and every
    mail program will warn. Either way it lies at the same place, and the key never
    leaves this server. The next certificates are for the same key. One with less than
    a week left counts as a gap."""
    yield Once(
        f"there is a good TLS certificate for {s.hostname}",
        command=ask(s),
        unless=good(s),
    )
    yield from same_key(s)


@chapter.step
def secure_site(s):
    """The same site, now with the seal. Versions and ciphers follow Mozilla's
    intermediate recommendation: new enough to be safe, old enough for a phone of some
    years. Browsers that were here once are told to come encrypted from then on."""
    yield Directory("/etc/apache2/ispguide-https.d")
    yield Directory("/etc/apache2/ispguide-sites.d")
    yield File(f"{APACHE}/sites-available/ispguide-https.conf", s, ciphers=CIPHERS)
    yield enabled("sites", "ispguide-https.conf")
    yield apache(
        f"{APACHE}/sites-available/ispguide-https.conf", s.cert_dir, ports=(80, 443)
    )


@chapter.step
def renewal(s):
    """A certificate lasts some weeks, and a timer looks twice a day whether it is time
    for the next. The new file alone helps nobody: a running program keeps the old one
    in its memory. So each success rings a bell, and the three programs read again.
    Whoever forgets this has an outage on a Sunday, three months after all was well."""
    yield File(HOOK, s, mode=0o755)
    yield File("/etc/systemd/system/certbot.service.d/ispguide.conf", s)
    yield UnitRead("certbot.service")
    yield Service("certbot.timer")


@chapter.proof
def prove(s):
    """Seen from outside, as a browser and the authority see it: the plain site sends
    us on, except where the authority looks. The encrypted one shows the very
    certificate that lies on the disk, and speaks no version of TLS that is broken."""
    yield proved("HTTP sends everybody on to HTTPS", "http_redirect")
    yield proved("the authority's path (ACME) is not redirected", "acme_path")
    yield proved(
        "port 443 shows the certificate on the disk", "served_certificate", "443"
    )
    yield proved("port 443 refuses TLS 1.0 and 1.1", "tls_floor", "443")
