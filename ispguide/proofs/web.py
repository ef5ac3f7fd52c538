"""HTTP as a browser speaks it, at the server's address and under one of its names.

Cookies are kept.  No script runs, and no redirection is followed: where somebody is sent
to is what proofs look at.  What was said stands in the lines of the proof; a form, in
which a password may be, never does.
Source: https://www.python-httpx.org/advanced/extensions/
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from html import unescape

import httpx

from ispguide.outside.talk import CONNECT, WHOLE, NotReached, Where, why

AGENT = "Mozilla/5.0 (ispguide proof)"
XML = {"Content-Type": "text/xml; charset=utf-8"}
#: Roundcube's token in an address.
TOKEN = re.compile(r"_token=[^&]+")


class Browser:
    """Somebody's browser; `tls`: at the encrypted site, else at the plain one."""

    def __init__(self, where: Where, lines: list[str], tls: bool = True):
        host = f"[{where.host}]" if ":" in where.host else where.host
        self.where, self.lines, self.port = where, lines, 443 if tls else 80
        self.client = httpx.Client(
            base_url=f"{'https' if tls else 'http'}://{host}",
            verify=where.context() if tls else False,
            headers={"Host": where.name, "User-Agent": AGENT},
            timeout=httpx.Timeout(WHOLE, connect=CONNECT),
            # A line of its own for each request, as the record says.
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
        )

    def ask(
        self,
        path: str,
        form: Mapping[str, str] | None = None,
        text: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One request; a form or a text (of XML) goes by POST.  NotReached, when there is
        no answer, or a certificate that does not count."""
        verb = "POST" if form or text else "GET"
        more = {**(headers or {}), **(XML if text else {})}
        name = more.get("Host", self.where.name)
        self.lines.append(f"C: {verb} {TOKEN.sub('_token=•••', path)}  (Host: {name})")
        try:
            said = self.client.request(
                verb,
                path,
                data=form,
                content=text or None,
                headers=more,
                extensions={"sni_hostname": self.where.name},
            )
        except httpx.TransportError as error:
            raise self._broken(error) from error
        there = said.headers.get("Location", f"{len(said.text)} characters")
        self.lines.append(f"S: {said.status_code} {said.reason_phrase}, {there}")
        return said

    def _broken(self, error: httpx.TransportError) -> NotReached:
        cause: BaseException = error
        while inner := cause.__cause__ or cause.__context__:
            cause = inner
        assert isinstance(cause, Exception)
        self.lines.append(f"   (broke off: {why(cause)})")
        before = (httpx.ConnectError, httpx.ConnectTimeout)
        opened = isinstance(cause, ssl.SSLError) or not isinstance(error, before)
        return NotReached(self.port, opened, why(cause), cause)


def found(page: httpx.Response, pattern: str) -> str:
    """The first group of `pattern` in the page, "" when it is not there."""
    match = re.search(pattern, page.text)
    return unescape(match[1]) if match else ""
