"""Blocks as text and as HTML."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.report.blocks import Blocks, Cell, Code, Column, Line, Table, Title, Tone, bar, table
from lastro.report.cells import clean, width
from lastro.report.html import to_html
from lastro.report.plain import BAR_CELLS, Page, bar_text, to_text

ENDLESS = Page()
COLUMNS = (Column("rule"), Column("rows", right=True), Column("", fixed=True))

anything = st.text(st.characters(exclude_categories=()), max_size=60)


def test_a_table_aligns_its_columns() -> None:
    blocks = (table(COLUMNS, [("income_missing", "1,553", bar(2, 2)), ("日本語", "12", bar(1, 2))]),)

    text = to_text(blocks, ENDLESS)

    assert text.splitlines() == [
        "  rule             rows",
        "  income_missing  1,553  ████████████",
        "  日本語             12  ██████",
    ]


def test_titles_stand_apart() -> None:
    assert to_text((Line("a"), Title("Rows"), Line("b")), ENDLESS) == "a\n\nRows\nb"


def test_a_table_without_rows_says_nothing() -> None:
    assert to_text((table(COLUMNS, []),), ENDLESS) == ""


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells under 3 columns"):
        Table(COLUMNS, ((Cell("a"), Cell("b")),))


@pytest.mark.parametrize("columns_wide", [20, 60, 80, 200])
def test_a_table_keeps_within_the_page(columns_wide: int) -> None:
    blocks = (table([Column("a"), Column("b"), Column("n", right=True)], [("x" * 300, "日本" * 100, "1,234")]),)

    lines = to_text(blocks, Page(width=columns_wide)).splitlines()

    assert all(width(line) <= max(columns_wide, 60) for line in lines)
    assert "1,234" in lines[1]


def test_nothing_is_cut_without_a_terminal() -> None:
    assert "x" * 5000 in to_text((table([Column("a")], [("x" * 5000,)]),), ENDLESS)


def test_colour_only_where_it_is_welcome() -> None:
    blocks = (table([Column("a")], [(Cell("✗ failed", Tone.BAD),)]), Line("faint", Tone.FAINT), Title("T"))

    assert "\x1b" not in to_text(blocks, ENDLESS)
    assert "\x1b[31m✗ failed\x1b[0m" in to_text(blocks, Page(width=80, colour=True))


@given(st.floats(0, 1))
def test_bars_have_one_length_and_never_hide_something(share: float) -> None:
    text = bar_text(share)

    assert width(text) == BAR_CELLS
    assert (text.strip() == "") == (share == 0)


@given(anything, anything, anything)
def test_no_text_can_command_the_terminal(title: str, line: str, cell: str) -> None:
    blocks: Blocks = (Title(title), Line(line, Tone.BAD), table([Column(title)], [(cell,)]), Code(line))

    text = to_text(blocks, Page(width=70))

    assert all(clean(shown) == shown for shown in text.split("\n"))
    assert len(text.split("\n")) == 4 + len(line.split("\n"))


class Tags(HTMLParser):
    """Collects the tags and attributes of a fragment, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _value in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@given(anything, anything)
def test_no_text_can_become_markup(title: str, cell: str) -> None:
    blocks: Blocks = (Title(title), Line(cell), table([Column(title)], [(cell,)]), Code(cell))
    parser = Tags()

    parser.feed(to_html(blocks))
    parser.close()

    assert parser.tags == ["div", "h4", "p", "table", "thead", "tr", "th", "tbody", "tr", "td", "pre"]
    assert parser.attributes <= {"class", "style"}


def test_hostile_markup_is_shown_as_text() -> None:
    html = to_html((table([Column("<script>")], [("<img src=x onerror=alert(1)>",)]),))

    assert "<img" not in html
    assert "<script" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_bars_are_meters_in_html() -> None:
    assert '<meter min="0" max="1" value="0.5000">50%</meter>' in to_html((table(COLUMNS, [("a", "1", bar(1, 2))]),))
