"""The rehearsal of a renewal: a new certificate, and every door that must show it.

Pure: which things should be true afterwards, as a proof that belongs to no chapter,
because the doors of later chapters are among them.  `tasks_renewal` acts.
Sources: RFC 8555, openssl-s_client(1) (STARTTLS for ManageSieve, RFC 5804)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ispguide.actions import quote
from ispguide.chapter import Step
from ispguide.chapters._words import proved
from ispguide.settings import Settings
from ispguide.things import Check

#: ManageSieve answers this machine alone, so it is asked from there.
SIEVE = 4190
#: Who shows a certificate → the command that says which file it is.
SHOWN_BY = {
    (443,): "grep -h SSLCertificateFile /etc/apache2/sites-enabled/*",
    (25, 465, 587): "postconf -h smtpd_tls_cert_file",
    (143, 993, 110, 995, SIEVE): "doveconf -h ssl_cert",
}
DOORS = tuple(port for ports in SHOWN_BY for port in ports)
PRINT = "openssl x509 -noout -fingerprint -sha256"
STEP = "tls.rehearsal"


def fingerprint(s: Settings) -> str:
    """The command that prints the fingerprint of the certificate on the disk."""
    return f"{PRINT} -in {quote(s.cert_dir + '/fullchain.pem')}"


def rehearsal(before: str, doors: Iterable[int]) -> Step:
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
        for port in doors:
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
