"""The certificate's life: issued, to be renewed, over.

Manuals: openssl-x509(1), https://eff-certbot.readthedocs.io/ (renewal).
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ispguide.engine import facts
from ispguide.engine.actions import quote
from ispguide.engine.facts import Fact
from ispguide.engine.words import DAY, said_by, span

#: certbot renews this many days before the end.
RENEWS = 30


def certificate_fact(folder: str) -> Fact:
    """The question about the certificate in this folder of certbot."""
    path = quote(f"{folder}/fullchain.pem")
    wanted = "-startdate -enddate -issuer -ext subjectAltName"
    return facts.run(f"date +%s; openssl x509 -in {path} -noout {wanted}")


@dataclass(frozen=True)
class Certificate:
    """A certificate's life, in seconds since 1970."""

    begin: float
    end: float
    now: float
    issuer: str
    names: tuple[str, ...]

    @property
    def due(self) -> float:
        """When certbot renews it."""
        return max(self.begin, self.end - RENEWS * DAY)


def certificate(answer: Mapping[str, Any]) -> Certificate:
    """From what openssl says."""
    clock, _, text = said_by(answer, "The certificate", "04").partition("\n")
    dates = [re.search(rf"^{n}=(.*)$", text, re.M) for n in ("notBefore", "notAfter")]
    begin, end = (ssl.cert_time_to_seconds(d[1]) if d else 0.0 for d in dates)
    issuer = re.search(r"^issuer=.*?CN ?= ?([^,\n]*)", text, re.M)
    names = tuple(re.findall(r"DNS:([^,\s]+)", text))
    return Certificate(begin, end, float(clock), issuer[1] if issuer else "?", names)


def certificate_words(cert: Certificate) -> str:
    """Until when, and when something should happen."""
    who = f"Issued by {cert.issuer} for {', '.join(cert.names) or 'nobody'}."
    left, early = cert.end - cert.now, cert.due - cert.now
    if left <= 0:
        return (
            f"It ended {span(-left)} ago! Run the step “renewal” of chapter 04. {who}"
        )
    if early <= 0:
        return f"It ends in {span(left)}, and certbot should renew it now. {who}"
    return f"It ends in {span(left)}; certbot renews it in {span(early)}. {who}"
