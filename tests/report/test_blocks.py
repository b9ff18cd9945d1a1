"""Blocks as text and as HTML."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report.pages import held

from lastro.report.blocks import Blocks, Cell, Code, Column, Figure, Line, Series, Table, Title, Tone, bar, table
from lastro.report.cells import clean, width
from lastro.report.html import to_html, to_page
from lastro.report.picture import to_svg
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
    assert parser.attributes <= {"class", "style", "scope"}


def test_hostile_markup_is_shown_as_text() -> None:
    html = to_html((table([Column("<script>")], [("<img src=x onerror=alert(1)>",)]),))

    assert "<img" not in html
    assert "<script" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_bars_are_meters_in_html() -> None:
    assert '<meter min="0" max="1" value="0.5000">50%</meter>' in to_html((table(COLUMNS, [("a", "1", bar(1, 2))]),))


def test_a_page_needs_nothing_else_and_can_be_read_by_everyone() -> None:
    page = to_page("<loans>", (Title("Rules"), table([Column("rule")], [(Cell("✗ failed", Tone.BAD),)])))

    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert "<title>&lt;loans&gt;</title>" in page
    assert page.count("<h1>") == 1
    assert "<h2>Rules</h2>" in page
    assert '<th scope="col">rule</th>' in page
    assert 'role="region" tabindex="0" aria-label="Rules"' in page
    assert "color-scheme:light dark" in page
    assert not re.search(r"<script|<link|https?:|url\(|@import", page)


@pytest.mark.parametrize(("ground", "scheme"), [("#ffffff", 0), ("#0d1117", 1)], ids=["light", "dark"])
def test_the_colours_of_a_page_can_be_told_from_either_ground(ground: str, scheme: int) -> None:
    style = to_page("x", ()).split("@media(prefers-color-scheme:dark)")[scheme]
    given = dict(re.findall(r"--(lastro-\w+|text|one|two|back):(#\w{6})", style))

    assert given.pop("back") == ground
    assert len(given) == 7
    assert all(contrast(colour, ground) >= 4.5 for colour in given.values())


def test_the_colours_of_a_fragment_can_be_read_on_white() -> None:
    given = re.findall(r"--lastro-\w+,(#\w{6})", to_html(tuple(Line("x", tone) for tone in Tone)))

    assert len(given) == 4
    assert all(contrast(colour, "#ffffff") >= 4.5 for colour in given)


def contrast(one: str, other: str) -> float:
    """The ratio of two colours' luminance, as WCAG 2.2 defines it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


SIDES = (Series("reference", (0.5, 0.25, 0.25)), Series("now", (0.0, 0.5, 0.5)))
shares = st.lists(st.floats(0, 1), min_size=3, max_size=3).map(tuple)


def test_steps_are_a_line_of_blocks_for_each_side() -> None:
    text = to_text((Figure("income", "it rose", SIDES, ends=("0", "1,000")),), ENDLESS)

    assert text.splitlines() == ["income", "  reference  0 █▄▄ 1,000", "  now        0  ██ 1,000"]


def test_bars_are_a_row_for_each_label() -> None:
    text = to_text((Figure("uf", "it moved", SIDES, labels=("SP", "RJ", "x\x1b")),), ENDLESS)

    assert text.splitlines() == [
        "uf",
        "         reference   now",
        "  SP          50 %   0 %",
        "  RJ          25 %  50 %  ████████████",
        "  x\\x1b       25 %  50 %  ████████████",
    ]


@pytest.mark.parametrize("labels", [(), ("a", "b", "c")])
@given(first=shares, second=shares, text=anything)
def test_any_figure_is_a_picture_that_says_what_is_seen(
    labels: tuple[str, ...], first: tuple[float, ...], second: tuple[float, ...], text: str
) -> None:
    figure = Figure(text, f"says {text}", (Series(text, first), Series(text, second)), labels, (text, text))

    root = ET.fromstring(to_svg(figure))

    assert root.get("role") == "img"
    assert {element.tag for element in root.iter()} <= {"svg", "text", "path"}
    drawn = "".join(element.get("d", "") for element in root.iter("path"))
    assert drawn.count("z") == sum(share > 0 for share in (*first, *second))
    assert "-0" not in drawn
    held(to_page("t", (figure,), answer="a"))


def test_a_figure_of_unequal_sides_is_refused() -> None:
    with pytest.raises(ValueError, match="as many shares"):
        Figure("", "", (Series("a", (1.0,)), Series("b", (0.5, 0.5))))


def test_a_page_leads_to_its_sections_and_a_fragment_has_no_ids() -> None:
    blocks = (
        table([Column("a", names=True), Column("b")], [(Cell("x", anchor="one"), "2")]),
        Title("Section", level=2, anchor="one"),
    )

    page, fragment = to_page("Title", (Title("Top"), *blocks), answer="answer"), to_html(blocks)

    held(page)
    assert '<th scope="row"><a href="#one">x</a></th>' in page
    assert '<h3 id="one">Section</h3>' in page
    assert "<td>x</td>" in fragment
    assert "id=" not in fragment
