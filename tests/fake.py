"""The floor, faked: a server that is a dict, and remembers what it was told to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ispguide.engine.actions import Action
from ispguide.engine.chapter import Chapter
from ispguide.engine.facts import Fact
from ispguide.engine.guide import Guide
from ispguide.engine.profile import Profile
from ispguide.engine.server import Answer, Watch, ignore
from ispguide.engine.settings import Settings
from ispguide.tasks.base import World

SETTINGS = Settings(
    "mail.example.test", "example.test", "postmaster@example.test", tls="self-signed"
)


def guide_of(
    server: FakeServer, settings: Settings, chapters: Sequence[Chapter]
) -> Guide:
    """A guide for it; of the world around it nothing is asked."""
    return Guide(server, settings, chapters, World(server))  # type: ignore[arg-type]


class FakeServer:
    """`world`: fact → answer.  `effect(action, world)` is what an action changes.

    An action for which `refuse` is true fails, as a transaction: nothing is changed.
    """

    def __init__(
        self,
        world: dict[Fact, Any],
        effect: Callable[[Action, dict[Fact, Any]], None],
        refuse: Callable[[Action], bool] = lambda action: False,
        settings: dict[str, str | None] | None = None,
    ):
        self.world, self.effect, self.refuse = world, effect, refuse
        self.settings = settings
        self.profile = Profile("", "192.0.2.1", "", settings=SETTINGS)
        self.exchanges, self.done = 0, list[Action]()

    def connect(self) -> None:
        """It is there."""

    def exchange(
        self,
        do: Sequence[Action] = (),
        tell: Iterable[Fact] = (),
        watch: Watch = ignore,
        *,
        step: str = "",
        wait: bool = False,
        proved: Mapping[str, bool] | None = None,
    ) -> Answer:
        self.exchanges += 1
        result: dict[str, Any] | None = {"ok": True} if do else None
        for index, action in enumerate(do):
            if self.refuse(action):
                result = {
                    "ok": False,
                    "failed": index,
                    "evidence": "it said no",
                    "back": [],
                }
                break
        else:
            for action in do:
                self.effect(action, self.world)
                self.done.append(action)
        settings, self.settings = self.settings, None
        return Answer({f: self.world[f] for f in tell}, result, settings, None)

    def close(self) -> None:
        """Nothing to hang up."""

    def __enter__(self) -> FakeServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
