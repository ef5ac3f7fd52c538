"""The numbers inside a public RSA key, so that two are compared by meaning.

Only as much of DER as that takes.  Pure.
Sources: RFC 8017 A.1.1 (RSAPublicKey), RFC 5280 4.1 (SubjectPublicKeyInfo), X.690.
"""

from __future__ import annotations

import base64
import binascii

SEQUENCE, INTEGER, BITS = 0x30, 0x02, 0x03


def numbers(text: str) -> tuple[int, int] | None:
    """(modulus, exponent) of a key in base64; None when it is no RSA key."""
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
        return _key(data)
    except (ValueError, IndexError, binascii.Error):
        return None


def bits(text: str) -> int:
    """How long the key is; 0 when it is no RSA key."""
    found = numbers(text)
    return found[0].bit_length() if found else 0


def _key(data: bytes) -> tuple[int, int]:
    whole = _inside(data, SEQUENCE)[0]
    if whole[0] == SEQUENCE:  # with the name of its kind before it, as is usual
        _, rest = _inside(whole, SEQUENCE)
        inner = _inside(rest, BITS)[0]
        whole = _inside(inner[1:], SEQUENCE)[0]
    modulus, rest = _inside(whole, INTEGER)
    exponent, _ = _inside(rest, INTEGER)
    return int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")


def _inside(data: bytes, kind: int) -> tuple[bytes, bytes]:
    """What the first value holds, and what comes after it."""
    if data[0] != kind:
        raise ValueError(f"{data[0]:#x} instead of {kind:#x}")
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if start + length > len(data):
        raise ValueError("cut off")
    return data[start : start + length], data[start + length :]
