"""TlsaRecord: the public key that port 25 shows, in the DNS, where the zone is signed.

The record is computed from the certificate on the server.  In a zone that is not
signed nobody could believe it, so there none is wanted.  Pure.
Sources: RFC 6698 2.1 (the record), RFC 7671 5.1 (3 1 1), RFC 7672 3.1 (mail).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ispguide.engine import facts
from ispguide.engine.actions import quote
from ispguide.engine.facts import NO_ROOTS, Fact, Have, Ran, failed_answer
from ispguide.engine.gaps import Unsure
from ispguide.engine.settings import Settings
from ispguide.mail.dns.compare import UNKNOWN, Verdict
from ispguide.mail.dns.judges import More
from ispguide.mail.dns.records import OPTIONAL, Record
from ispguide.mail.dns.thing import DnsRecord, addresses

# TlsaRecord: the public key that port 25 shows, in the DNS, where the zone is signed.


WHY = "Servers that check it cannot be sent to a stranger who says he is you."


def key_fact(s: Settings) -> Fact:
    """The public key of the certificate in use, as DER in base64."""
    file = quote(f"{s.cert_dir}/fullchain.pem")
    return facts.run(
        f"{NO_ROOTS}; key=$(openssl x509 -in {file} -noout -pubkey) && "
        "printf '%s\\n' \"$key\" | openssl pkey -pubin -outform DER | base64 -w0"
    )


def tlsa(s: Settings) -> TlsaRecord:
    """The record of the server's own name."""
    return TlsaRecord("tlsa", s)


@dataclass(frozen=True)
class TlsaRecord(DnsRecord):
    """`key`: its place among all records; the key that it promises is `public`."""

    def __str__(self) -> str:
        return f"TLSA of {self.settings.hostname}: the key that port 25 shows"

    @property
    def name(self) -> str:
        return f"_25._tcp.{self.settings.hostname}"

    @cached_property
    def question(self) -> Fact:
        return facts.outside("record", self.name, "TLSA")

    @property
    def signed(self) -> Fact:
        """Whether others can check what the zone says."""
        return facts.outside("signed", self.settings.hostname)

    def facts(self) -> Iterable[Fact]:
        yield from super().facts()
        yield from (self.signed, key_fact(self.settings))

    def public(self, have: Have) -> bytes:
        """The server's public key as DER; empty when it could not be told."""
        return der(have[key_fact(self.settings)])

    def unsigned(self, have: Have) -> bool:
        """Whether it is known that the zone is not signed."""
        return have[self.signed].get("signed") is False

    def record(self, have: Have) -> Record | None:
        key = self.public(have)
        if not key or self.unsigned(have) or not addresses(have):
            return None
        value = f"3 1 1 {hashlib.sha256(key).hexdigest()}"
        return Record(self.key, self.name, "TLSA", (value,), OPTIONAL, WHY)

    def more(self, have: Have) -> More:
        """The other ways to write down the same key."""
        key = self.public(have)
        ways = {"0": key.hex(), "1": hashlib.sha256(key).hexdigest(),
                "2": hashlib.sha512(key).hexdigest()}  # fmt: skip
        return More(keys=ways)

    def verdict(self, have: Have) -> Verdict:
        if self.unsigned(have):
            return super().verdict(have)
        if why := failed_answer(have[self.signed]):
            is_ = f"Whether the zone of {self.settings.hostname} is signed could not be told: {why}."
            return Verdict(UNKNOWN, Unsure(is_))
        if not self.public(have):
            is_ = (
                "The server has no certificate whose key could be promised (chapter 4)."
            )
            return Verdict(UNKNOWN, Unsure(is_))
        return super().verdict(have)

    def evidence(self, have: Have) -> str:
        """What each name server says, or why there is nothing to say."""
        if self.unsigned(have):
            zone = have[self.signed]["zone"]
            return f"The zone {zone} is not signed, so nobody could believe such a record, and none is wanted."
        return super().evidence(have)


def der(answer: Any) -> bytes:
    """The key in the answer to `key_fact`; empty when there is none."""
    ran = Ran.of(answer)
    if not ran.ok:
        return b""
    try:
        return base64.b64decode(ran.out, validate=True)
    except binascii.Error:
        return b""
