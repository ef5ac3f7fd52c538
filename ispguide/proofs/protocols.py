"""SMTP, IMAP and POP3 as a client speaks them: just what the proofs need.

A reply is the server's own words; nothing here decides whether it is right.
Sources: RFC 5321 (SMTP), 9051 (IMAP), 1939 (POP3), 4616 (PLAIN), 4954, 4959 and
5034 (a login in one line), 3207, 2595 (STARTTLS).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from ispguide.engine.settings import Secret
from ispguide.outside.talk import Talk


@dataclass(frozen=True)
class Reply:
    """The line that decides, the lines before it, and IMAP's raw pieces."""

    text: str
    lines: tuple[str, ...] = ()
    literals: tuple[bytes, ...] = ()

    @property
    def code(self) -> int:
        """SMTP's three digits; 0 in other protocols."""
        return int(self.text[:3]) if self.text[:3].isdigit() else 0

    @property
    def good(self) -> bool:
        """Whether the server said yes."""
        return bool(re.match(r"[23]\d\d|\+|a\d+ OK|\* OK", self.text))

    @property
    def later(self) -> bool:
        """Whether it was neither yes nor no but "not now"."""
        return bool(re.match(r"4\d\d|.*\[(UNAVAILABLE|SYS/TEMP)\]", self.text))

    @property
    def brief(self) -> str:
        """The deciding line without IMAP's list of abilities."""
        return re.sub(r"\[CAPABILITY [^]]*\] ?", "", self.text)

    @property
    def whole(self) -> str:
        """All lines."""
        return "\n".join([*self.lines, self.text])


class Dialogue(Talk):
    """Commands and replies.  `upgrade`: how this protocol asks for TLS."""

    upgrade, auth = "STARTTLS", "AUTH PLAIN"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.greet()

    def greet(self) -> Reply:
        """What the server says first."""
        return self.reply()

    def reply(self) -> Reply:
        """One whole answer."""
        return Reply(self.line())

    def command(self, text: str, shown: str = "") -> Reply:
        """Say a line, hear the answer."""
        self.send(text.encode() + b"\r\n", shown)
        return self.reply()

    def starttls(self) -> Reply:
        """Ask for TLS, and change to it when the server agrees."""
        if (reply := self.command(self.upgrade)).good:
            self.secure()
        return reply

    def login(self, user: str, password: Secret) -> Reply:
        """SASL PLAIN in one line, in UTF-8: any printable password."""
        plain = f"\0{user}\0{password.reveal()}".encode()
        words = f"{self.auth} {base64.b64encode(plain).decode()}"
        return self.command(words, f"{self.auth} •••  (as {user})")


class Smtp(Dialogue):
    """One client of an SMTP server."""

    ehlo_name = "proof.elsewhere.test"

    def reply(self) -> Reply:
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return Reply(lines[-1], tuple(lines[:-1]))

    def ehlo(self) -> Reply:
        """The greeting that is answered with what the server offers."""
        return self.command(f"EHLO {self.ehlo_name}")

    def starttls(self) -> Reply:
        if (reply := super().starttls()).good:
            self.ehlo()  # what was offered before TLS counts no more (RFC 3207 4.2)
        return reply

    def envelope(self, sender: str, recipient: str) -> Reply:
        """MAIL and RCPT; the first no, else the last yes."""
        reply = self.command(f"MAIL FROM:<{sender}>")
        return self.command(f"RCPT TO:<{recipient}>") if reply.good else reply

    def deliver(self, sender: str, recipient: str, mail: str) -> Reply:
        """A whole mail; the first no, else the yes at its end."""
        if not (reply := self.envelope(sender, recipient)).good:
            return reply
        reply = self.command("DATA")
        return self.hand_over(mail) if reply.good else reply

    def hand_over(self, mail: str) -> Reply:
        """The letter itself, after DATA was answered with yes."""
        lines = mail.replace("\n", "\r\n").replace("\r\n.", "\r\n..")
        self.send(lines.encode() + b"\r\n.\r\n", shown=_brief(mail))
        return self.reply()


class Imap(Dialogue):
    """One client of an IMAP server."""

    auth = "AUTHENTICATE PLAIN"
    _count = 0

    def greet(self) -> Reply:
        return Reply(self.line())

    def command(self, text: str, shown: str = "") -> Reply:
        self._count += 1
        tag = f"a{self._count}"
        return super().command(f"{tag} {text}", f"{tag} {shown}" if shown else "")

    def reply(self) -> Reply:
        """Up to the line that carries our tag; raw pieces {n} are taken whole."""
        lines: list[str] = []
        pieces: list[bytes] = []
        while not (line := self.line()).startswith((f"a{self._count} ", "+ ")):
            lines.append(line)
            if announced := re.search(r"\{(\d+)\}$", line):
                pieces.append(self.read(int(announced[1])))
                self.lines.append(f"S: … {announced[1]} bytes …")
        return Reply(line, tuple(lines), tuple(pieces))

    def find(self, folder: str, token: str, key: str = "SUBJECT") -> list[str]:
        """The UIDs of the mails in `folder` that hold `token`."""
        if not self.command(f"SELECT {folder}").good:
            return []
        found = self.command(f'UID SEARCH {key} "{token}"')
        return [uid for line in found.lines for uid in line.split()[2:]
                if line.startswith("* SEARCH")]  # fmt: skip

    def fetch(self, uid: str) -> str:
        """A mail of the selected folder, whole, without marking it read."""
        pieces = self.command(f"UID FETCH {uid} BODY.PEEK[]").literals
        return b"".join(pieces).decode(errors="replace").replace("\r\n", "\n")


class Pop3(Dialogue):
    """One client of a POP3 server."""

    upgrade = "STLS"

    def many(self, text: str) -> Reply:
        """A command whose answer ends with a line that is a dot (RFC 1939 3)."""
        if not (first := self.command(text)).good:
            return first
        lines = []
        while (line := self.read().decode(errors="replace")) != ".":
            lines.append(line[1:] if line.startswith("..") else line)
        self.lines.append(f"S: … {len(lines)} lines …")
        return Reply(first.text, tuple(lines))


def _brief(mail: str) -> str:
    lines = mail.splitlines()
    more = [f"… {len(lines) - 12} lines more …"] if len(lines) > 12 else []
    return "\n   ".join([*lines[:12], *more, "."])


KINDS: dict[int, type[Dialogue]] = {
    25: Smtp, 465: Smtp, 587: Smtp, 143: Imap, 993: Imap, 110: Pop3, 995: Pop3,
}  # fmt: skip
