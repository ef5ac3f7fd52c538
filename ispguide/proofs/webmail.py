"""Proofs of webmail: somebody with a browser logs in, reads, writes, sorts.

All of it as Roundcube's own pages ask for it, with the mailbox of the proofs.
Sources: RFC 5804 (filter rules), https://www.w3.org/TR/CSP3/ (what a browser may do)
"""

from __future__ import annotations

import threading
from types import TracebackType

from httpx import Response

from ispguide.engine.settings import Secret
from ispguide.proofs.base import (
    CannotTell,
    Context,
    Refused,
    Verdict,
    last_proof,
    need,
    proof,
)
from ispguide.proofs.imap import WRONG
from ispguide.proofs.messages import TEXT, bring, token, wait_for
from ispguide.proofs.web import Browser, found

#: Roundcube notes who comes for the first time, and refuses one of two who are the same
#: person and come together.
ENTERING = threading.Lock()


class Webmail(Browser):
    """Somebody at Roundcube.  What a script would ask for, a proof asks for by its
    address.  `token`: Roundcube's, once logged in."""

    def __init__(self, ctx: Context):
        super().__init__(ctx.where, ctx.lines)
        self.token = ""

    def login(self, user: str, password: Secret) -> bool:
        """Fill in the form as a person does; whether Roundcube let us in."""
        token = found(self.ask("/"), r'name="_token" value="([^"]+)"')
        if not token:
            raise Refused("The page shows no form for the login.")
        form = {"_task": "login", "_action": "login", "_token": token,
                "_user": user, "_pass": password.reveal(), "_timezone": "UTC"}  # fmt: skip
        if self.ask("/?_task=login", form).status_code != 302:
            return False
        inside = self.ask("/?_task=mail")
        self.token = found(inside, r'"request_token":"([^"]+)"')
        self.client.headers["X-Roundcube-Request"] = self.token
        return bool(self.token)

    def logout(self) -> None:
        """Leave; the session is gone with it."""
        self.ask(f"/?_task=logout&_token={self.token}")


class Reading:
    """The mailbox of the proofs, open in a browser, and closed afterwards."""

    def __init__(self, ctx: Context):
        self.browser, self.ctx = Webmail(ctx), ctx

    def __enter__(self) -> Webmail:
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


# Proofs of webmail: somebody with a browser logs in, reads, writes, sorts.


#: What nobody outside should be shown, and what everybody needs.
HIDDEN = ("/config/config.inc.php", "/plugins/password/config.inc.php", "/logs/",
          "/plugins/password/password.php", "/temp/", "/SQL/mysql.initial.sql",
          "/installer/", "/bin/gc.sh", "/.htaccess")  # fmt: skip
SHOWN = ("/program/js/app.min.js", "/skins/elastic/styles/styles.min.css")

#: What the browser is told, and a word that stands there.
RULES = {"content-security-policy": "default-src 'self'", "x-frame-options": "SAMEORIGIN",
         "x-content-type-options": "nosniff", "referrer-policy": "same-origin",
         "strict-transport-security": "max-age="}  # fmt: skip


@proof
def webmail_reads(ctx: Context) -> Verdict:
    """A letter that came by port 25 is found in the list, opened and read."""
    mark = token()
    need(bring(ctx, mark), "The letter")
    with ctx.reader() as imap:
        folder, uid = wait_for(imap, mark)
    if not folder:
        return False, "The letter did not reach the mailbox within 15 s."
    with Reading(ctx) as browser:
        listed = browser.ask(f"/?_task=mail&_action=list&_mbox={folder}&_remote=1")
        shown = browser.ask(f"/?_task=mail&_action=show&_mbox={folder}&_uid={uid}")
    seen = mark in listed.text, TEXT.strip() in shown.text
    words = {True: "yes", False: "no"}
    told = f"In the list of {folder}: {words[seen[0]]}; its text: {words[seen[1]]}."
    return all(seen), told


@last_proof
def webmail_refuses(ctx: Context) -> Verdict:
    """A wrong password shows the form again, and no mailbox."""
    inside = Webmail(ctx).login(ctx.address, WRONG)
    seen = (
        "opened the mailbox" if inside else "was refused, and the form is shown again"
    )
    return not inside, f"A wrong password {seen}."


@proof
def webmail_sends(ctx: Context) -> Verdict:
    """A letter is written, sent, and arrives; a copy lies in Sent."""
    mark = token()
    with Reading(ctx) as browser:
        said = _write(browser, ctx.address, mark)
    if "sent_successfully" not in said.text:
        return False, f"Roundcube says: {_message(said)}"
    with ctx.reader() as imap:
        folder, _ = wait_for(imap, mark)
        copy = imap.find("Sent", mark)
    if not (folder and copy):
        return False, "Sent, but it is missing in the mailbox or in Sent."
    return True, f"Sent, found in {folder}, and its copy in Sent."


def _write(browser: Webmail, to: str, mark: str) -> Response:
    opened = browser.ask("/?_task=mail&_action=compose").headers.get("location", "")
    sheet = browser.ask(opened)
    sender = found(sheet, r'name="_from"[^>]*>\s*<option value="(\d+)"')
    form = {"_token": browser.token, "_task": "mail", "_action": "send", "_framed": "1",
            "_id": opened.rpartition("_id=")[2], "_from": sender, "_to": to,
            "_subject": f"A letter, {mark}", "_store_target": "Sent", "_is_html": "0",
            "_message": TEXT}  # fmt: skip
    return browser.ask("/?_task=mail&_framed=1", form)


def _message(page: Response) -> str:
    """What Roundcube tells its reader in the corner of the screen."""
    return found(page, r'display_message\("([^"]*)"') or f"an answer {page.status_code}"


@proof
def webmail_filters(ctx: Context) -> Verdict:
    """A rule is written in the browser, and the next letter goes where it says."""
    mark = token()
    with Reading(ctx) as browser:
        said = _rule(browser, mark)
    if "Filter saved" not in said.text:
        return False, f"Roundcube says: {_message(said)}"
    need(bring(ctx, mark), "The letter")
    with ctx.reader() as imap:
        folder, _ = wait_for(imap, mark, "Drafts", "INBOX", "Junk")
    seen = f"went to {folder}" if folder else "did not arrive within 15 s"
    return folder == "Drafts", f"With a rule into Drafts, the letter {seen}."


def _rule(browser: Webmail, mark: str) -> Response:
    browser.ask(
        "/?_task=settings&_action=plugin.managesieve"
    )  # makes the list of rules
    form = {"_token": browser.token, "_task": "settings", "_framed": "1", "_fid": "",
            "_action": "plugin.managesieve-save", "_name": mark, "_enabled": "1",
            "_join": "allof", "_header[0]": "subject", "_rule_op[0]": "contains",
            "_rule_target[0]": mark, "_action_type[0]": "fileinto",
            "_action_mailbox[0]": "Drafts"}  # fmt: skip
    return browser.ask("/?_task=settings&_framed=1", form)


@proof
def webmail_headers(ctx: Context) -> Verdict:
    """The page tells the browser whom it may talk to; the cookie is well kept."""
    heads = Browser(ctx.where, ctx.lines).ask("/").headers
    missing = [n for n, word in RULES.items() if word not in heads.get(n, "")]
    cookie = heads.get("set-cookie", "").lower()
    missing += [w for w in ("secure", "httponly", "samesite") if w not in cookie]
    if missing:
        return False, f"The page does not say {', '.join(missing)}."
    return True, f"It says {', '.join(RULES)}, and its cookie is kept from scripts."


@proof
def webmail_hides(ctx: Context) -> Verdict:
    """Configuration, logs and programs are not shown, scripts and styles are."""
    browser = Browser(ctx.where, ctx.lines)
    told = {path: browser.ask(path).status_code for path in (*HIDDEN, *SHOWN)}
    open_ = [p for p in HIDDEN if told[p] not in (403, 404)]
    shut = [p for p in SHOWN if told[p] != 200]
    wrong = [f"{path} is answered {told[path]}" for path in (*open_, *shut)]
    return not wrong, "; ".join(wrong) or f"{len(HIDDEN)} paths are refused."
