"""An aggregate report: who sent how many letters in your name, and what vouched for them.

Everything in it was written by a stranger: entities and document types are refused,
numbers are checked, and whoever shows a text escapes it.  Pure.
Sources: RFC 7489 Appendix C (the schema), https://github.com/tiran/defusedxml
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from ispguide.dmarc.unpacking import NoReport, attachments, unpacked

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
