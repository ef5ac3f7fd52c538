"""The inside of a card: what a report says, for people and for screen readers."""

from markupsafe import Markup

from ispguide.chapters import GUIDE
from ispguide.engine.report import STATES, Finding
from ispguide.views import findings

from .fake import SETTINGS

LINKS = {"virtual domains": Markup('<a href="x">there</a>')}


def row(state, **more):
    return findings.findings_html(
        [Finding("c", "s", "a <thing>", state, **more)], LINKS
    )


def test_every_state_is_a_shape_and_a_word():
    for state, (sign, word) in STATES.items():
        assert f"{sign} {word}" in row(state)


def test_what_came_from_a_server_is_text():
    html = row("gap", gap="-<script>\n+x", commands=("rm <x>",), evidence="<b>")
    assert "<script>" not in html and "<b>" not in html and "<x>" not in html


def test_a_failure_says_is_should_be_do_now_with_the_evidence_folded():
    html = row("failed", gap="It is so.", evidence="exit code 1")
    is_, should, do = (
        html.index(f"<dt>{w}</dt>") for w in ("is", "should be", "do now")
    )
    assert is_ < should < do < html.index("<summary>evidence</summary>")


def test_what_waits_leads_to_what_it_waits_for():
    html = row("blocked", gap="First make “virtual domains” true (chapter postfix): …")
    assert LINKS["virtual domains"] in html


def test_by_hand_is_there_to_be_typed():
    assert "<pre>postfix reload</pre>" in row(
        "gap", gap="x", commands=("postfix reload",)
    )


def test_the_worst_state_counts():
    found = [Finding("c", "s", "t", state) for state in ("ok", "gap", "fixed")]
    assert findings.worst(found) == "gap"
    assert findings.worst([]) == ""


def test_a_step_shows_its_files_with_comments_and_its_source():
    chapter = next(c for c in GUIDE if c.name == "postfix")
    html = findings.about_step(chapter["virtual_domains"], SETTINGS)
    assert "/etc/postfix/mysql-virtual-mailbox-domains.cf, with its comments" in html
    assert "⟦mailserver⟧" in html and "def virtual_domains(s)" in html


def test_sixty_things_are_a_row_each():
    gap = "/etc/x differs:\n" + "\n".join(
        f"-line {n} old\n+line {n} new" for n in range(20)
    )
    found = [Finding("c", "s", f"thing {n}", "gap", gap, ("do",)) for n in range(60)]
    html = findings.findings_html(found, LINKS)
    assert html.count("<tr>") == 61
