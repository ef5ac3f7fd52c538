"""What every task works with: the guide, opened for a server this computer knows or for
the recording of one, and the world around it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, overload

from fabric import task
from invoke import Context

from ispguide.chapters import GUIDE
from ispguide.engine import problems
from ispguide.engine.actions import Action
from ispguide.engine.errors import GuideError
from ispguide.engine.facts import Fact, Have
from ispguide.engine.guide import Done, Guide, Outside
from ispguide.engine.profile import REPLAY, Profile
from ispguide.engine.report import Report
from ispguide.engine.server import Answer, Server, Watch
from ispguide.engine.settings import Secret, Settings

if TYPE_CHECKING:
    from ispguide.outside.updates import Key


PRACTICE = "practice"
Result = TypeVar("Result")
Body = Callable[..., Result]

# Who calls a task: the command line and the notebooks show what it returns.
#
# Under `fab`, which shows no results, the tasks say it themselves.


class Here(Context):  # type: ignore[misc]
    """The caller shows what a task returns (the command line, a notebook)."""


HERE = Here()


@dataclass(frozen=True)
class OnServer:
    """Tasks on one server, for whoever shows what they return: `on(tasks.look, what)`."""

    server: str
    sudo: Secret | None = None

    def __call__(
        self, task: Callable[..., Result], *words: Any, **named: Any
    ) -> Result:
        """What the task returns."""
        return task(HERE, *words, server=self.server, sudo=self.sudo, **named)


@overload
def guide_task(body: Body[Result]) -> Body[Result]: ...


@overload
def guide_task(**options: list[str]) -> Callable[[Body[Result]], Body[Result]]: ...


def guide_task(body: Any = None, **options: list[str]) -> Any:
    """A Fabric task whose function is handed the guide of a server, opened; the server
    is hung up on afterwards.

    `def look(guide, what=())` is called as `look(HERE, what, server=…, sudo=…)`.
    `options`: Fabric's own, as `iterable`, or `aliases` for what it was called before."""
    if body is None:
        return lambda given: _made(given, options)
    return _made(body, options)


def _made(body: Body[Result], options: dict[str, list[str]]) -> Any:
    @functools.wraps(body)
    def run(
        c: Any, *words: Any, server: str = PRACTICE, sudo: Any = None, **named: Any
    ) -> Result:
        guide = open_guide(server, sudo)
        with guide.server:
            return said(c, body(guide, *words, **named))

    # Fabric makes its options from it.
    own = list(inspect.signature(body).parameters.values())[1:]
    with_server = [p for p in inspect.signature(run, follow_wrapped=False).parameters.values()
                   if p.name in ("c", "server", "sudo")]  # fmt: skip
    run.__signature__ = inspect.Signature([with_server[0], *own, *with_server[1:]])  # type: ignore[attr-defined]
    return task(run, **options)


def said(c: Any, result: Result) -> Result:
    """Under `fab` (a Connection or Context it made) nobody else shows a report."""
    report = getattr(result, "report", result)
    if isinstance(report, Report) and not isinstance(c, Here):
        print(report.text())
    return result


# Opening the guide for a server this computer knows, or for the recording of one.


def open_guide(
    server: str = PRACTICE, sudo: Secret | None = None, key: Key | None = None
) -> Guide:
    """The guide for the server of that profile, with the settings it knows.

    `key`: for zones that take updates; a practice zone's lies in the lab's folder."""
    profile = known(server)
    if profile.settings is None:
        profile = _with_its_settings(profile, sudo)
    assert profile.settings
    there = open_server(profile, sudo)
    settings = problems.checked(there.profile.settings or profile.settings)
    return Guide(there, settings, GUIDE, outside_of(there, key))


def known(server: str) -> Profile:
    """The profile of that name; the recording's needs no file.  Raises GuideError."""
    if server == REPLAY and not Profile.is_known(server):
        from ispguide import replay

        return replay.profile()
    return Profile.load(server)


def open_server(profile: Profile, sudo: Secret | None = None) -> Server:
    """The server of the profile, or the recording of one."""
    if profile.replay:
        from ispguide.replay import Replay

        return Replay(profile)
    return Server(profile, sudo)


def outside_of(server: Server, key: Key | None = None) -> Outside:
    """The world around that server, or as it was seen when it was recorded."""
    if server.profile.replay:
        from ispguide.replay import Recorded

        return Recorded(server)
    return World(server, key)


#: Resolvers that half the world asks (Quad9, Cloudflare, Google): what they still
#: remember is what other people get.  Asked for a real server only.
PUBLIC = ("9.9.9.9", "1.1.1.1", "8.8.8.8")


class World:
    """The world around a server, as far as this computer can reach it.

    What does the work is loaded when it is needed: a look from near asks nobody else."""

    def __init__(self, server: Server, key: Key | None = None):
        self.server, self._key = server, key

    def sent(self, do: Sequence[Action]) -> tuple[Sequence[Action], Done | None]:
        """Changes in the DNS go out from here; the server notes them in its ledger."""
        from ispguide.outside.updates import noted, published

        failure = published(do, *self._zones())
        return [noted(action) for action in do], failure

    def confirmed(
        self,
        do: Sequence[Action],
        tell: Sequence[Fact],
        said: Answer,
        watch: Watch,
        step: str,
    ) -> Answer:
        """New rules of the firewall stay when they let us in anew."""
        from ispguide.outside.trial import confirmed, tried

        if not tried(do, said):
            return said
        return confirmed(self.server, do, tell, watch, step)

    def answers(self, asked: Sequence[Fact], told: Have) -> Have:
        """What is to be seen from here."""
        from ispguide.outside import talk

        key, resolver = self._zones()
        host = self.server.profile.host
        return talk.answers(asked, host, told, resolver, key is not None)

    def proofs(self, guide: Guide, asked: Sequence[Fact], watch: Watch) -> Have:
        """Act like a user, and look."""
        from ispguide.proofs.context import seen

        return seen(guide, asked)

    def resolvers(self) -> Sequence[str]:
        """The practice internet's, or this computer's and PUBLIC."""
        from ispguide.outside.names import own_resolvers

        if (profile := self.server.profile).resolver:
            return [profile.resolver, *profile.others.split()]
        return list(dict.fromkeys([*own_resolvers(), *PUBLIC]))

    def live(self, is_: str, should: str, do: str) -> None:
        """A server is there."""

    def _zones(self) -> tuple[Key | None, str]:
        """The key for zones that take updates, and whom to ask for names."""
        from ispguide.outside.updates import read_key

        profile = self.server.profile
        return self._key or read_key(profile.zone_key), profile.resolver


def known_settings(server: str = PRACTICE) -> Settings:
    """The settings of that server as this computer knows them."""
    return known(server).settings or open_guide(server).settings


def _with_its_settings(profile: Profile, sudo: Secret | None) -> Profile:
    """A new computer, an old server: the settings come from the server."""
    with Server(profile, sudo) as server:
        found = (server.exchange().settings or {}).get("text")
    if not found:
        raise GuideError(
            f"Neither this computer nor {profile.host} has settings for it yet.",
            "The guide should know the server's name and the mail domain.",
            f"./guide connect {profile.user}@{profile.host} --domain example.org",
            kind="no-settings",
        )
    profile = profile.with_settings(problems.read(found))
    profile.save()
    return profile


# The Fabric task that only asks: facts, without a chapter around them.
#
# `tasks` offers it with the others.  It changes nothing and judges nothing.


@guide_task
def facts_of(guide: Guide, facts: Sequence[Fact] = ()) -> Have:
    """The server's answers to these questions, in one exchange."""
    guide.exchange(tell=facts)
    return guide.have
