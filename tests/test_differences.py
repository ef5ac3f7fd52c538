"""Differences as HTML: marked words, and nothing of a server taken for HTML."""

from ispguide.engine.report import difference_html

DIFF = """/etc/x differs from what it should be:
--- /etc/x (now)
+++ /etc/x (should be)
@@ -1,3 +1,3 @@
 # a comment
-port = 26
+port = 25
 end"""


def test_only_the_changed_word_is_marked():
    html = difference_html(DIFF)
    assert "<del>-port = <mark>26</mark></del>" in html
    assert "<ins>+port = <mark>25</mark></ins>" in html
    assert " # a comment\n" in html


def test_the_names_of_the_files_are_not_compared():
    head = [line for line in difference_html(DIFF).split(">") if "/etc/x (" in line]
    assert head and not any("mark" in line for line in head)


def test_lines_without_a_partner_are_whole():
    assert (
        difference_html("-a\n-b\n+a") == "<del>-a</del>\n<del>-b</del>\n<ins>+a</ins>\n"
    )


def test_a_hostile_server_stays_text():
    html = difference_html("-<img src=x onerror=alert(1)>\n+<b>&amp;")
    assert "<img" not in html and "<b>" not in html
    assert "&lt;" in html


def test_plain_sentences_pass_unchanged():
    assert difference_html("It is so.") == "It is so.\n"
