"""Which tests run, in which order, and where their time goes.

Two suites: what `thorough` marks runs with `--thorough` alone, and the table in
tests/README.md says why.  Nothing is skipped: what is not asked for is not collected.
Sources: https://docs.pytest.org/en/stable/reference/reference.html#hooks
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
#: The notebooks build the server that all others wait for, so they come first.
BUILDER = "practice/test_notebooks_run.py"
#: Then what needs no built server, for those who would have to wait: what needs none,
#: one that has begun, one built halfway, one built up to chapter 13.
MEANWHILE = (
    "browser/test_cards.py",
    "practice/test_lab.py",
    "practice/test_front_door.py",
    "practice/test_wrong_machine.py",
    "practice/test_nothing_piles_up.py",
    "browser/test_reading.py",
    "practice/test_way_in.py",
    "practice/test_faults.py",
    "practice/test_tamper_early.py",
    "browser/test_repair.py",
    "browser/test_walk.py",
    "browser/test_interrupted.py",
    "practice/test_tamper_later.py",
    "practice/test_webmail.py",
    "practice/test_people.py",
    "practice/test_quotas.py",
)
#: The longest first, lest one of them be left over at the end.
LONG = (
    "recording", "run_all", "tamper", "moving", "backup", "brute_force", "world", "dns",
    "smarthost", "pictures", "domains", "webmail", "dkim", "main_job",
)  # fmt: skip
#: The folders whose tests need a practice server.
SERVERS = ("practice", "browser")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ispguide")
    group.addoption("--thorough", action="store_true", help="all tests, half an hour")
    group.addoption("--quick", action="store_true", help="those without a server")
    group.addoption("--order", type=int, metavar="SEED", help="in a random order")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "thorough: in the thorough suite alone")
    config.addinivalue_line(
        "markers", "story: the tests of this file go on from one another"
    )
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Durations())


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if config.getoption("quick") and collection_path.name in SERVERS:
        return True
    return None


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    if not config.getoption("thorough"):
        asked: dict[bool, list[pytest.Item]] = {True: [], False: []}
        for item in items:
            asked[not item.get_closest_marker("thorough")].append(item)
        config.hook.pytest_deselected(items=asked[False])
        items[:] = asked[True]
    seed = config.getoption("order")
    if seed is None:
        items.sort(key=_turn)
    else:
        items[:] = _shuffled(items, random.Random(seed))


def _turn(item: pytest.Item) -> tuple[int, int]:
    """Where its file stands; within one, and among equals, the order stays."""
    place = item.path.relative_to(HERE)
    if place.as_posix() == BUILDER:
        return 0, 0
    if place.as_posix() in MEANWHILE:
        return 2, MEANWHILE.index(place.as_posix())
    if place.parts[0] not in SERVERS:
        return 1, 0
    name = place.stem.removeprefix("test_")
    return (3, LONG.index(name)) if name in LONG else (4, 0)


def _shuffled(items: list[pytest.Item], chance: random.Random) -> list[pytest.Item]:
    """Files in any order, and the tests of each; a story stays in its own."""
    files: dict[Path, list[pytest.Item]] = defaultdict(list)
    for item in items:
        files[item.path].append(item)
    for tests in files.values():
        if not tests[0].get_closest_marker("story"):
            chance.shuffle(tests)
    paths = list(files)
    chance.shuffle(paths)
    return [item for path in paths for item in files[path]]


_running: list[pytest.Item] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    _running[:] = [item]
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any) -> Iterator[None]:
    """Its time, without that of the fixtures it asks for, goes with the test's report."""
    begin = time.monotonic()
    try:
        return (yield)
    finally:
        took = time.monotonic() - begin
        for item in _running:
            item.user_properties.append((f"fixture {fixturedef.argname}", took))


class Durations:
    """Sums of seconds by file and by fixture, printed where --durations is given."""

    def __init__(self) -> None:
        self.files: defaultdict[str, float] = defaultdict(float)
        self.fixtures: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.files[report.location[0]] += report.duration
        if report.when == "teardown":
            for name, seconds in report.user_properties:
                if str(name).startswith("fixture "):
                    self.fixtures[str(name)] += float(str(seconds))

    def pytest_terminal_summary(self, terminalreporter: Any, config: Any) -> None:
        if config.option.durations is None:
            return
        terminalreporter.section("seconds by file and by fixture")
        for sums in (self.files, self.fixtures):
            for name, seconds in sorted(sums.items(), key=lambda row: -row[1]):
                if seconds >= 1:
                    terminalreporter.write_line(f"{seconds:8.1f}  {name}")
