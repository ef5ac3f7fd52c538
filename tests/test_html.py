"""HTML from words: everything is escaped that is not Markup, and nothing twice."""

from markupsafe import Markup

from ispguide.views import html


def test_cells_are_escaped_and_markup_is_not():
    link = Markup('<a href="x">there</a>')
    made = html.table(("a <b>",), [("c & d",), (link,), (3,)])
    assert made == (
        '<table><thead><tr><th scope="col">a &lt;b&gt;</th></tr></thead><tbody>'
        '<tr><td>c &amp; d</td></tr><tr><td><a href="x">there</a></td></tr>'
        "<tr><td>3</td></tr></tbody></table>"
    )


def test_a_whole_cell_and_a_whole_row_stay_as_they_are():
    row = html.row((html.state("✓ <ok>"), "x"), kind="missing")
    assert row == (
        '<tr data-kind="missing"><td class="state">✓ &lt;ok&gt;</td><td>x</td></tr>'
    )
    assert html.table((), [row, (html.label("y"),)]) == (
        f'<table>{row}<tr><th scope="row">y</th></tr></table>'
    )


def test_an_empty_table_may_say_so():
    assert '<td colspan="2">none yet</td>' in html.table("ab", (), none="none yet")
    assert "<tbody></tbody>" in html.table("ab", ())


def test_pieces_and_attributes():
    assert html.each("<li>{}</li>", ["<", Markup("<b>")]) == "<li>&lt;</li><li><b></li>"
    assert html.attribute("title", "") == ""
    assert html.attribute("title", '"') == ' title="&#34;"'
