"""Settings as a form: all of them in 00-start, those of a chapter beside its steps.

Problems are said while typing.  Looking only, and in a replay, nothing is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import ipywidgets as widgets
from markupsafe import Markup

from ispguide import tasks
from ispguide.chapters import GUIDE
from ispguide.engine import problems
from ispguide.engine.chapter import Chapter, Step
from ispguide.engine.errors import GuideError, SettingsProblem
from ispguide.engine.names import to_ascii_text, to_unicode_text
from ispguide.engine.settings import DECISIONS, Secret, Settings
from ispguide.mail.dns.others import OtherDomains, records
from ispguide.mail.dns.thing import DnsRecord
from ispguide.mail.dns.wanted import Addresses, find
from ispguide.mail.smarthost import left_behind
from ispguide.mail.tlsa import TlsaRecord
from ispguide.notebook import inputs, switch
from ispguide.notebook.card import headless
from ispguide.notebook.cards import refresh_maps
from ispguide.notebook.forms.fields import FormCard
from ispguide.notebook.inputs import Field, button
from ispguide.notebook.show import guarded, table
from ispguide.notebook.switch import Switch
from ispguide.tasks.base import OnServer, known_settings
from ispguide.tasks.smarthost import valid_login
from ispguide.views import html, style

# Who reads a decision: the steps that say something else when it changes.
#
# Found by asking every step before and after, so no list has to be kept.


AT = Addresses("192.0.2.1", "2001:db8::1")


def readers(before: Settings, after: Settings) -> list[tuple[Chapter, Step]]:
    """The steps that want something else of the server than they did before."""
    return [
        (chapter, step)
        for chapter in GUIDE
        for step in chapter.steps
        if _wants(step, before) != _wants(step, after)
        and step.name != "remember_settings"  # saving did that already
    ]


def _wants(step: Step, s: Settings) -> list[Any]:
    """Services follow what others change."""
    return [_want(thing) for thing in step.things(s) if not thing.follows]


def _want(thing: Any) -> Any:
    """What a thing wants; a record carries all settings with it, and wants a few."""
    if isinstance(thing, TlsaRecord):
        return thing.question, thing.signed
    if isinstance(thing, DnsRecord):
        return find(thing.settings, AT, thing.key)
    if isinstance(thing, OtherDomains):
        return [
            _want(r) for r in records(thing.settings, "another.example", thing.keys)
        ]
    if sni_names := getattr(thing, "sni_names", None):
        return sni_names.look, getattr(thing, "text", "")
    return thing


def told_html(found: Sequence[tuple[Chapter, Step]]) -> Markup:
    """What was kept, and where to go on."""
    if not found:
        return Markup(
            '<p role="status">✓ Kept on the server. No step needs to run again.</p>'
        )
    links = (
        style.link(c.notebook, f"{c.number:02d} {s.title}", s.name) for c, s in found
    )
    return Markup(
        '<p role="status">✓ Kept on the server. These steps read what you changed; '
        "run them again:</p><ul>{}</ul>"
    ).format(html.each("<li>{}</li>", links))


# Settings as a form: all of them in 00-start, those of a chapter beside its steps.


Work = Callable[[Any], tuple[Settings, Settings]]


def form(names: Sequence[str] = (), title: str = "Your decisions") -> Any:
    """The settings with these names (none: all); a table where nobody can type."""
    return guarded(
        lambda: _plain(names) if headless() else _card(names, title).opened()
    )


def _card(names: Sequence[str], title: str) -> SettingsCard:
    """The form of the smarthost asks for a password besides."""
    pass

    mine = tuple(names) == NAMES
    return SmarthostCard(title) if mine else SettingsCard(names, title)


def _plain(names: Sequence[str]) -> Any:
    found = read(switch.current())
    rows = [(k, str(v)) for k, v in asdict(found).items() if not names or k in names]
    return table(("setting", "value"), rows)


def read(server: str) -> Settings:
    """As the server has them: its own win over this computer's copy."""
    guide = tasks.open_guide(server, switch.sudo())
    with guide.server:
        guide.look(())
    return guide.settings


class SettingsCard(FormCard):
    """Some settings of the server in use."""

    def __init__(self, names: Sequence[str], title: str):
        self.saved = known_settings(switch.current())
        chosen = [n for n in asdict(self.saved) if not names or n in names]
        self.fields = {n: field_for(n, getattr(self.saved, n)) for n in chosen}
        self.save_button = button("save", self.save, "ispg-do")
        buttons = [button("read from the server", self.reload)]
        super().__init__(f"settings.{title}", title, buttons)
        self.switch = Switch()
        self.bar.children = (*self.bar.children, self.switch.box)
        self.problems = widgets.HTML()
        boxes = [f.on_change(self.check).box for f in self.fields.values()]
        save = inputs.row(self.save_button)
        self.inside.children = (*boxes, self.problems, save)
        self.check()

    def opened(self) -> SettingsCard:
        """Filled from the server as soon as it answers."""
        self.reload()
        return self

    def wanted(self) -> dict[str, Any]:
        """What stands in the form and is not on the server yet."""
        now = {n: to_ascii_text(f.value) for n, f in self.fields.items()}
        return {n: v for n, v in now.items() if v != getattr(self.saved, n)}

    def check(self, *_: Any) -> None:
        """Each problem beside its field; what belongs to several stands below."""
        changed = self.wanted()
        problems = left = problems_of(replace(self.saved, **changed))
        for name, one in self.fields.items():
            alone = problems_of(replace(self.saved, **{name: one.value}))
            mine = [p for p in left if p in alone]
            one.say(" ".join(mine))
            left = [p for p in left if p not in mine]
        told = html.each('<div role="alert">✗ {}</div>', left)
        note = Markup('<div class="ispg-note">{}</div>').format(told)
        self.problems.value = style.box(note)
        self._tell(changed, problems)

    def _tell(self, changed: dict[str, Any], problems: list[str]) -> None:
        self.save_button.disabled = not (self.free and changed and not problems)
        own_names = {"acme_url", "acme_ca", "acme_name"}
        tls = self.fields["tls"].value if "tls" in self.fields else self.saved.tls
        for name in own_names & set(self.fields):
            self.fields[name].input.disabled = tls != "acme-url"
        if problems:
            self.state("failed", "cannot be")
        elif changed:
            self.state("gap", "not kept yet")
        else:
            self.state("ok", "as on the server")

    def reload(self) -> None:
        """Fill the form from the server in use; what was typed stays."""
        server = switch.current()

        def done(found: Settings) -> None:
            self.server = server
            self.take(found)

        self.run("Reading", lambda _: read(server), done)

    def take(self, found: Settings) -> None:
        """These are on the server."""
        typed, self.saved = self.wanted(), found
        for name, one in self.fields.items():
            if name not in typed:
                one.input.value = to_unicode_text(getattr(found, name))
        self.check()

    def save(self) -> None:
        """Keep what was changed, on the server."""
        changed, server = self.wanted(), self.server
        if self.moved():
            self.show(Markup('<p role="alert">Another server is in use now. This form '
                             "shows its settings; look at them, then save.</p>"))  # fmt: skip
            self.reload()
        elif not self.refuse("Nothing was kept."):
            self.run("Keeping", self.work(server, changed), self.kept)

    def work(self, server: str, changed: dict[str, Any]) -> Work:
        """What keeps it."""
        return lambda _: keep(server, changed)

    def kept(self, both: tuple[Settings, Settings]) -> None:
        """Say which steps say something else now."""
        self.take(both[1])
        self.show(told_html(readers(*both)))
        refresh_maps()


def keep(server: str, changed: dict[str, Any]) -> tuple[Settings, Settings]:
    """Change these and leave the others as the server has them.  Before, and after."""
    before = read(server)
    after = replace(before, **changed)
    if found := problems.of(after):
        raise SettingsProblem("\n".join(found), "", "Nothing was kept.")
    tasks.save_settings(tasks.HERE, after, server, switch.sudo())
    return before, after


def problems_of(s: Settings) -> list[str]:
    """The settings' own, in the words of the form, and a zone nobody has heard of."""
    found = [re.sub(r"\b[a-z]+(_[a-z]+)+\b", _label, p) for p in problems.of(s)]
    zones = _zones()  # none where this computer has no such list
    if zones and s.timezone not in zones and not any(s.timezone in p for p in found):
        found.append(f"{s.timezone} is no time zone this computer knows.")
    return found


@cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def _label(name: re.Match[str]) -> str:
    return f"“{DECISIONS[name[0]].label}”" if name[0] in DECISIONS else name[0]


def field_for(name: str, value: Any) -> Field:
    """The input that fits a setting."""
    decision = DECISIONS[name]
    label, note = decision.label, decision.why
    if decision.choices:
        offered = [(words, kept) for kept, words in decision.choices.items()]
        return inputs.choice(label, offered, note, value)
    if name == "timezone":
        return Field(
            widgets.Combobox(description=label, options=_zones(), value=value), note
        )
    if isinstance(value, bool):
        return inputs.tick(label, note, value)
    made = inputs.number if isinstance(value, int) else inputs.text
    return made(label, note, to_unicode_text(value))


# The smarthost as a form: its settings, and the password beside them.
#
# The form of chapter 12.  It keeps the decisions and the password on the server; the
# step below it makes them true.  The password leaves its field before the work begins.


NAMES = ("smarthost", "smarthost_user", "smarthost_spf")
NOTE = "The one that belongs to the login. Empty: the one that the server knows stays."


class SmarthostCard(SettingsCard):
    """Some settings, and a password that is none of them."""

    def __init__(self, title: str):
        self.password = inputs.hidden("password there", NOTE)
        self.off = inputs.button("no smarthost", self.leave_by_itself)
        super().__init__(NAMES, title)
        # Below the fields, above what is said of them and the button that saves.
        *boxes, problems, save = self.inside.children
        self.inside.children = (*boxes, self.password.box, problems, save)
        save.children = (*save.children, self.off)
        self.password.on_change(self.check)

    def _tell(self, changed: dict[str, Any], problems: list[str]) -> None:
        """A password alone is a change too."""
        typed = bool(self.password.input.value)
        wrong = self._wrong() if typed and not problems else ""
        self.password.say(wrong)
        super()._tell(changed | ({"password": ...} if typed else {}), problems)
        wanted = self.fields["smarthost"].value
        self.save_button.disabled |= bool(wrong) or (typed and not wanted)
        self.off.disabled = not (self.free and self.saved.smarthost)

    def _wrong(self) -> str:
        """What is wrong with what was typed as the password."""
        try:
            valid_login(Secret(self.password.input.value), self.saved)
        except GuideError as error:
            return f"{error.is_} {error.should}"
        return ""

    def leave_by_itself(self) -> None:
        """Empty the fields and keep that."""
        for one in self.fields.values():
            one.input.value = ""
        self.save()

    def work(self, server: str, changed: dict[str, Any]) -> Work:
        """What keeps it; the password is out of its field before that begins."""
        where, user, spf = (self.fields[name].value for name in NAMES)
        secret = inputs.taken(self.password.input)
        on = OnServer(server, switch.sudo())
        if not where:
            return lambda _: on(tasks.smarthost_off)
        return lambda _: on(tasks.smarthost_use, where, user, secret, spf)

    def kept(self, both: tuple[Settings, Settings]) -> None:
        """Also what only the reader can take away."""
        super().kept(both)
        if left := left_behind(*both):
            steps = told_html(readers(*both))
            self.show(steps + Markup('<p role="status">{}</p>').format(left))
