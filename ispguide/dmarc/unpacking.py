"""From a letter to the report in it: a file of XML, mostly packed.

Everything in it was written by strangers.  So nothing is unpacked beyond a limit, only
one file of an archive is looked at, and it never touches a disk.  Pure.
Sources: RFC 7489 7.2.1.1 (mail, names, packing), RFC 1952 (gzip).
"""

from __future__ import annotations

import email
import email.policy
import io
import zipfile
import zlib
from collections.abc import Iterator

#: Bytes of a report once it is unpacked; those of large providers have some 100 000.
MOST = 5_000_000
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"


class NoReport(ValueError):
    """A letter or file in which no report was found, and why; `kind`: in a word."""

    def __init__(self, kind: str, why: str):
        self.kind = kind
        super().__init__(why)


def attachments(mail: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, content) of what could be a report in a letter."""
    message = email.message_from_bytes(mail, policy=email.policy.default)
    for part in message.walk():
        name = part.get_filename() or ""
        kind = part.get_content_type()
        packed = ("gzip", "zip", "x-zip-compressed", "xml", "octet-stream")
        if not part.is_multipart() and (
            kind.partition("/")[2] in packed or name.endswith((".gz", ".zip", ".xml"))
        ):
            content = part.get_payload(decode=True)
            yield name or kind, content if isinstance(content, bytes) else b""


def unpacked(data: bytes) -> bytes:
    """The XML in a file, told apart by its first bytes and not by its name."""
    if data[:2] == GZIP:
        return _gunzipped(data)
    if data[:4] == ZIP:
        return _unzipped(data)
    if len(data) > MOST:
        raise NoReport("too-big", f"it has more than {MOST} bytes")
    return data


def _gunzipped(data: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        text = stream.decompress(data, MOST + 1)
    except zlib.error as error:
        raise NoReport("not-unpacked", f"it cannot be unpacked ({error})") from error
    return _not_too_much(text)


def _unzipped(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = [i for i in archive.infolist() if i.filename.endswith(".xml")]
            if not files:
                raise NoReport("no-xml-inside", "there is no .xml in the archive")
            with archive.open(files[0]) as file:
                return _not_too_much(file.read(MOST + 1))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, EOFError) as error:  # fmt: skip
        raise NoReport("not-unpacked", f"it cannot be unpacked ({error})") from error


def _not_too_much(text: bytes) -> bytes:
    if len(text) > MOST:
        raise NoReport("too-big", f"unpacked it has more than {MOST} bytes")
    return text
