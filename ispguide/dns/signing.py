"""How the record of a DKIM key is judged: the public half in the DNS against the one
computed from the private key on the server.

As judges.py does.  Sources: RFC 6376 3.6.1 (tags), RFC 8301 (what counts as weak).
"""

from __future__ import annotations

from ispguide.dkim.numbers import numbers
from ispguide.dns.judges import More, Said
from ispguide.dns.records import Record
from ispguide.dns.tags import tags


def key(record: Record, values: list[str], said: Said, more: More) -> str:
    """What is wrong with the record; "" when receivers will find the right key."""
    if len(values) > 1:
        return f"{record.name} has {len(values)} TXT records, and receivers take any of them."
    found = tags(values[0])
    return _form(record, found) or _half(record, found, more)


def _form(record: Record, found: dict[str, str]) -> str:
    if "v" in found and (next(iter(found)) != "v" or found["v"] != "DKIM1"):
        return f"The record at {record.name} should begin with v=DKIM1, or without v=."
    if "p" not in found:
        return f"The record at {record.name} holds no key: there is no p= in it."
    if not found["p"]:
        return (
            f"The record at {record.name} says that this key is revoked (p= is empty)."
        )
    if found.get("k", "rsa") != "rsa":
        return f"The record at {record.name} says k={found['k']}, and the key is an RSA key."
    if "y" in found.get("t", "").split(":"):
        return f"The record at {record.name} says t=y: only a test, so the signature counts for nothing."
    if "sha256" not in found.get("h", "sha256").split(":"):
        return f"The record at {record.name} allows only {found['h']}, and we sign with sha256."
    if not {"*", "email"} & set(found.get("s", "*").split(":")):
        return f"The record at {record.name} is for {found['s']} and not for mail."
    return ""


def _half(record: Record, found: dict[str, str], more: More) -> str:
    there, ours = numbers(found["p"]), numbers(tags(record.values[0])["p"])
    if there == ours and there is not None:
        return ""
    if there is None:
        return (
            f"What stands after p= at {record.name} is no whole key: something was lost "
            "or added when it was copied."
        )
    other = next((n for n, p in more.keys.items() if numbers(p) == there), "")
    if other:
        return f"At {record.name} stands the public half of another key, {other}."
    return f"The key at {record.name} is another one than the server's."
