"""How a certificate is looked at, and how it is got.

From Let's Encrypt, from another authority that speaks ACME, or signed by ourselves: it
lies at the same place, so nobody else needs to know.  Further names have certificates
of their own (`ask_for`), so that one that leads elsewhere spoils nothing for the rest.
Manuals: https://eff-certbot.readthedocs.io/, openssl-x509(1), openssl-req(1)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ispguide.engine.actions import quote
from ispguide.engine.chapter import Step
from ispguide.engine.facts import NO_ROOTS
from ispguide.engine.settings import Settings
from ispguide.engine.things import Check, Once
from ispguide.mail.checks import proved

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
#: One that came from an older server is better than one we sign ourselves (chapter 21).
BROUGHT = "Brought from the older server"
HOOK = "/etc/letsencrypt/renewal-hooks/deploy/ispguide.sh"


def authority(s: Settings) -> str:
    """The directory of the authority that is asked."""
    return s.acme_url if s.tls == "acme-url" else LETS_ENCRYPT


def good(s: Settings) -> str:
    """Succeeds when the certificate is ours, valid for a week, and from the right hand."""
    from_ = f"server = {authority(s)}"
    kept = f"/etc/letsencrypt/renewal/{s.hostname}.conf"
    itself = '[ "$($c -subject_hash)" = "$($c -issuer_hash)" ]'
    by_right_authority = (
        f"{{ {itself} || grep -qF '{BROUGHT}' {kept}; }}"
        if s.tls == "self-signed"
        else f"! {itself} && grep -F '{from_}' {kept}"
    )
    return (
        f"{NO_ROOTS}; cd {s.cert_dir} && c='openssl x509 -noout -in fullchain.pem' && "
        f"$c -checkend 604800 && $c -checkhost {s.hostname} | grep 'does match' && "
        '[ "$($c -pubkey)" = "$(openssl pkey -in privkey.pem -pubout)" ] && '
        + by_right_authority
    )


#: What lay there is put aside, so that half a certificate cannot stand in the way, and
#: comes back when asking fails.  The programs keep the one they have in memory.
ASK = """cd /etc/letsencrypt
all="live/{name} archive/{name} renewal/{name}.conf"
[ ! -d before ] || rm -rf before
for it in $all; do
  [ ! -e $it ] || {{ install -d -m 0700 before/${{it%/*}}; mv $it before/$it; }}
done
if ! {{ {get}; }}; then
  for it in $all; do
    [ ! -e before/$it ] || {{ rm -rf $it; mv before/$it $it; }}
  done
  exit 1
fi
rm -rf before
[ ! -x {hook} ] || {hook}"""


def ask(s: Settings) -> str:
    """Gets a certificate from whom the reader chose."""
    get = _sign_ourselves(s) if s.tls == "self-signed" else _ask_authority(s)
    return ASK.format(name=s.hostname, get=get, hook=HOOK)


def renew(s: Settings) -> str:
    """Has the certificate renewed now, as the timer would.

    Let's Encrypt counts: there it is a trial that replaces nothing, and the bell is
    rung all the same (certbot rings it only for a new certificate)."""
    how = f"--dry-run && {HOOK}" if s.tls == "letsencrypt" else "--force-renewal"
    quietly = "--non-interactive --no-random-sleep-on-renew"
    return f"{_trust(s)}certbot renew {quietly} --cert-name {s.hostname} {how}"


#: Apache does not start while one of its sites names a certificate that is lost, and
#: without Apache no authority signs another.  So it starts without the further sites.
START = """if ! systemctl -q is-active apache2; then
  sites=/etc/apache2/ispguide-sites.d
  mv $sites $sites.aside
  mkdir $sites
  systemctl start apache2 || true
  rm -r $sites
  mv $sites.aside $sites
fi
"""


def ask_for(s: Settings, name: str) -> str:
    """Gets a certificate for a further name of the server, from the same authority."""
    return START + ASK.format(name=name, get=_ask_authority(s, name), hook=HOOK)


def same_key(s: Settings) -> Iterator[Once]:
    """certbot takes the old key for a new certificate: its public half may be promised
    in the DNS (chapter 14).  A certificate of our own is never renewed."""
    kept = f"/etc/letsencrypt/renewal/{s.hostname}.conf"
    if s.tls != "self-signed":
        yield Once(
            "a renewed certificate keeps its key",
            command="sed -i -e '/^reuse_key/d' -e '/^\\[renewalparams\\]/a reuse_key = True' "
            + kept,
            unless=f"grep -x 'reuse_key = True' {kept}",
            touches=(kept,),
        )


def _trust(s: Settings) -> str:
    """How certbot is told of an authority that Debian does not know."""
    return f"REQUESTS_CA_BUNDLE={s.acme_ca} " if s.acme_ca else ""


def _ask_authority(s: Settings, name: str = "") -> str:
    name = name or s.hostname
    return (
        f"{_trust(s)}certbot certonly --non-interactive --agree-tos --email '{s.postmaster}' "
        f"--server {authority(s)} --webroot --webroot-path /var/www/{s.hostname} "
        f"--cert-name {name} -d {name}" + (" --reuse-key" if name == s.hostname else "")
    )


def _sign_ourselves(s: Settings) -> str:
    return (
        f"install -d -m 0700 /etc/letsencrypt/live {s.cert_dir} && umask 077 && "
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc "
        f"-days 3650 -subj /CN={s.hostname} -addext subjectAltName=DNS:{s.hostname} "
        f"-keyout {s.cert_dir}/privkey.pem -out {s.cert_dir}/fullchain.pem"
    )


# The rehearsal of a renewal: a new certificate, and every door that must show it.
#
# Pure: which things should be true afterwards, as a proof that belongs to no chapter,
# because the doors of later chapters are among them.  `tasks.certificates` acts.
# Sources: RFC 8555, openssl-s_client(1) (STARTTLS for ManageSieve, RFC 5804)


#: ManageSieve answers this machine alone, so it is asked from there.
SIEVE = 4190
#: Who shows a certificate → the command that says which file it is.
SHOWN_BY = {
    (443,): "grep -h SSLCertificateFile /etc/apache2/sites-enabled/*",
    (25, 465, 587): "postconf -h smtpd_tls_cert_file",
    (143, 993, 110, 995, SIEVE): "doveconf -h ssl_cert",
}
PORTS = tuple(port for ports in SHOWN_BY for port in ports)
PRINT = "openssl x509 -noout -fingerprint -sha256"
STEP = "tls.rehearsal"


def fingerprint(s: Settings) -> str:
    """The command that prints the fingerprint of the certificate on the disk."""
    return f"{PRINT} -in {quote(s.cert_dir + '/fullchain.pem')}"


def rehearsal(before: str, open_ports: Iterable[int]) -> Step:
    """What should be true afterwards.  `before`: the fingerprint of the old one, ""
    when it is to stay; `doors`: the ports that are open."""

    def shown_everywhere(s: Settings) -> Iterator[Any]:
        """A new certificate lies on the disk, and every program shows it: none was
        restarted, and none was forgotten."""
        if before:
            yield Check(
                "the certificate on the disk is another one",
                f"{fingerprint(s)} | grep -vxF {quote(before)}",
                do="Read what certbot said: journalctl -u certbot, /var/log/letsencrypt.",
            )
        for port in open_ports:
            if port != SIEVE:
                yield proved(f"port {port} shows it", "served_certificate", str(port))
            else:
                yield _sieve(s)

    chapter, _, name = STEP.partition(".")
    return Step(chapter, name, shown_everywhere.__doc__ or "", shown_everywhere, True)


def _sieve(s: Settings) -> Check:
    asked = f"openssl s_client -connect 127.0.0.1:{SIEVE} -starttls sieve </dev/null"
    return Check(
        f"port {SIEVE} shows it (asked on the server, where alone it answers)",
        f'[ "$({asked} 2>/dev/null | {PRINT})" = "$({fingerprint(s)})" ]',
        do="Run the step `renewal`, and look at journalctl -u dovecot.",
    )
