"""The smarthost as a form: its settings, and the password beside them.

The form of chapter 12.  It keeps the decisions and the password on the server; the
step below it makes them true.  The password leaves its field before the work begins.
"""

from __future__ import annotations

from html import escape
from typing import Any

from ispguide import tasks
from ispguide.errors import GuideError
from ispguide.notebook import inputs, switch
from ispguide.notebook.forms.readers import readers, told_html
from ispguide.notebook.forms.settings import SettingsCard, Work
from ispguide.settings import Secret, Settings
from ispguide.smarthost import left_behind
from ispguide.tasks_smarthost import valid_login

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
        secret, sudo = inputs.taken(self.password.input), switch.sudo()
        if not where:
            return lambda _: tasks.smarthost_off(tasks.HERE, server, sudo)
        return lambda _: tasks.smarthost_use(
            tasks.HERE, where, user, secret, spf, server, sudo
        )

    def kept(self, both: tuple[Settings, Settings]) -> None:
        """Also what only the reader can take away."""
        super().kept(both)
        if left := left_behind(*both):
            steps = told_html(readers(*both))
            self.show(f'{steps}<p role="status">{escape(left)}</p>')
