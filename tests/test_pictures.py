"""The pictures: what is drawn, in which colours, with which words.

How they look in JupyterLab is seen in tests/browser; with a real server in
tests/practice."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest

from ispguide import tasks
from ispguide.chapters import GUIDE
from ispguide.engine import facts
from ispguide.engine.errors import GuideError
from ispguide.engine.overview import overview
from ispguide.engine.profile import Profile
from ispguide.engine.report import Finding, Report
from ispguide.engine.words import DAY
from ispguide.mail.log import traffic
from ispguide.mail.log.hops import STATIONS, Hop
from ispguide.mail.log.journal import Judged
from ispguide.mail.measures import certificate, mailboxes
from ispguide.notebook import journey, measures, pictures, switch
from ispguide.notebook.card import CARDS
from ispguide.notebook.work import worker
from ispguide.tasks import components
from ispguide.tasks.components import PART_STATES, PARTS, UNSEEN, PartState
from ispguide.views import diagram, watching
from ispguide.views import journey as shown
from ispguide.views.diagram import as_text
from tests.fake import SETTINGS

EVIL = "<script>alert('x')</script>&\""


@pytest.fixture
def known(tmp_path, monkeypatch) -> Iterator[None]:
    """A practice server that nobody reaches: the tasks are stand-ins."""
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    monkeypatch.delenv("ISPGUIDE_CELLS", raising=False)
    Profile("practice", "192.0.2.1", "", practice=True, settings=SETTINGS).save()
    yield
    for card in list(CARDS.values()):
        card.close()
    CARDS.clear()


def drawn(html: str) -> ET.Element:
    """The first drawing, which must be whole."""
    return ET.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])


def words_in(svg: ET.Element) -> str:
    """What is written in it, without its title and description."""
    return " ".join(
        node.text or "" for node in svg.iter() if node.tag.endswith("}text")
    )


def report(**gaps: str) -> Report:
    """All steps true, but those named chapter__step=gap."""
    found = []
    for chapter in GUIDE:
        for step in chapter.steps:
            gap = gaps.get(f"{chapter.name}__{step.name}", "")
            state = "gap" if gap else "ok"
            found.append(Finding(chapter.name, step.name, "a thing", state, gap))
    return Report(tuple(found))


RUNS = {"load": "loaded", "active": "active"}


def states_of(
    found: Report, made: tuple[str, ...] = (), **units: dict
) -> dict[str, PartState]:
    ledger = [{"step": name, "time": 1.0, "ok": True} for name in made]
    seen = overview(GUIDE, found, ledger, {})
    have = dict.fromkeys(components.UNITS, RUNS)
    have |= {facts.unit(name.replace("_", "-")): u for name, u in units.items()}
    return {s.part.key: s for s in components.states(seen, have)}


# --- components --------------------------------------------------------------


def test_every_step_named_exists():
    names = {str(step) for chapter in GUIDE for step in chapter}
    chapters = {chapter.name for chapter in GUIDE}
    for part in PARTS:
        for step in part.steps:
            assert step in names | chapters | {"dns"}, step


def test_every_component_has_its_place():
    assert {part.key for part in PARTS} == {*diagram.PLACES, "machine"}


def test_all_true_and_a_gap_and_a_drift():
    assert {s.state for s in states_of(report()).values()} <= {"true", "later"}
    found = states_of(report(spam__redis="no file"), made=())
    assert (found["redis"].state, found["redis"].why) == ("open", "no file")
    assert found["rspamd"].state == "true"
    found = states_of(report(spam__redis="other"), made=("spam.redis",))
    assert found["redis"].state == "drifted"


def test_a_stopped_unit_says_so_and_a_missing_one_is_open():
    found = states_of(report(), mariadb={"load": "loaded", "active": "failed"})
    assert (found["mariadb"].state, found["mariadb"].why) == (
        "stopped",
        "mariadb is failed.",
    )
    found = states_of(report(), rspamd={"load": "not-found", "active": "inactive"})
    assert found["rspamd"].state == "open"
    found = states_of(report(), rspamd={"error": "no answer within 10 s"})
    assert found["rspamd"].state == "unknown"


def test_a_chapter_that_is_not_here_comes_later():
    part = components.Part("x", "X", "to come", "nowhere", ("nowhere",))
    (state,) = components.states(overview(GUIDE, report(), [], {}), {}, [part])
    assert state.state == "later" and part.told_in is None
    html = diagram.big_picture([PartState(part, "later")])
    assert drawn(html) is not None


# --- the big picture ---------------------------------------------------------


def test_each_state_is_a_shape_and_a_word():
    for state, (sign, word) in PART_STATES.items():
        svg = drawn(diagram.big_picture([PartState(PARTS[2], state)]))
        assert f"{sign} {word}" in words_in(svg)


def test_the_chapter_lights_up_its_components():
    plain, lit = (words_in(drawn(diagram.big_picture(UNSEEN, c))) for c in ("", "spam"))
    assert "▶" not in plain
    for name in ("▶ rspamd", "▶ Redis", "▶ Sieve"):
        assert name in lit
    assert "▶ MariaDB" not in lit


def test_it_has_a_title_a_description_and_links_with_names():
    html = diagram.big_picture(UNSEEN)
    svg = drawn(html)
    own = svg.attrib["aria-labelledby"].split()
    ids = {node.attrib["id"]: node for node in svg.iter() if "id" in node.attrib}
    assert all(ids[name].text for name in own)
    links = [n for n in svg.iter() if n.tag.endswith("}a")]
    assert len(links) >= 11
    for link in links:
        assert link.attrib["href"].endswith(".ipynb") and link.attrib["aria-label"]
    assert html.count("<tr>") == len(PARTS) + 1


def test_two_of_them_on_a_page_share_no_id():
    both = [diagram.big_picture(UNSEEN), diagram.big_picture(UNSEEN)]
    first, second = (set(re.findall(r'\bid="([^"]+)"', html)) for html in both)
    assert first and not first & second


def test_what_the_server_said_is_escaped():
    html = diagram.big_picture([PartState(PARTS[2], "open", EVIL)])
    assert "<script>" not in html and "&lt;script&gt;" in html
    hop = Hop(0.1, "postfix", EVIL, EVIL, EVIL)
    assert "<script>" not in shown.timeline([hop])
    row = traffic.Waiting("1", "deferred", 9.0, EVIL, (EVIL,), EVIL)
    assert "<script>" not in watching.queue_html([row])
    box = mailboxes.Box(EVIL, 1, 10, 0)
    assert "<script>" not in watching.mailboxes_html([box])


def test_the_whole_in_lines():
    text = as_text(UNSEEN)
    assert len(text.splitlines()) == len(PARTS)
    assert "… MariaDB (the address book" in text


@pytest.mark.parametrize(
    ("states", "state", "word"),
    [
        (["proved", "true", "later"], "ok", "2 of 2"),
        (["proved", "drifted"], "gap", "1 of 2"),
        (["open", "stopped"], "failed", "0 of 2"),
        (["true", "unknown"], "unknown", "1 of 2"),
    ],
)
def test_the_worst_decides(states, state, word):
    found = [PartState(PARTS[0], s) for s in states]
    assert journey.summary(found)[0] == state
    assert journey.summary(found)[1].startswith(word)


# --- the journey -------------------------------------------------------------

HOPS = [
    Hop(0.0, "stranger", "knocks", "He knocks.", "S: 220"),
    Hop(0.3, "dovecot", "puts it into INBOX", "There."),
    Hop(0.1, "postfix", "answers 250", "Yes."),
]


def test_hops_stand_in_order_with_their_times():
    html = shown.timeline(HOPS)
    places = [html.index(w) for w in ("0.000 s", "0.100 s", "0.300 s")]
    assert places == sorted(places)
    assert "It arrived, 0.30 seconds after the stranger knocked." in html
    assert html.count("<details>") == 1, "only where something was said"
    assert "On its way" in shown.timeline(HOPS[:1], under_way=True)


def test_stations_are_passed_refused_or_not_reached():
    no = Hop(0.2, "rspamd", "gives it 15.0 points", "Spam.", state="no")
    said = words_in(drawn(shown.strip([HOPS[0], no])))
    assert "✓ at 0.00 s" in said and "✗ refused" in said
    assert said.count("· not reached") == len(STATIONS) - 2


@pytest.mark.parametrize(
    ("state", "words"), [("no", "✗ It was refused"), ("wait", "‖ It waits")]
)
def test_other_ends(state, words):
    hop = Hop(0.5, "postfix", "answers 4xx", "…", state=state)
    assert shown.hops_told([hop]).startswith(words)
    assert "not been seen" in shown.hops_told([])
    assert shown.hops_text([hop]).splitlines()[1].startswith("  0.500 s")


# --- plots -------------------------------------------------------------------

WAITING = [
    traffic.Waiting("A1", "deferred", 90000.0, "a@b.test", ("c@d.test",), "timed out")
]
JUDGED = [
    Judged(1e9 + i, "m", "q", action, score, 15.0, ())
    for i, (action, score) in enumerate(
        [
            ("no action", -2.0),
            ("add header", 7.0),
            ("reject", 21.0),
            ("soft reject", 5.0),
        ]
    )
]
CERT = certificate.Certificate(0.0, 90 * DAY, 45 * DAY, "R10", ("mail.example.test",))
PLOTS = {
    "queue": lambda: watching.queue_html(WAITING),
    "scores": lambda: watching.scores_html((JUDGED, SETTINGS)),
    "mailboxes": lambda: watching.mailboxes_html(
        [mailboxes.Box("a@b.test", 3, 95, 100)]
    ),
    "certificate": lambda: watching.certificate_html(CERT),
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_follows_the_theme_and_speaks(name):
    html = PLOTS[name]()
    svg = drawn(html)
    assert svg.attrib["role"] == "img" and svg.find("{*}title") is not None
    text = ET.tostring(svg, encoding="unicode")
    assert "var(--jp-ui-font-color1" in text
    assert not re.findall(r"#0102\w\w", text), "a stand-in was left"
    assert not re.findall(r"(?:fill|stroke): #(?!none)\w{6}", text), (
        "a colour of its own"
    )
    assert "<metadata" not in text and "{*}text" not in text
    assert svg.findall(".//{*}text"), "text stays text"
    assert "the numbers as a table" in html and html.count('<th scope="col">') >= 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("queue", ["1 day or more", "mails that wait"]),
        ("scores", ["from 6: Junk", "from 15: refused", "let in", "come again"]),
        ("mailboxes", ["a@b.test", "95 bytes of 100 bytes, 3 mails", "limit"]),
        ("certificate", ["issued", "now", "renewal due", "end"]),
    ],
)
def test_what_a_plot_says(name, words):
    said = words_in(drawn(PLOTS[name]()))
    for word in words:
        assert word in said


def test_nothing_to_draw_is_said_in_words():
    for html in (
        watching.queue_html([]), watching.scores_html(([], SETTINGS)), watching.mailboxes_html([]),
    ):  # fmt: skip
        assert "<svg" not in html and "<p>" in html and len(html) > 30


def test_matplotlib_is_loaded_only_by_a_plot():
    code = (
        "import sys; from ispguide.notebook import pictures; "
        "from ispguide.notebook import journey, measures; "
        "from ispguide.views.watching import queue_html; "
        "print('matplotlib' in sys.modules); "
        "from ispguide.mail.log.traffic import Waiting; "
        "queue_html([Waiting('1','active',1.0,'a',('b',))]); "
        "print('matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert out.stdout.split() == ["False", "True", "False"]
    assert out.stderr == ""


# --- cards -------------------------------------------------------------------


def test_the_card_is_drawn_before_anybody_is_asked(known, monkeypatch):
    gate = threading.Event()

    def parts(*_: object, **__: object) -> object:
        gate.wait(5)
        return [PartState(part, "proved") for part in PARTS]

    monkeypatch.setattr(tasks, "parts", parts)
    card = pictures.big_picture("postfix")
    assert "… not looked yet" in card.body.value
    gate.set()
    worker(switch.current()).join()
    assert "✔ proved" in card.body.value
    assert "14 of 14 components are well" in card.head.value


def test_a_letter_leaves_only_when_a_button_is_pressed(known, monkeypatch):
    sent = []

    def travel(_, kind, to, server, sudo, tell):
        sent.append((kind, to))
        for hop in HOPS:
            tell(hop)
        return HOPS

    monkeypatch.setattr(tasks, "travel", travel)
    card = pictures.journey()
    worker(switch.current()).join()
    assert sent == []
    card.to.value = " anna@example.test "
    card.bar.children[0].click()
    worker(switch.current()).join()
    assert sent == [("letter", "anna@example.test")]
    assert "It arrived" in card.body.value and "arrived" in card.head.value
    card.bar.children[2].click()
    worker(switch.current()).join()
    assert sent[1] == ("nobody", ""), "nobody is not whom the reader chose"
    assert "✗" in card.head.value, "a letter to nobody that arrives is no good news"


def test_a_journey_that_breaks_shows_how_far_it_came(known, monkeypatch):
    def travel(_, kind, to, server, sudo, tell):
        tell(HOPS[0])
        raise GuideError("It is so.", "It should be.", "Do this.", kind="journey-ended")

    monkeypatch.setattr(tasks, "travel", travel)
    card = journey.JourneyCard()
    card.send("letter")
    worker(switch.current()).join()
    for words in ('data-kind="journey-ended"', "It is so.", "Do this.", "He knocks."):
        assert words in card.body.value


def test_hops_appear_while_the_letter_is_under_way(known, monkeypatch):
    half, rest = threading.Event(), threading.Event()

    def travel(_, kind, to, server, sudo, tell):
        tell(HOPS[0])
        half.set()
        rest.wait(5)
        return HOPS

    monkeypatch.setattr(tasks, "travel", travel)
    card = journey.JourneyCard()
    seen = threading.Event()
    card.body.observe(lambda c: "He knocks." in c["new"] and seen.set(), names="value")
    card.send("letter")
    assert half.wait(5) and seen.wait(1), "each hop is seen within a second"
    assert "On its way" in card.body.value
    rest.set()
    worker(switch.current()).join()
    assert "It arrived" in card.body.value


@pytest.mark.parametrize("name", measures.MEASURES)
def test_a_measure_that_cannot_be_taken_is_said(known, monkeypatch, name):
    def refuse(*_: object, **__: object) -> object:
        raise GuideError("No queue.", "There should be.", "Run chapter 06.")

    measure = measures.MEASURES[name]
    stand_in = measures.Measure(measure.title, refuse, measure.words, measure.html)
    monkeypatch.setitem(measures.MEASURES, name, stand_in)
    card = getattr(pictures, name)()
    worker(switch.current()).join()
    assert "Run chapter 06." in card.body.value


def test_running_a_cell_again_leaves_one_card(known, monkeypatch):
    monkeypatch.setattr(tasks, "parts", lambda *_, **__: UNSEEN)
    for _ in range(5):
        pictures.big_picture("spam")
        pictures.journey()
    worker(switch.current()).join()
    assert sorted(CARDS) == ["big-picture.spam", "journey"]


def test_looking_only_a_script_sends_nothing(known, monkeypatch):
    monkeypatch.setenv("ISPGUIDE_CELLS", "look")
    assert "did not begin" in repr(pictures.journey())


def test_without_a_server_the_picture_is_still_drawn(tmp_path, monkeypatch):
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))
    monkeypatch.setenv("ISPGUIDE_CELLS", "look")
    html = pictures.big_picture()._repr_html_()
    assert 'data-kind="no-such-server"' in html and "<svg" in html
    assert "'practice'" in repr(pictures.queue())
