"""How the two records are judged that promise encryption: TLSA and MTA-STS.

As judges.py does.  Several TLSA records may stand side by side while one key follows
another; one that fits is enough (RFC 7672 2.1 and 8.1).
Sources: RFC 6698 2.1, RFC 7671 5, RFC 7672 3.1, RFC 8461 3.1.
"""

from __future__ import annotations

import base64
import re

from cryptography.exceptions import UnsupportedAlgorithm

from ispguide.engine.gaps import NO_GAP, Gap, Unsure
from ispguide.mail.dns.judges import More, Said
from ispguide.mail.dns.policies import tags
from ispguide.mail.dns.records import Record

# The numbers inside a public RSA key, so that two are compared by meaning.


def numbers(text: str) -> tuple[int, int] | None:
    """(modulus, exponent) of a key in base64; None when it is no RSA key."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        data = base64.b64decode("".join(text.split()), validate=True)
        key = load_der_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, RSAPublicKey):
        return None
    found = key.public_numbers()
    return found.n, found.e


def bits(text: str) -> int:
    """How long the key is; 0 when it is no RSA key."""
    found = numbers(text)
    return found[0].bit_length() if found else 0


# How the two records are judged that promise encryption: TLSA and MTA-STS.


def tlsa_key(record: Record, values: list[str], said: Said, more: More) -> Gap:
    """What is wrong with the promised key; "" when port 25 keeps the promise."""
    found = [_parts(value) for value in values]
    if any(_fits(parts, more) for parts in found):
        return NO_GAP
    usages = {usage for usage, *_ in found}
    if "2" in usages:
        return Unsure(
            f"{record.name} names an authority ({' and '.join(values)}); whether it "
            "signed this certificate was not looked at."
        )
    if usages <= {"0", "1"}:
        return Gap(
            "wrong-type",
            f"{record.name} says {values[0]}; mail servers only use those that begin with 3 or 2.",
        )
    if all(parts[1] == "0" for parts in found):
        return Gap(
            "short-lived",
            f"{record.name} promises a certificate and not a key: {values[0]}. The next "
            "renewal breaks the promise.",
        )
    return Gap(
        "differs",
        f"{record.name} promises another key than the server's: {' and '.join(values)}. "
        "Servers that check it hold back their mail to you.",
    )


def _parts(value: str) -> tuple[str, str, str, str]:
    usage, selector, matching, data = value.split(None, 3)
    return usage, selector, matching, "".join(data.split()).lower()


def _fits(parts: tuple[str, str, str, str], more: More) -> bool:
    usage, selector, matching, data = parts
    return (usage, selector) == ("3", "1") and more.keys.get(matching) == data


def announced(record: Record, values: list[str], said: Said, more: More) -> Gap:
    """What is wrong with the record that tells of a policy (MTA-STS)."""
    if len(values) > 1:
        return Gap(
            "several",
            f"{record.name} has {len(values)} records, so nobody looks for the policy.",
        )
    text, want = values[0], tags(record.values[0])["id"]
    found = tags(text)
    if next(iter(found), "") != "v" or found["v"] != "STSv1":
        return Gap(
            "malformed",
            f"The record {text!r} is broken. It must begin with v=STSv1 and a semicolon.",
        )
    if not re.fullmatch(r"[A-Za-z0-9]{1,32}", found.get("id", "")):
        return Gap(
            "malformed",
            f"The record {text!r} is broken. It needs an id= of letters and digits.",
        )
    if found["id"] != want:
        return Gap(
            "stale",
            f"{record.name} still has the id {found['id']}. Who fetched the policy under "
            "that id does not notice that it has changed.",
        )
    return NO_GAP


# How the record of a DKIM key is judged: the public half in the DNS against the one
# computed from the private key on the server.
#
# As judges.py does.  Sources: RFC 6376 3.6.1 (tags), RFC 8301 (what counts as weak).


def dkim_key(record: Record, values: list[str], said: Said, more: More) -> Gap:
    """What is wrong with the record; "" when receivers will find the right key."""
    if len(values) > 1:
        return Gap(
            "several",
            f"{record.name} has {len(values)} TXT records, and receivers take any of them.",
        )
    found = tags(values[0])
    return _form(record, found) or _half(record, found, more)


def _form(record: Record, found: dict[str, str]) -> Gap:
    at = f"The record at {record.name}"
    if "v" in found and (next(iter(found)) != "v" or found["v"] != "DKIM1"):
        return Gap("malformed", f"{at} should begin with v=DKIM1, or without v=.")
    if "p" not in found:
        return Gap("malformed", f"{at} holds no key: there is no p= in it.")
    if not found["p"]:
        return Gap("revoked", f"{at} says that this key is revoked (p= is empty).")
    if found.get("k", "rsa") != "rsa":
        return Gap(
            "wrong-type", f"{at} says k={found['k']}, and the key is an RSA key."
        )
    if "y" in found.get("t", "").split(":"):
        words = f"{at} says t=y: only a test, so the signature counts for nothing."
        return Gap("weak", words)
    if "sha256" not in found.get("h", "sha256").split(":"):
        return Gap(
            "too-strict", f"{at} allows only {found['h']}, and we sign with sha256."
        )
    if not {"*", "email"} & set(found.get("s", "*").split(":")):
        return Gap("too-strict", f"{at} is for {found['s']} and not for mail.")
    return NO_GAP


def _half(record: Record, found: dict[str, str], more: More) -> Gap:
    there, ours = numbers(found["p"]), numbers(tags(record.values[0])["p"])
    if there == ours and there is not None:
        return NO_GAP
    if there is None:
        return Gap(
            "malformed",
            f"What stands after p= at {record.name} is no whole key: something was lost "
            "or added when it was copied.",
        )
    other = next((n for n, p in more.keys.items() if numbers(p) == there), "")
    if other:
        return Gap(
            "differs",
            f"At {record.name} stands the public half of another key, {other}.",
        )
    return Gap("differs", f"The key at {record.name} is another one than the server's.")
