"""How the record of a DKIM key is judged: the public half in the DNS against the one
computed from the private key on the server.

As judges.py does.  Sources: RFC 6376 3.6.1 (tags), RFC 8301 (what counts as weak).
"""

from __future__ import annotations

from ispguide.dkim.numbers import numbers
from ispguide.dns.judges import More, Said
from ispguide.dns.records import Record
from ispguide.dns.tags import tags
from ispguide.gaps import NO_GAP, Gap


def key(record: Record, values: list[str], said: Said, more: More) -> Gap:
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
