"""An aggregate report: who sent how many letters in your name, and what vouched for them.

Everything in it was written by a stranger: entities and document types are refused,
numbers are checked, and whoever shows a text escapes it.  Pure.
Sources: RFC 7489 Appendix C (the schema), https://github.com/tiran/defusedxml
"""

from __future__ import annotations

import email
import email.policy
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

# From a letter to the report in it: a file of XML, mostly packed.
#
# Everything in it was written by strangers.  So nothing is unpacked beyond a limit, only
# one file of an archive is looked at, and it never touches a disk.  Pure.
# Sources: RFC 7489 7.2.1.1 (mail, names, packing), RFC 1952 (gzip).


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


# An aggregate report: who sent how many letters in your name, and what vouched for them.


#: Rows and signs that are taken over; more is somebody's joke.
ROWS, SIGNS = 10_000, 200


@dataclass(frozen=True)
class Row:
    """Letters from one address that were treated alike.

    `dkim`, `spf`: whether it vouched for the domain in From:.  `done`: none, quarantine
    or reject.  `signed`: (domain, selector, result) of each signature; `sent`: the
    domain on the envelope and what SPF said of it."""

    address: str
    count: int
    dkim: bool
    spf: bool
    done: str
    from_: str
    signed: tuple[tuple[str, str, str], ...] = ()
    sent: tuple[str, str] = ("", "")
    reasons: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """One of the two is enough."""
        return self.dkim or self.spf


@dataclass(frozen=True)
class Aggregate:
    """A report: from `org`, about `domain`, from `begin` to `end` (s since 1970)."""

    org: str
    id: str
    domain: str
    begin: int
    end: int
    policy: str
    rows: tuple[Row, ...]

    @property
    def count(self) -> int:
        return sum(row.count for row in self.rows)

    @property
    def passed(self) -> int:
        return sum(row.count for row in self.rows if row.passed)


def of_mail(mail: bytes) -> list[Aggregate]:
    """The reports in a letter; NoReport, with the reason, when there is none."""
    found = []
    why = NoReport("nothing-attached", "nothing that could be a report is attached")
    for name, data in attachments(mail):
        try:
            found.append(of_xml(unpacked(data)))
        except NoReport as error:
            why = NoReport(error.kind, f"{name[:SIGNS]}: {error}")
    if not found:
        raise why
    return found


def of_xml(data: bytes) -> Aggregate:
    """A report from its XML."""
    root = _root(data)
    if root.tag != "feedback":
        raise NoReport("not-a-report", f"it is no report but <{root.tag[:SIGNS]}>")
    about, asked = root.find("report_metadata"), root.find("policy_published")
    if about is None or asked is None:
        raise NoReport(
            "not-a-report", "it does not say who writes, or about which domain"
        )
    records = root.findall("record")
    if len(records) > ROWS:
        raise NoReport("too-big", f"it has more than {ROWS} rows")
    return Aggregate(
        _text(about, "org_name"),
        _text(about, "report_id"),
        _text(asked, "domain").lower(),
        _number(about, "date_range/begin"),
        _number(about, "date_range/end"),
        _text(asked, "p").lower(),
        tuple(map(_row, records)),
    )


def _root(data: bytes) -> Any:
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise NoReport("dtd", "it declares entities or a document type, which no report needs") from error  # fmt: skip
    except (ParseError, ValueError, LookupError) as error:
        raise NoReport("not-xml", f"it is no XML ({error})") from error
    for part in root.iter():  # some write the schema's name before each word
        part.tag = part.tag.rpartition("}")[2]
    return root


def _text(part: Any, path: str) -> str:
    found = part.find(path)
    text = (found.text or "").strip() if found is not None else ""
    return "".join(sign for sign in text if sign.isprintable())[:SIGNS]


def _number(part: Any, path: str) -> int:
    text = _text(part, path)
    if not text.isdecimal() or len(text) > 15:
        raise NoReport("not-a-number", f"{path} is {text!r} and no number")
    return int(text)


def _row(record: Any) -> Row:
    row = "row/policy_evaluated"
    try:
        address = str(ip_address(_text(record, "row/source_ip")))
    except ValueError as error:
        raise NoReport("not-an-address", f"{error}") from error
    reasons = record.findall(f"{row}/reason")
    return Row(
        address,
        _number(record, "row/count"),
        _text(record, f"{row}/dkim") == "pass",
        _text(record, f"{row}/spf") == "pass",
        _text(record, f"{row}/disposition") or "none",
        _text(record, "identifiers/header_from"),
        tuple(_signature(s) for s in record.findall("auth_results/dkim")),
        (_text(record, "auth_results/spf/domain"), _text(record, "auth_results/spf/result")),
        tuple(_text(r, "type") for r in reasons),
    )  # fmt: skip


def _signature(part: Any) -> tuple[str, str, str]:
    return _text(part, "domain"), _text(part, "selector"), _text(part, "result")


def newest_first(reports: Iterable[Aggregate]) -> list[Aggregate]:
    """Each report once, though it may have come twice, the newest first."""
    once = {(r.org, r.id, r.begin): r for r in reports}
    return sorted(once.values(), key=lambda r: (r.end, r.org), reverse=True)


# What many reports say together: who sent in your name, and what to do about it.
#
# Pure.


@dataclass(frozen=True)
class Source:
    """All letters from one address, in all reports."""

    address: str
    ours: bool
    count: int
    passed: int
    names: tuple[str, ...]

    @property
    def failed(self) -> int:
        return self.count - self.passed


def sources(reports: Iterable[Aggregate], own: Iterable[str]) -> list[Source]:
    """Who sent in the domain's name, most letters first.  `own`: our addresses."""
    by: dict[str, list[Row]] = {}
    for report in reports:
        for row in report.rows:
            by.setdefault(row.address, []).append(row)
    mine = set(own)
    found = [
        Source(
            address,
            address in mine,
            sum(r.count for r in rows),
            sum(r.count for r in rows if r.passed),
            tuple(sorted({d for r in rows for d, _, said in r.signed if said == "pass"})),
        )
        for address, rows in by.items()
    ]  # fmt: skip
    return sorted(found, key=lambda s: (-s.count, s.address))


def advice(reports: Sequence[Aggregate], own: Iterable[str], policy: str) -> str:
    """Whether the policy may be raised, by what the reports say."""
    found = sources(reports, own)
    total = sum(s.count for s in found)
    if not total:
        return "No report has come yet. Providers send them once a day, and only when they saw letters in your name. Wait for two weeks of them."
    if bad := [s for s in found if s.ours and s.failed]:
        return f"{bad[0].failed} letters from your own server failed. Mend that first: run the proofs of this chapter. Do not raise the policy now."
    if half := [s for s in found if not s.ours and 0 < s.passed < s.count]:
        return f"Some letters from {half[0].address} are vouched for and some are not: perhaps a service that sends for you. Find out who that is before you raise the policy."
    if policy == "reject":
        return "All letters of your own are vouched for, and forgeries are refused. Look in once a month."
    following = {"": "quarantine", "none": "quarantine", "quarantine": "reject"}[policy]
    strangers = sum(s.failed for s in found)
    return f"All letters from your own server are vouched for; {strangers} letters of others are not. If you know none of those others, raise the policy to {following}."


def lines(reports: Iterable[Aggregate], own: Iterable[str]) -> list[str]:
    """Who sent in the domain's name, one address a line, for a terminal."""
    found = [
        f"{s.address:39} {'this server' if s.ours else 'somebody else':14}"
        f"{s.count:7} letters, {s.passed:7} vouched for"
        for s in sources(reports, own)
    ]
    return found or ["No reports."]


#: What a domain may ask for: the word, what others do, when to go on from there.
LADDER = (
    ("none", "Take it, and tell me.", "Stay for two weeks of reports. Find everybody who sends in your name: the shop, the newsletter, the printer."),
    ("quarantine", "Put it into Junk.", "Stay for two more weeks. If somebody misses letters, go back one step: it takes effect as soon as the old record is forgotten."),
    ("reject", "Refuse it.", "Stay here, and look at the reports once a month."),
)  # fmt: skip
