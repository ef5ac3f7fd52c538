"""A browser without a screen, as far as Roundcube's pages need one.

It keeps cookies, fills in the form of the login and reads what comes.  It runs no
script; what a script would ask for, a proof asks for by its address.
Sources: RFC 6265 (cookies), https://github.com/roundcube/roundcubemail/wiki
"""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import unescape
from http.cookies import SimpleCookie
from types import TracebackType
from urllib.parse import urlencode

from ispguide.outside import Talk, Where
from ispguide.proofs.acting import CannotTell, Context, Refused
from ispguide.settings import Secret

#: Roundcube notes who comes for the first time, and refuses one of two who are the same
#: person and come together.
ENTERING = threading.Lock()

FORM, XML = "application/x-www-form-urlencoded", "text/xml; charset=utf-8"


@dataclass(frozen=True)
class Page:
    """What a server answered.  `headers`: their names in small letters."""

    status: int
    headers: dict[str, str]
    text: str

    def found(self, pattern: str) -> str:
        """The first group of `pattern` in the page, "" when it is not there."""
        match = re.search(pattern, self.text)
        return unescape(match[1]) if match else ""


@dataclass
class Browser:
    """Somebody's browser at the encrypted site.  `token`: Roundcube's, once logged in.

    `name`: another name of the server, for which a certificate must count."""

    ctx: Context
    name: str = ""
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""

    @property
    def where(self) -> Where:
        """The server under the name that is asked for."""
        return replace(self.ctx.where, name=self.name or self.ctx.where.name)

    def ask(
        self, path: str, form: Mapping[str, str] | None = None, text: str = ""
    ) -> Page:
        """One request; a form or a text goes by POST, and is never shown."""
        body = urlencode(form) if form else text or None
        shown = re.sub("_token=[^&]+", "_token=•••", path)
        with Talk(self.where, 443, self.ctx.lines) as talk:
            web = http.client.HTTPConnection(self.where.name)
            web.sock, verb = talk.socket, "POST" if body else "GET"
            self.ctx.lines.append(f"C: {verb} {shown}  (Host: {self.where.name})")
            web.request(verb, path, body, self._headers(FORM if form else XML))
            page = self._read(web.getresponse())
        self.ctx.lines.append(f"S: {page.status}, {len(page.text)} characters")
        return page

    def _headers(self, kind: str) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        agent = "Mozilla/5.0 (ispguide proof)"
        found = {"User-Agent": agent, "Cookie": cookies, "Content-Type": kind}
        return found | ({"X-Roundcube-Request": self.token} if self.token else {})

    def _read(self, said: http.client.HTTPResponse) -> Page:
        for line in said.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        text = said.read().decode(errors="replace")
        heads = {name.lower(): value for name, value in said.headers.items()}
        return Page(said.status, heads, text)

    def login(self, user: str, password: Secret) -> bool:
        """Fill in the form as a person does; whether Roundcube let us in."""
        token = self.ask("/").found(r'name="_token" value="([^"]+)"')
        if not token:
            raise Refused("The page shows no form for the login.")
        form = {"_task": "login", "_action": "login", "_token": token,
                "_user": user, "_pass": password.reveal(), "_timezone": "UTC"}  # fmt: skip
        page = self.ask("/?_task=login", form)
        if page.status != 302:
            return False
        inside = self.ask("/?_task=mail")
        self.token = inside.found(r'"request_token":"([^"]+)"')
        return bool(self.token)

    def logout(self) -> None:
        """Leave; the session is gone with it."""
        self.ask(f"/?_task=logout&_token={self.token}")


class Reading:
    """The mailbox of the proofs, open in a browser, and closed afterwards."""

    def __init__(self, ctx: Context):
        self.browser, self.ctx = Browser(ctx), ctx

    def __enter__(self) -> Browser:
        with ENTERING:
            inside = self.browser.login(self.ctx.address, self.ctx.mailbox.password)
        if not inside:
            raise Refused("Roundcube did not take the right password.")
        return self.browser

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None or issubclass(kind, (CannotTell, Refused)):
            self.browser.logout()
