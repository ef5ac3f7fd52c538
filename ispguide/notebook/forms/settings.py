"""Settings as a form: all of them in 00-start, those of a chapter beside its steps.

Problems are said while typing.  Looking only, and in a replay, nothing is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cache
from html import escape
from typing import Any
from zoneinfo import available_timezones

import ipywidgets as widgets

from ispguide import problems, tasks
from ispguide.errors import SettingsProblem
from ispguide.notebook import frame, inputs, switch
from ispguide.notebook.card import headless
from ispguide.notebook.cards import refresh_maps
from ispguide.notebook.forms.explained import WORDS
from ispguide.notebook.forms.fields import FormCard
from ispguide.notebook.forms.offered import CHOICES
from ispguide.notebook.forms.readers import readers, told_html
from ispguide.notebook.forms.spelling import as_kept, as_shown
from ispguide.notebook.inputs import Field, button
from ispguide.notebook.plain import guarded
from ispguide.notebook.show import table
from ispguide.notebook.switching import Switch
from ispguide.opening import known_settings
from ispguide.settings import Settings

Work = Callable[[Any], tuple[Settings, Settings]]


def form(names: Sequence[str] = (), title: str = "Your decisions") -> Any:
    """The settings with these names (none: all); a table where nobody can type."""
    return guarded(
        lambda: _plain(names) if headless() else _card(names, title).opened()
    )


def _card(names: Sequence[str], title: str) -> SettingsCard:
    """The form of the smarthost asks for a password besides."""
    from ispguide.notebook.forms.smarthost import NAMES, SmarthostCard

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
        now = {n: as_kept(f.value) for n, f in self.fields.items()}
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
        told = "".join(f'<div role="alert">✗ {escape(p)}</div>' for p in left)
        self.problems.value = frame.box(f'<div class="ispg-note">{told}</div>')
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
                one.input.value = as_shown(getattr(found, name))
        self.check()

    def save(self) -> None:
        """Keep what was changed, on the server."""
        changed, server = self.wanted(), self.server
        if self.moved():
            self.show('<p role="alert">Another server is in use now. This form shows '
                      "its settings; look at them, then save.</p>")  # fmt: skip
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
    return f"“{WORDS[name[0]][0]}”" if name[0] in WORDS else name[0]


def field_for(name: str, value: Any) -> Field:
    """The input that fits a setting."""
    label, note = WORDS.get(name, (name.replace("_", " "), ""))
    if name in CHOICES:
        return inputs.choice(label, CHOICES[name], note, value)
    if name == "timezone":
        return Field(
            widgets.Combobox(description=label, options=_zones(), value=value), note
        )
    if isinstance(value, bool):
        return inputs.tick(label, note, value)
    made = inputs.number if isinstance(value, int) else inputs.text
    return made(label, note, as_shown(value))
