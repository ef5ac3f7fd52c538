"""The cells of 00-start: which server, its settings, the switch.

In JupyterLab `servers`, `practice`, `connection`, `decisions`, `switch` and `look` are
forms and cards; a script that runs the notebooks gets sentences and tables.  `use`,
`connect` and `change` are for scripts, and for whoever would rather type.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from typing import Any

from ispguide import tasks
from ispguide.engine import problems
from ispguide.notebook import switch as _switch
from ispguide.notebook.card import headless
from ispguide.notebook.show import Progress, badge, guarded, sentence, table, watched


def servers() -> Any:
    """The servers this computer knows, and which one is in use."""
    from ispguide.notebook.forms.servers import ServersCard, rows

    if not headless():
        return guarded(ServersCard)
    if known := rows():
        return table(("name", "address", "kind", "in use"), known)
    return sentence("This computer knows no server yet. start.practice() makes one.")


def practice() -> Any:
    """The practice server, and a button that starts it; a script starts it at once."""
    if headless():
        return guarded(_practice)
    from ispguide.notebook.forms.servers import PracticeCard

    return guarded(lambda: _begun(PracticeCard(), "look"))


def _practice() -> Any:
    from ispguide import lab
    from ispguide.engine.profile import REPLAY

    if _switch.current() == REPLAY:
        return sentence("This is a replay: it needs no practice server. " + badge())
    with closing(Progress()) as progress:
        if not lab.status().running:
            lab.up(progress)
    if _switch.profile().practice:
        return sentence("The practice server runs. " + badge())
    return sentence(
        "The practice server runs. Another server stays in use: " + badge() + ". "
        'start.use("practice") changes to this one.'
    )


def connection() -> Any:
    """The form that makes a real server known; nothing on it is changed."""
    if headless():
        return sentence(
            "Nobody can type here. A script connects by "
            'start.connect("root@mail.example.org", domain="example.org").'
        )
    from ispguide.notebook.forms.connection import ConnectionCard

    return guarded(ConnectionCard)


def connect(where: str, domain: str = "", accept: str = "", name: str = "") -> Any:
    """Make a real server known: user@host.  `accept`: the fingerprint you compared."""

    def work() -> Any:
        profile = tasks.connect(tasks.HERE, where, domain, accept, name)
        _switch.use(profile.name)
        return sentence(f"{profile.host} is known now, and in use. " + badge())

    return guarded(work)


def use(name: str) -> Any:
    """Use another server in all notebooks."""

    def work() -> Any:
        _switch.use(name)
        _changed()
        return sentence(badge())

    return guarded(work)


def decisions() -> Any:
    """All settings of the server in use, as a form."""
    from ispguide.notebook.forms import settings as _form

    return _form.form()


def settings() -> Any:
    """All settings of the server in use, as a table."""
    from ispguide.notebook.forms.settings import read

    def work() -> Any:
        rows = asdict(read(_switch.current())).items()
        return table(("setting", "value"), [(k, str(v)) for k, v in rows])

    return guarded(work)


def change(**values: Any) -> Any:
    """Other settings, kept on the server; problems are said in sentences."""
    return guarded(lambda: _change(values))


def _change(values: dict[str, Any]) -> Any:
    from ispguide.notebook.forms import fields
    from ispguide.notebook.forms.settings import keep, read

    server = _switch.current()
    old = read(server)
    if unknown := sorted(set(values) - set(asdict(old))):
        return sentence(
            f"There is no setting {', '.join(unknown)}. "
            f"There are {', '.join(asdict(old))}."
        )
    if found := problems.of(replace(old, **values)):
        return sentence("\n".join(found))
    if reason := fields.why_not():
        return sentence(f"These settings would be fine. {reason} Nothing was kept.")
    keep(server, values)
    return settings()


def switch(to: str = "", name: str = "") -> Any:
    """The switch as a card; with a word, turn it and say how it stands."""

    def work() -> Any:
        if to:
            _switch.turn(to, name)
            _changed()
        if to or headless():
            return sentence(badge())
        from ispguide.notebook.forms.servers import SwitchCard

        return SwitchCard()

    return guarded(work)


def look() -> Any:
    """The whole guide at a glance; changes nothing."""
    if headless():
        return watched(lambda _: tasks.look(tasks.HERE, [], server=_switch.current()))
    from ispguide.notebook.forms.servers import GlanceCard

    return guarded(lambda: _begun(GlanceCard(), "look"))


def _begun(card: Any, verb: str) -> Any:
    """The card, its first work handed over."""
    begin: Callable[[], None] = getattr(card, verb)
    begin()
    return card


def _changed() -> None:
    """Cards that show the server in use, or the switch, show it anew."""
    if not headless():
        from ispguide.notebook.forms.servers import changed

        changed()
