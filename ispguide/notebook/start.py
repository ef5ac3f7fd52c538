"""The cells of 00-start: which server, its settings, the switch."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, replace
from typing import Any

from ispguide import tasks
from ispguide.notebook import switch as _switch
from ispguide.notebook.pages import badge, guarded, watched
from ispguide.notebook.show import Progress, sentence, table
from ispguide.profile import Profile, names


def servers() -> Any:
    """The servers this computer knows, and which one is in use."""
    known = names()
    if not known:
        return sentence(
            "This computer knows no server yet. start.practice() makes one."
        )
    rows = []
    for name in known:
        profile = Profile.load(name)
        kind = "practice" if profile.practice else "real"
        mark = "in use" if name == _switch.current() else ""
        rows.append((name, profile.host, kind, mark))
    return table(("name", "address", "kind", ""), rows)


def practice() -> Any:
    """Start the practice server, or say that it runs; use it from now on."""
    from ispguide import lab

    def work() -> Any:
        with closing(Progress()) as progress:
            if not lab.status().running:
                lab.up(progress)
        if Profile.load(_switch.current()).practice:
            return sentence("The practice server runs. " + badge())
        return sentence(
            "The practice server runs. Another server stays in use: " + badge() + ". "
            'start.use("practice") changes to this one.'
        )

    return guarded(work)


def connect(where: str, domain: str = "", accept: str = "", name: str = "") -> Any:
    """Make a real server known: user@host.  Nothing on it is changed."""

    def work() -> Any:
        profile = tasks.connect(tasks.HERE, where, domain, accept, name)
        _switch.use(profile.name)
        return sentence(f"{profile.host} is known now, and in use. " + badge())

    return guarded(work)


def use(name: str) -> Any:
    """Use another server in all notebooks."""

    def work() -> Any:
        _switch.use(name)
        return sentence(badge())

    return guarded(work)


def settings() -> Any:
    """The settings of the server in use, and what is wrong with them."""

    def work() -> Any:
        guide = tasks.open_guide(_switch.current())
        rows = [(k, str(v)) for k, v in asdict(guide.settings).items()]
        return table(("setting", "value"), rows)

    return guarded(work)


def change(**values: Any) -> Any:
    """Other settings, kept on the server; problems are said in sentences."""

    def work() -> Any:
        server = _switch.current()
        old = tasks.open_guide(server).settings
        unknown = sorted(set(values) - set(asdict(old)))
        if unknown:
            return sentence(
                f"There is no setting {', '.join(unknown)}. "
                f"There are {', '.join(asdict(old))}."
            )
        new = replace(old, **values)
        if found := new.problems():
            return sentence("\n".join(found))
        if _switch.position() == _switch.LOOK:
            return sentence(
                "These settings would be fine. Looking only: nothing was kept."
            )
        tasks.save_settings(tasks.HERE, new, server)
        return settings()

    return guarded(work)


def switch(to: str = "", name: str = "") -> Any:
    """Turn the switch, or (without a word) say how it stands."""

    def work() -> Any:
        if to:
            _switch.turn(to, name)
        return sentence(badge())

    return guarded(work)


def look() -> Any:
    """The whole guide at a glance; changes nothing."""
    return watched(lambda _: tasks.look(tasks.HERE, [], _switch.current()))
