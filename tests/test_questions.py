"""Questions: answers judged against what a server says, and against known choices."""

from __future__ import annotations

import json
from datetime import date

import pytest

from ispguide.engine.errors import GuideError
from ispguide.engine.settings import Settings
from ispguide.mail.people import MAILBOXES
from ispguide.notebook import questions
from ispguide.notebook.card import CARDS
from ispguide.quiz import judges, judging
from ispguide.quiz.asked import ASKED, BY_TEXT
from tests.test_notebooks import NOTEBOOKS

S = Settings("mail.example.test", "example.test", "postmaster@example.test")
CERT = judging.certificate_end(S)


def ran(out: str, rc: int = 0, err: str = "") -> dict:
    return {"rc": rc, "out": out, "err": err}


HAVE = {
    judging.NAME: ran("mail.example.test\n"),
    judging.POSTFIX: "3.7.11-0+deb12u1",
    CERT: ran("notAfter=Nov  4 20:37:51 2031 GMT\n"),
    judging.RIGHTS: {"rows": [["SELECT"]]},
    judges.RUNS_AS: ran("nobody\n"),
    judges.PASSWORD_RIGHTS: {"rows": [["UPDATE"]]},
    judging.roots_mail(S): ran("postmaster@example.test\n"),
    judges.LISTENING: [
        ["127.0.0.1", 4190, "dovecot"],
        ["0.0.0.0", 993, "dovecot"],
        ["0.0.0.0", 143, "dovecot"],
        ["0.0.0.0", 465, "master"],
    ],
    judges.QUEUE: ran('{"queue_name": "deferred"}\n{"queue_name": "active"}\nend\n'),
    MAILBOXES: {
        "rows": [["anna@example.test", "0", "1"], ["dmarc@example.test", "0", "1"]]
    },
    judges.LIMIT: {"rows": [["2000000000"]]},
    judges.POSTMASTER: {"rows": [["postmaster@example.test", "anna@example.test"]]},
    judges.SUBMISSION: ran("encrypt\n"),
    judges.mx(S): {
        "zone": "example.test",
        "ttl": 60,
        "servers": {
            "ns1": {"values": ["10 mail.example.test."]},
            "ns2": {"error": "-"},
        },
    },
    judges.KEYS: ran(
        "now\t1800000000\ndomain\texample.test\n"
        "key\texample.test.a1.key\tyes\t440\troot:_rspamd\t1\tPUBLIC\n"
        "key\texample.test.b2.key\tyes\t440\troot:_rspamd\t2\tPUBLIC\n"
        "listed\t1799999999\nmap\texample.test b2\nend\n"
    ),
    judges.TRIES: ran("10\n"),
    judges.SOFT: ran("no\n"),
    judges.BACKUPS: ran('[{"short_id": "a1"}, {"short_id": "b2"}]'),
    judges.UPDATES: ran("3\n"),
    judges.ACTIONS: ran(
        "*** Section ***\nreject = 15;\nadd_header = 6;\ngreylist = 4;\n"
    ),
}
BY_NUMBER = {int(asked.cell[:2]): asked for asked in ASKED}
#: Number of the chapter → answers that are right, that are wrong, that cannot be judged.
ANSWERS = {
    2: (["mail.example.test", "`Mail.example.test.`"], ["mail", "localhost"], []),
    3: (["3.7.11", "3.7", "Postfix 3.7.11-0+deb12u1"], ["3", "3.1", "3.8"], []),
    4: (
        ["2031-11-04", "4.11.2031", "Nov 4 20:37:51 2031 GMT", "4 November 2031"],
        ["2031-11-05", "4.12.2031"],
        ["soon", "31.31.2031", "November"],
    ),
    5: (["SELECT", "it may read", "only select"], ["select and insert", "ALL"], ["?"]),
    6: (["postmaster@example.test", "<postmaster@example.test>"], ["root"], []),
    7: (["993", "port 993"], ["143", "995", "465", "4190", "80"], ["many"]),
    8: (["2", "2 letters"], ["0", "none", "3"], ["some", "2 or 3"]),
    9: (["anna@example.test"], ["ben@example.test", "anna"], []),
    10: (["2000", "2000 MB"], ["2", "2000000000", "none"], ["much"]),
    11: (["UPDATE", "it may update"], ["select", "UPDATE and SELECT"], ["?"]),
    12: (["encrypt", "Encrypt."], ["may", "yes"], []),
    14: (["mail.example.test", "10 mail.example.test."], ["example.test"], []),
    15: (["b2", "B2", "b2._domainkey.example.test"], ["a1", "dkim"], []),
    18: (["2", "two: 2"], ["1", "none"], ["many"]),
    13: (["15", "from 15 on", "15.0"], ["6", "14"], ["high"]),
    17: (["nobody", "`nobody`"], ["www-data", "root"], []),
    19: (["3", "three: 3"], ["0", "none"], ["some"]),
    20: (["2", "two: 2", "2 backups"], ["0", "3"], ["some"]),
    21: (["off", "No."], ["on", "yes"], ["perhaps"]),
    16: (["10", "after 10 guesses"], ["5", "9"], ["some"]),
}
CASES = [
    (BY_NUMBER[i], said, right)
    for i, lists in sorted(ANSWERS.items())
    for right, answers in zip((True, False, None), lists, strict=True)
    for said in answers
]


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("ISPGUIDE_HOME", str(tmp_path))


@pytest.mark.parametrize(("asked", "said", "right"), CASES)
def test_answers_are_judged(asked, said, right):
    verdict = asked.judged(said, HAVE, S)
    assert verdict.right is right, verdict
    assert verdict.so.endswith(".")


@pytest.mark.parametrize("asked", ASKED, ids=lambda a: a.cell)
def test_nobody_is_wrong_when_the_server_cannot_say(asked):
    for have in ({}, {asked.fact(S): {"error": "no answer within 10 s"}}):
        said = next(s for a, s, right in CASES if a is asked and right)
        assert asked.judged(said, have, S).right is None


def test_a_wrong_answer_hears_why():
    def why(i: int, said: str) -> str:
        return BY_NUMBER[i].judged(said, HAVE, S).why

    assert "short name" in why(2, "mail")
    assert "universal time" in why(4, "2031-11-05")
    assert "INSERT" in why(5, "select, insert")
    assert "agree to encrypt" in why(7, "143")
    assert "leave out" in why(7, "995")
    assert "bytes" in why(10, "2000000000")
    assert "not even read" in why(11, "select")
    assert "port 25" in why(12, "may")
    assert "Junk" in why(13, "6")
    assert "not its turn" in why(15, "a1")
    assert "second word" in why(15, "example")


def test_a_day_in_other_orders():
    assert judging.day("24.12.2030") == judging.day("2030-12-24") == date(2030, 12, 24)
    assert judging.day("notAfter=Dec 24 10:00:00 2030 GMT") == date(2030, 12, 24)


@pytest.mark.parametrize("choices", questions.known_choices().values())
def test_choices_have_one_right_answer_and_reasons(choices):
    assert [c.right for c in choices.choices].count(True) == 1
    assert all(c.why.endswith((".", "?")) for c in choices.choices)
    right = next(c for c in choices.choices if c.right)
    assert choices.judged(right.say).right is True
    assert choices.judged("nothing of it").right is None


@pytest.mark.parametrize(
    "question", [*ASKED, *questions.known_choices().values()], ids=lambda q: q.cell
)
def test_where_to_look_is_a_cell(question):
    name, _, cell = question.cell.partition("#")
    cells = json.loads((NOTEBOOKS / name).read_text())["cells"]
    assert cell in {c["id"] for c in cells}


def test_without_widgets_the_answer_is_folded(monkeypatch):
    monkeypatch.setenv("ISPGUIDE_CELLS", "look")
    for text in (ASKED[0].text, *questions.known_choices()):
        html = questions.ask("server", text)._repr_html_()
        assert "<details>" in html


def test_an_unknown_question_says_so():
    with pytest.raises(GuideError) as stop:
        questions.ask("server", "How are you?")
    assert stop.value.kind == "no-such-question"


def test_what_was_typed_is_escaped_and_not_kept(monkeypatch):
    monkeypatch.delenv("ISPGUIDE_CELLS", raising=False)
    card = questions.ask("server", ASKED[0].text)
    card.field.unobserve_all("value")
    card.field.value = "<b>canary</b>"
    card.tell(ASKED[0].judged(card.said(), HAVE, S), card.said())
    assert "&lt;b&gt;canary" in card.body.value
    assert "canary" not in str(card._repr_mimebundle_()) + card.static()
    card.close()
    CARDS.pop(card.key)


def test_a_choice_is_judged_on_the_card(monkeypatch):
    monkeypatch.delenv("ISPGUIDE_CELLS", raising=False)
    text, known = next(iter(questions.known_choices().items()))
    card = questions.ask("server", text)
    card.check()
    assert "Choose one" in card.body.value
    for choice in known.choices:
        card.field.value = choice.say
        card.check()
        assert ("right" in card.head.value.lower()) is choice.right
    card.close()
    CARDS.pop(card.key)


def test_every_question_is_asked_somewhere():
    asked = {
        "".join(c["source"]).split(".ask(", 1)[1].rstrip(")")
        for path in NOTEBOOKS.glob("*.ipynb")
        for c in json.loads(path.read_text())["cells"]
        if c["cell_type"] == "code" and ".ask(" in "".join(c["source"])
    }
    wanted = {*BY_TEXT, *questions.known_choices()}
    assert {json.loads(text) for text in asked} == wanted
