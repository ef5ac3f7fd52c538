"""The engine against a server that is a dict."""

import pytest

from ispguide.engine import facts
from ispguide.engine.actions import Run, Start, Write
from ispguide.engine.chapter import Chapter
from ispguide.engine.errors import CannotReachServer, NoSuchStep
from ispguide.engine.guide import verdicts
from ispguide.engine.report import Finding
from ispguide.engine.things import Check, File, Service

from .fake import SETTINGS, FakeServer, guide_of


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    """Patience is for real servers; a dict is never late."""
    monkeypatch.setattr("ispguide.engine.guide.WAITS", (0, 0))
    monkeypatch.setattr("ispguide.engine.guide.PAUSES", (0, 0))


def world(**files):
    """Files that are there, and a service that is older than none of them."""
    found = {facts.file(f"/{n}"): {"kind": "none"} for n in ("a", "b")}
    for name, text in files.items():
        found[facts.file(f"/{name}")] = file(text)
    unit = {
        "load": "loaded",
        "active": "active",
        "enabled": "enabled",
        "since": 10,
        "sub": "running",
        "result": "",
        "restarts": 0,
        "read": True,
    }
    return found | {
        facts.unit("d"): unit,
        facts.newest("/a"): {"path": "/a", "time": 5},
    }


def file(text):
    return {
        "kind": "file",
        "text": text,
        "mode": "0644",
        "owner": "root",
        "group": "root",
    }


def effect(action, there):
    if isinstance(action, Write):
        there[facts.file(action.path)] = file(action.text)
        there[facts.newest("/a")] = {"path": action.path, "time": 20}
    if isinstance(action, Start):
        there[facts.unit("d")] = there[facts.unit("d")] | {
            "since": 30,
            "active": "active",
        }


def story():
    first = Chapter("first", "First", 1)

    @first.step
    def write_a(s):
        """A file and who reads it."""
        yield File("/a", text="1\n")
        yield Service("d", reads="/a")

    second = Chapter("second", "Second", 2, needs=[first])

    @second.step
    def write_b(s):
        """Another file."""
        yield File("/b", text="2\n")

    return [first, second]


def guide(there, **more):
    return guide_of(FakeServer(there, effect, **more), SETTINGS, story())


def test_a_check_is_one_exchange_and_changes_nothing():
    g = guide(world(a="1\n"))
    report = g.check()
    assert [f.state for f in report] == ["ok", "ok", "gap"]
    assert (report.exchanges, report.actions, g.server.done) == (1, 0, [])
    assert not report.ok
    assert report.only("gap")[0].commands
    assert [f.kind for f in report] == ["", "", "missing"]


def test_apply_makes_true_and_a_second_one_does_nothing():
    g = guide(world())
    report = g.apply()
    assert [f.state for f in report] == ["fixed", "fixed", "fixed"]
    assert report.ok
    again = g.apply()
    assert (again.actions, again.exchanges) == (0, 1)
    assert [f.state for f in again] == ["ok", "ok", "ok"]


def rows(count):
    """A chapter of so many steps, each of one file, and a server that has them all."""
    long = Chapter("long", "Long", 1)
    for n in range(count):

        def step(s, n=n):
            yield File(f"/{n}", text="x\n")

        step.__name__, step.__doc__ = f"step_{n}", f"File {n}."
        long.step(step)
    there = {facts.file(f"/{n}"): file("x\n") for n in range(count)}
    return there, lambda: guide_of(FakeServer(there, effect), SETTINGS, [long])


def test_after_a_change_what_follows_is_looked_at_in_ever_longer_rows():
    there, opened = rows(60)
    there[facts.file("/0")] = {"kind": "none"}
    report = opened().apply()
    assert (report.ok, report.actions) == (True, 1)
    # look, do, then 1, 2, 4, 8, 16 and 32 steps, and a look at everything
    assert report.exchanges <= 9


def test_what_a_change_has_broken_further_on_is_seen_and_mended():
    """A step that was well before the change and is not afterwards."""
    there, opened = rows(9)
    there[facts.file("/0")] = {"kind": "none"}

    def also(action, there):
        effect(action, there)
        if action.path == "/0":
            there[facts.file("/7")] = file("y\n")

    g = opened()
    g.server.effect = also
    report = g.apply()
    assert (report.ok, report.actions) == (True, 2)
    assert [f.step for f in report if f.state == "fixed"] == ["step_0", "step_7"]


def test_a_service_follows_a_change_in_the_same_transaction():
    g = guide(world())
    g.apply("first")
    assert [type(a) for a in g.server.done] == [Write, Start]


def test_a_step_waits_for_what_it_rests_on():
    g = guide(world())
    report = g.apply("second")
    assert [f.state for f in report] == ["blocked"]
    assert report.findings[0].kind == "waits" and "write a" in report.findings[0].gap
    assert g.server.done == []


def test_one_step_alone_repairs_its_component():
    g = guide(world(a="hand\n", b="2\n"))
    assert [f.state for f in g.check()] == ["gap", "ok", "ok"]
    assert g.apply("first.write_a").ok
    assert g.check().ok


def test_a_stopped_service_does_not_block_a_later_step_that_starts_it():
    first, second = story()

    @second.step
    def write_b(s):
        """The same reader."""
        yield Service("d", reads="/a")

    there = world(a="1\n")
    there[facts.unit("d")] = there[facts.unit("d")] | {"active": "inactive"}
    g = guide_of(FakeServer(there, effect), SETTINGS, [first, second])
    assert [f.state for f in g.apply("second")] == ["fixed"]
    assert g.check().ok


def test_nor_does_it_block_the_steps_before_that_one():
    """A chapter that was edited by hand repairs itself, whoever else has its service."""
    first, second = story()

    @second.step
    def write_b(s):
        """A file that the service does not read."""
        yield File("/b", text="2\n")

    @second.step
    def read_b(s):
        """The same service as in the chapter before."""
        yield Service("d", reads="/a")

    there = world(a="1\n", b="hand\n")
    there[facts.unit("d")] = there[facts.unit("d")] | {"active": "inactive"}
    g = guide_of(FakeServer(there, effect), SETTINGS, [first, second])
    assert [f.state for f in g.apply("second.write_b")] == ["blocked"]
    assert [f.state for f in g.apply("second")] == ["fixed", "fixed"]
    assert g.check().ok


def test_two_wrong_files_that_one_test_reads_are_mended_together():
    """The service starts only when both files are right, whichever step is first."""
    first, _ = story()

    @first.step
    def write_b(s):
        """Another file of the same service."""
        yield File("/b", text="2\n")
        yield Service("d", reads="/a")

    there = world()

    class Strict(FakeServer):
        def exchange(self, do=(), tell=(), watch=lambda line: None, **more):
            written = {a.path for a in do if isinstance(a, Write)}
            right = {p for p in ("/a", "/b") if there[facts.file(p)]["kind"] == "file"}
            both = written | right == {"/a", "/b"}
            self.refuse = lambda action: isinstance(action, Start) and not both
            return super().exchange(do, tell, watch, **more)

    g = guide_of(Strict(there, effect), SETTINGS, [first])
    assert g.apply().ok
    assert g.check().ok


def test_a_failed_action_is_reported_and_what_rests_on_it_waits():
    g = guide(world(), refuse=lambda a: isinstance(a, Start))
    report = g.apply()
    assert [f.state for f in report] == ["blocked", "failed", "blocked"]
    assert [f.kind for f in report] == ["missing", "stale", "waits"]
    assert report.findings[1].evidence == "it said no"
    assert not report.ok


def test_a_fix_that_fixes_nothing_has_failed():
    g = guide_of(FakeServer(world(), lambda a, w: None), SETTINGS, story())
    assert ("failed", "missing") in [(f.state, f.kind) for f in g.apply("first")]


def test_a_later_step_that_disturbs_an_earlier_one_is_seen_and_healed():
    g = guide(world(a="1\n"))

    def disturb(action, there):
        effect(action, there)
        if isinstance(action, Write) and action.path == "/b" and not disturb.done:
            disturb.done = True
            there[facts.file("/a")] = {"kind": "none"}

    disturb.done = False
    g.server.effect = disturb
    assert g.apply().ok
    assert g.server.world[facts.file("/a")]["kind"] == "file"


def test_could_not_tell_is_neither_broken_nor_repaired():
    chapter = Chapter("c", "C", 1)

    @chapter.step
    def ask(s):
        """A question."""
        yield Check("it answers", "ask")

    server = FakeServer({facts.run("ask"): {"error": "no answer within 10 s"}}, effect)
    report = guide_of(server, SETTINGS, [chapter]).apply()
    assert [(f.state, f.kind) for f in report] == [("unknown", "unsure")]
    assert report.ok


@pytest.mark.parametrize(("late", "state"), [(2, "ok"), (3, "failed")])
def test_a_proof_that_fails_is_looked_at_twice_more(late, state):
    """Just after a restart a daemon may answer too late; the server itself is asked."""
    chapter = Chapter("c", "C", 1)

    @chapter.proof
    def ask(s):
        """A question."""
        yield Check("it answers", "ask")

    class Late(FakeServer):
        def exchange(self, do=(), tell=(), *more, **words):
            rc = int(len(self.asked) < late)
            self.asked += tell
            self.world[facts.run("ask")] = {"rc": rc, "out": "", "err": ""}
            return super().exchange(do, tell, *more, **words)

    server = Late({}, effect)
    server.asked = []
    (found,) = guide_of(server, SETTINGS, [chapter]).prove()
    assert found.state == state and len(server.asked) == 3


def test_who_cannot_be_reached_is_tried_once_and_said():
    class Gone(FakeServer):
        tries = 0

        def connect(self):
            self.tries += 1
            raise CannotReachServer("gone", "there", "look")

    server = Gone(world(), effect)
    with pytest.raises(CannotReachServer):
        guide_of(server, SETTINGS, story()).check()
    assert (server.tries, server.exchanges) == (1, 0)


def test_what_could_not_be_told_is_remembered_neither_way():
    found = [
        Finding("c", step, str(thing), state)
        for step, states in {
            "held": "ok ok", "half": "ok unknown", "lost": "ok failed unknown",
            "silent": "unknown",
        }.items()
        for thing, state in enumerate(states.split())
    ]  # fmt: skip
    assert verdicts(found) == {"c.held": True, "c.half": True, "c.lost": False}


def test_the_settings_of_the_server_win():
    other = SETTINGS.to_toml().replace('"example.test"', '"other.test"')
    g = guide(world(), settings={"text": other})
    assert g.check().exchanges == 2
    assert g.settings.domain == "other.test"


@pytest.mark.parametrize("what", ["nowhere", "first.nothing"])
def test_a_wrong_word_is_named(what):
    with pytest.raises(NoSuchStep, match="first"):
        guide(world()).check(what)


def test_registering_a_step_again_replaces_it():
    chapter = story()[0]

    @chapter.step
    def write_a(s):
        """Another body."""
        yield Check("x", "y")

    assert len(chapter.steps) == 1
    assert isinstance(next(iter(chapter["write_a"].things(SETTINGS))), Check)


def test_a_typed_password_is_in_no_report():
    run = Run("mariadb", stdin="⟦new⟧", hashes={"new": "S3cret-pw"})
    assert "S3cret-pw" not in str(run) + run.by_hand()
