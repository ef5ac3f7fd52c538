"""The Fabric tasks: what notebooks, the command line and `fab` call alike.

`fab --collection ispguide/tasks look --what postfix` finds the same tasks.  They
return what was found; under `fab`, which shows no results, they say it themselves.
Every task takes `server`, the name of a profile; the tasks reach it by that
profile's pinned key and not by fab's own host list.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fabric import task
from invoke import Context

from ispguide import people as book
from ispguide import ssh, undoing
from ispguide.chapters import GUIDE
from ispguide.errors import CannotUndo, GuideError, UnknownServer
from ispguide.facts import Fact
from ispguide.guide import Guide
from ispguide.profile import Profile, home
from ispguide.report import Report
from ispguide.server import Server, ignore
from ispguide.settings import PATH, Secret, Settings
from ispguide.wire import Watch

PRACTICE = "practice"
LEDGER: Fact = ("ledger",)


class Here(Context):  # type: ignore[misc]
    """The caller shows what a task returns (the command line, a notebook)."""


HERE = Here()


def open_guide(server: str = PRACTICE, sudo: Secret | None = None) -> Guide:
    """The guide for the server of that profile, with the settings it knows."""
    profile = Profile.load(server)
    if profile.settings is None:
        profile = _with_its_settings(profile, sudo)
    assert profile.settings
    profile.settings.checked()
    return Guide(Server(profile, sudo), profile.settings, GUIDE)


def _with_its_settings(profile: Profile, sudo: Secret | None) -> Profile:
    """A new computer, an old server: the settings come from the server."""
    with Server(profile, sudo) as server:
        found = (server.exchange().settings or {}).get("text")
    if not found:
        raise GuideError(
            f"Neither this computer nor {profile.host} has settings for it yet.",
            "The guide should know the server's name and the mail domain.",
            f"./guide connect {profile.user}@{profile.host} --domain example.org",
        )
    profile = profile.with_settings(Settings.from_toml(found))
    profile.save()
    return profile


@task(iterable=["what"])
def look(
    c: Any, what: Sequence[str] = (), server: str = PRACTICE, sudo: Any = None
) -> Report:
    """Look, and change nothing."""
    guide = open_guide(server, sudo)
    with guide.server:
        return _said(c, guide.check(*what))


@task(iterable=["what"])
def apply(
    c: Any,
    what: Sequence[str] = (),
    server: str = PRACTICE,
    sudo: Any = None,
    watch: Watch = ignore,
) -> Report:
    """Make it true, and prove it."""
    guide = open_guide(server, sudo)
    with guide.server:
        return _said(c, guide.apply(*what, watch=watch))


@task(iterable=["what"])
def prove(
    c: Any,
    what: Sequence[str] = (),
    server: str = PRACTICE,
    sudo: Any = None,
    watch: Watch = ignore,
) -> Report:
    """Act like a user and look what happens; leave nothing behind."""
    guide = open_guide(server, sudo)
    with guide.server:
        return _said(c, guide.prove(*what, watch=watch))


@task
def undo(
    c: Any, step: str, server: str = PRACTICE, sudo: Any = None, watch: Watch = ignore
) -> Report:
    """Put back the files the step replaced, and let their services read them."""
    guide = open_guide(server, sudo)
    with guide.server:
        (chosen,) = _one_step(guide, step)
        have = guide.exchange(tell=[LEDGER, *guide.facts([chosen])], wait=True).have
        later = [
            s for s in guide.select() if str(chosen) in map(str, guide.rests_on(s))
        ]
        back = undoing.restores(chosen, have[LEDGER], later)
        services = [t for t in guide.things(chosen) if t.follows]
        do = [*back, *(a for t in services for a in t.fix(have))]
        answer = guide.exchange(do, watch=watch, step=undoing.UNDO + str(chosen))
        if not answer.done or not answer.done["ok"]:
            evidence = (answer.done or {}).get(
                "evidence", "the server restarted meanwhile"
            )
            raise CannotUndo(
                f"Undoing {chosen} failed; everything is as it was before.",
                "The service should run with the older files too.",
                "Read the evidence, repair that, and undo again.",
                evidence,
            )
        return _said(c, guide.check(chosen))


def _one_step(guide: Guide, name: str) -> list[Any]:
    if "." not in name:
        raise GuideError(
            f"{name!r} is not one step.",
            "Undo works step by step.",
            "Write chapter.step.",
        )
    return guide.select(name)


@task
def history(c: Any, server: str = PRACTICE, sudo: Any = None) -> list[dict[str, Any]]:
    """The ledger of the server: who changed what, and when."""
    guide = open_guide(server, sudo)
    with guide.server:
        return list(guide.exchange(tell=[LEDGER]).have[LEDGER])


@task
def connect(
    c: Any,
    where: str,
    domain: str = "",
    accept: str = "",
    name: str = "",
    key: str = "",
    sudo: Any = None,
) -> Profile:
    """Make a profile for a real server.  `accept`: the fingerprint you compared."""
    user, _, host = where.rpartition("@")
    host, _, port = host.partition(":")
    _pinned(host, int(port or 22), accept)
    profile = Profile(
        name=name or host,
        host=host,
        port=int(port or 22),
        user=user or "root",
        known_hosts=str(_known_hosts(host)),
        key=key,
    )
    with Server(profile, sudo) as server:
        found = (server.exchange().settings or {}).get("text")
    profile = profile.with_settings(_first_settings(found, domain, where))
    profile.save()
    return profile


def _first_settings(found: str | None, domain: str, where: str) -> Settings:
    """Those the server remembers, else the defaults for a new mail domain."""
    if found:
        return Settings.from_toml(found)
    if domain:
        return Settings(f"mail.{domain}", domain, f"postmaster@{domain}").checked()
    raise GuideError(
        f"{where} has no settings of this guide yet.",
        "The guide should know which mail domain it is for.",
        f"Add --domain example.org to: ./guide connect {where}",
    )


def _known_hosts(host: str) -> Path:
    return home() / "profiles" / f"{host}.known_hosts"


def _pinned(host: str, port: int, accept: str) -> None:
    """Pin the key when its fingerprint is the accepted one; else show it."""
    if _known_hosts(host).exists() and not accept:
        return
    key = ssh.host_key(host, port)
    shown = ssh.fingerprint(key.asbytes())
    if accept != shown:
        kind = key.get_name().removeprefix("ssh-").partition("-")[0]
        error = UnknownServer(
            f"{host} showed the {kind} key {shown}"
            + (f", not {accept}." if accept else "."),
            "Before you trust it, its console at your provider should print the same:\n"
            f"  ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub",
            f"When both are equal, repeat the command with --accept {shown}",
        )
        error.fingerprint = shown
        raise error
    ssh.pin(host, port, key, _known_hosts(host))


@task
def save_settings(
    c: Any, settings: Any, server: str = PRACTICE, sudo: Any = None
) -> None:
    """Keep other settings, on the server and in the profile."""
    from ispguide.actions import Action, MakeDirectory, Write

    settings.checked()
    profile = Profile.load(server)
    with Server(profile, sudo) as there:
        do: list[Action] = [
            MakeDirectory("/etc/ispguide"),
            Write(PATH, settings.to_toml()),
        ]
        answer = there.exchange(do, step="settings")
        if not answer.done or not answer.done["ok"]:
            raise GuideError(
                "The settings could not be written.", evidence=str(answer.done)
            )
    profile.with_settings(settings).save()


# --- people ------------------------------------------------------------------


@task
def people_list(
    c: Any, server: str = PRACTICE, sudo: Any = None
) -> dict[str, list[list[str]]]:
    """{domains, mailboxes, aliases}, each a list of rows."""
    guide = open_guide(server, sudo)
    with guide.server:
        return _lists(guide)


def _lists(guide: Guide) -> dict[str, list[list[str]]]:
    have = guide.exchange(tell=book.LISTS).have
    for fact in book.LISTS:
        if "error" in have[fact]:
            raise GuideError(
                f"The list of people cannot be read: {have[fact]['error']}.",
                "The chapter database should be true first.",
                "./guide apply database",
            )
    names = ("domains", "mailboxes", "aliases")
    return {n: have[f]["rows"] for n, f in zip(names, book.LISTS, strict=True)}


def _change(guide: Guide, action: Any, what: str) -> dict[str, list[list[str]]]:
    answer = guide.exchange([action], step=f"people: {what}")
    if not answer.done or not answer.done["ok"]:
        raise GuideError(
            f"The database refused: {what}.",
            "Nothing was changed.",
            "Read its words below.",
            (answer.done or {}).get("evidence", ""),
        )
    return _lists(guide)


@task
def people_add(
    c: Any, what: str, password: Any = None, server: str = PRACTICE, sudo: Any = None
) -> str:
    """Add a mailbox (an address) or a domain.  The password, when one was made."""
    guide = open_guide(server, sudo)
    with guide.server:
        if "@" not in what:
            domain = book.valid_domain(what)
            _must(
                domain not in _column(_lists(guide)["domains"]),
                f"{domain} is there already.",
            )
            _change(guide, book.add_domain(domain), f"add {domain}")
            return ""
        address = book.valid_address(what)
        lists = _lists(guide)
        _must_be_ours(lists, address)
        _must(
            address not in _column(lists["mailboxes"]),
            f"{address} has a mailbox already.",
            "./guide people password changes its password.",
        )
        made = "" if password else secrets.token_urlsafe(15)
        secret = book.valid_password(password or Secret(made))
        lists = _change(guide, book.add_mailbox(address, secret), f"add {address}")
        _must(
            address in _column(lists["mailboxes"]),
            f"{address} is still not in the list.",
        )
        return made


@task
def people_password(
    c: Any, address: str, password: Any = None, server: str = PRACTICE, sudo: Any = None
) -> str:
    """Another password for a mailbox; returned when it was made here."""
    guide = open_guide(server, sudo)
    with guide.server:
        address = book.valid_address(address)
        _must(
            address in _column(_lists(guide)["mailboxes"]),
            f"There is no mailbox {address}.",
        )
        made = "" if password else secrets.token_urlsafe(15)
        secret = book.valid_password(password or Secret(made))
        _change(guide, book.set_password(address, secret), f"password of {address}")
        return made


@task
def people_alias(
    c: Any, source: str, destination: str, server: str = PRACTICE, sudo: Any = None
) -> None:
    """Mail to `source` (or to @domain) goes to `destination`."""
    guide = open_guide(server, sudo)
    with guide.server:
        source = book.valid_address(source, catch_all=True)
        destination = book.valid_address(destination)
        lists = _lists(guide)
        _must_be_ours(lists, source)
        _must(source != destination, f"{source} cannot be forwarded to itself.")
        lists = _change(guide, book.add_alias(source, destination), f"alias {source}")
        _must(
            [source, destination] in lists["aliases"],
            f"{source} is still not in the list.",
        )


@task
def people_remove(c: Any, what: str, server: str = PRACTICE, sudo: Any = None) -> None:
    """Remove a mailbox's login, an alias or a domain; mail on disk stays."""
    guide = open_guide(server, sudo)
    with guide.server:
        what = (
            book.valid_address(what, catch_all=True)
            if "@" in what
            else book.valid_domain(what)
        )
        lists = _lists(guide)
        there = {row[0] for rows in lists.values() for row in rows}
        _must(what in there, f"There is no {what} on this server.")
        _change(guide, book.remove(what), f"remove {what}")


def _column(rows: list[list[str]]) -> list[str]:
    return [row[0] for row in rows]


def _must_be_ours(lists: dict[str, list[list[str]]], address: str) -> None:
    domain = address.rpartition("@")[2]
    _must(
        domain in _column(lists["domains"]),
        f"{domain} is no mail domain of this server.",
        f"./guide people add {domain} makes it one; its DNS must point here too.",
    )


def _must(true: bool, is_: str, do: str = "Nothing was changed.") -> None:
    if not true:
        raise GuideError(is_, "", do)


def _said(c: Any, report: Report) -> Report:
    """Under `fab` (a Connection or Context it made) nobody else shows the result."""
    if not isinstance(c, Here):
        print(report.text())
    return report
