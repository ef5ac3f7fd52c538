"""Reports: text, HTML and JSON say the same, and nothing of the server runs in a page."""

import json

from ispguide.engine.report import Finding, Report

EVIL = "<script>alert(1)</script>"
REPORT = Report(
    (
        Finding("c", "s", "fine", "ok", seconds=0.5),
        Finding(
            *("c", "s", f"odd {EVIL}", "gap", f"-old {EVIL}\n+new", ("do this",)),
            kind="differs",
        ),
        Finding("c", "t", "off", "failed", "It is off.", evidence=EVIL),
        Finding("c", "t", "dark", "unknown", "Could not tell."),
    ),
    exchanges=1,
    seconds=1.25,
    notes=("practice server",),
)


def test_could_not_tell_is_not_broken():
    assert not REPORT.ok
    assert Report(REPORT.findings[::3]).ok


def test_html_escapes_what_the_server_said_and_marks_changes():
    html = REPORT._repr_html_()
    assert EVIL not in html
    assert "<ins>+<mark>new</mark></ins>" in html
    assert "by hand" in html
    assert "practice server" in html


def test_text_leaves_out_what_is_simply_true():
    text = REPORT.text()
    assert "fine" not in text
    assert "fine" in REPORT.text(verbose=True)
    assert "✗ off: failed" in text
    assert "1 true, 1 not so yet, 1 failed, 1 could not tell" in text


def test_json_has_the_contract():
    found = json.loads(json.dumps(REPORT.as_dict()))
    assert set(found) == {"ok", "exchanges", "actions", "seconds", "findings"}
    assert set(found["findings"][0]) == {
        "chapter",
        "step",
        "thing",
        "state",
        "kind",
        "gap",
        "seconds",
    }


def test_frame_has_a_row_a_thing():
    assert list(REPORT.frame["state"]) == ["ok", "gap", "failed", "unknown"]
    assert list(REPORT.frame["kind"]) == ["", "differs", "", ""]


def test_reports_add_up():
    both = REPORT + REPORT
    assert (len(both), both.exchanges, both.seconds) == (8, 2, 2.5)
