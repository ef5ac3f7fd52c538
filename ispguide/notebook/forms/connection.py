"""Connecting a real server: where it is, whose key it shows, which mail domain it serves.

Nothing on the server is changed.  A server whose key has changed is a hard stop: this
form has no button that accepts it.  A password for sudo goes from its field into the
kernel's memory; a key file is read by ssh alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from markupsafe import Markup

from ispguide import tasks
from ispguide.engine.errors import ChangedServer, UnknownServer
from ispguide.engine.names import host_name_problems
from ispguide.engine.profile import Profile
from ispguide.engine.settings import Secret
from ispguide.notebook import inputs, switch
from ispguide.notebook.card import Watch
from ispguide.notebook.forms import servers
from ispguide.notebook.forms.fields import FormCard
from ispguide.notebook.inputs import Field, button, taken
from ispguide.views import style

# The first lesson: whose door is this?  The server's fingerprint is compared.
#
# It is shown big, beside the command that prints the same one on a way nobody in between
# controls.  Only an equal one from there, or a deliberate tick, opens the button.
# Connects to nobody itself.
# Source: ssh-keygen(1), RFC 4251 4.1.


_WHY = (
    "A server proves who it is with a key that nobody can copy from outside; the "
    "fingerprint is its short form. Somebody between you and the server can answer "
    "in its place, and then reads and changes all you send. He can show you any "
    "fingerprint but the right one. So fetch the right one on a way that is not his: "
    "the console on your provider's web page."
)


def fingerprint_in(line: str) -> str:
    """The fingerprint in what `ssh-keygen -lf` printed; "" when there is none."""
    found = re.search(r"SHA256:[A-Za-z0-9+/]{43}(?![A-Za-z0-9+/])", line)
    return found[0] if found else ""


def lesson_html(host: str, fingerprint: str, command: str) -> Markup:
    """Both sides of the comparison, and why it matters."""
    return Markup(
        '<div role="heading" aria-level="5" class="head">Whose door is this?</div>'
        '<p>{}</p><div class="lesson">'
        "<div>{} shows this one:<pre>{}</pre></div>"
        "<div>Its console prints the real one, when you type there:"
        "<pre>{}</pre></div></div>"
    ).format(_WHY, host, fingerprint, command)


class Lesson:
    """The comparison.  `trust` is called when the reader says that both are equal."""

    def __init__(self, trust: Callable[[], None], changed: Callable[[], None]):
        self.shown, self._told = "", widgets.HTML()
        self.pasted = inputs.text(
            "fingerprint from the console",
            "Copy the line that the console printed; this page compares it letter for letter.",
            like="SHA256:…",
        )
        self.by_eye = inputs.tick(
            "or: the console lets me copy nothing, and I compared them by eye, to the last letter"
        )
        self.trust = inputs.button(
            "they are equal: trust this server", trust, "ispg-do"
        )
        for one in (self.pasted, self.by_eye):
            one.on_change(lambda _: changed())
        self.box = inputs.column(
            self._told, self.pasted.box, self.by_eye.box, inputs.row(self.trust)
        )

    def begin(self, host: str, error: UnknownServer) -> None:
        """Show what this server showed; nothing is compared yet."""
        self.shown = error.fingerprint
        self.pasted.input.value, self.by_eye.input.value = "", False
        told = lesson_html(host, error.fingerprint, error.command)
        self._told.value = style.box(told, role="status")

    def check(self, free: bool) -> None:
        """Say how the comparison stands, and whether the button may be pressed."""
        pasted = self.pasted.value
        there = fingerprint_in(pasted)
        equal = bool(there) and there == self.shown
        self.pasted.say(self._wrong(pasted, there), "They are equal." if equal else "")
        judged = equal if pasted else self.by_eye.value
        self.trust.disabled = not (free and judged)

    def _wrong(self, pasted: str, there: str) -> str:
        if not pasted or there == self.shown:
            return ""
        if not there:
            return (
                "This is no fingerprint. It begins with SHA256: and has 43 signs more."
            )
        return (
            "They are not equal. Do not go on: either the console printed another kind "
            "of key than the command above asks for, or somebody answers in its place."
        )


# Connecting a real server: where it is, whose key it shows, which mail domain it serves.


_HOST = r"\w[\w.-]*|[0-9A-Fa-f:]*:[0-9A-Fa-f:]*"


class ConnectionCard(FormCard):
    """From an address to a profile, by way of the fingerprint."""

    def __init__(self) -> None:
        self._sudo: Secret | None = None
        self.lesson = Lesson(self.trust, self.check)
        self.fields = _inputs()
        self.password = inputs.hidden(
            "password for sudo",
            "Only where you do not log in as root and sudo asks for one. It stays in this kernel's memory.",
        )
        self.go = button("connect", self.connect, "ispg-do")
        super().__init__("start.connection", "Connect a real server")
        boxes = [f.on_change(self.check).box for f in self.fields.values()]
        self._form = (*boxes, self.password.box, inputs.row(self.go))
        self.inside.children = self._form
        self.check()

    def spare(self) -> Sequence[Any]:
        return [self.lesson.box]

    def value(self, name: str) -> Any:
        """What stands in the field called `name`."""
        return self.fields[name].value

    def check(self, *_: Any) -> None:
        """Each problem beside its field."""
        found = {name: problem(name, f.value) for name, f in self.fields.items()}
        for name, one in self.fields.items():
            one.say(found[name])
        self.go.disabled = not (
            self.free and self.value("host") and not any(found.values())
        )
        self.lesson.check(self.free)

    def where(self) -> str:
        """user@host:port, as ssh would have it."""
        host = self.value("host")
        host = f"[{host}]" if ":" in host else host
        return f"{self.value('user')}@{host}:{self.value('port')}"

    def connect(self) -> None:
        """Ask the server who it is; it is trusted only when it is known already."""
        self._sudo = taken(self.password.input) or self._sudo
        self.inside.children = self._form
        self._begin("")

    def trust(self) -> None:
        """The reader compared: the key is remembered, and no other taken."""
        self._begin(self.lesson.shown)

    def _begin(self, accept: str) -> None:
        where, domain, sudo = self.where(), self.value("domain"), self._sudo
        key = str(Path(self.value("key")).expanduser()) if self.value("key") else ""

        def work(watch: Watch) -> Profile:
            watch(f"calling {where}")
            found: Profile = tasks.connect(
                tasks.HERE, where, domain, accept=accept, key=key, sudo=sudo
            )
            return found

        self.state("busy", "connecting")
        self.run("Connecting", work, self.known, on="connecting")

    def stumble(self, error: Exception) -> None:
        """A key never seen is no failure: it is the lesson.  Any other error stops."""
        if not isinstance(error, UnknownServer):
            self._sudo = None
            super().stumble(error)
            if isinstance(error, ChangedServer):
                self.state("failed", "stop: this is another key")
            return
        self._enable(True)
        self.lesson.begin(self.value("host"), error)
        self.inside.children = (*self._form, self.lesson.box)
        self.check()
        self.state("gap", "compare the fingerprint")
        self.rest("Nothing was sent to it yet. Compare first.")
        self.show(Markup())

    def known(self, profile: Profile) -> None:
        """Use it from now on; its switch stands on "look only"."""
        switch.use(profile.name)
        if self._sudo:
            switch.remember_sudo(self._sudo)
        self._sudo = None
        self.inside.children = self._form
        servers.changed()
        self.state("ok", "connected")
        arm = style.link("00-start.ipynb", "the switch", "switch")
        name = profile.settings.hostname if profile.settings else profile.host
        known = Markup(
            "<p>{} is known now, and in use: {} Nothing on it "
            "was changed. Cells only look at it until you arm it at {}.</p>"
        )
        self.show(known.format(name, switch.badge_html(), arm))


def _inputs() -> dict[str, Field]:
    return {
        "host": inputs.text(
            "address of the server",
            "Its name or its IP address, as your provider tells it.",
            like="mail.example.org",
        ),
        "user": inputs.text("user", "root, or one who may use sudo.", value="root"),
        "port": inputs.number("port", "Where its SSH listens: 22, as a rule.", 22),
        "domain": inputs.text(
            "mail domain",
            "For a server this guide has not built yet: what will stand behind the @.",
            like="example.org",
        ),
        "key": inputs.text(
            "key file",
            "The private key on this computer. Empty: the ssh agent, and the usual files in ~/.ssh.",
            like="~/.ssh/id_ed25519",
        ),
    }


def problem(name: str, value: Any) -> str:
    """What is wrong with a field of the form, in a sentence; "" for nothing."""
    if name == "host" and value and not re.fullmatch(_HOST, value, re.ASCII):
        return f"{value!r} is no address. Write a name like mail.example.org or an IP address; user and port have fields of their own."
    if name == "user" and not re.fullmatch(r"[\w.-]+", value, re.ASCII):
        return f"{value!r} is no user. It is root, as a rule."
    if name == "port" and not 1 <= value <= 65535:
        return f"The port is {value}. It should be from 1 to 65535."
    if name == "domain" and value:
        return " ".join(host_name_problems(value))
    return _key_problem(value) if name == "key" and value else ""


def _key_problem(value: str) -> str:
    path = Path(value).expanduser()
    if not path.is_file():
        return f"There is no file {value} on this computer."
    if path.suffix == ".pub":
        return f"{value} is the public half. The private one has the same name without .pub."
    return ""
