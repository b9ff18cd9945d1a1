"""Profiles as pages: every column that may be drawn is, and no name or value breaks out of its place."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from tests.drift.profiles import binned, numbers, profile, texts
from tests.report.pages import held
from tests.report.test_drift import EVEN, NAMES

from lastro.engine.profiling.count import counted
from lastro.engine.profiling.frame import framed
from lastro.model.schema import Field, Primitive, Schema
from lastro.quality.summary import Summary, summarise
from lastro.report.plain import Page, to_text
from lastro.report.profiles import different, profile_html
from lastro.report.profiles import profile as profile_blocks

P = Primitive
GOLDEN = Path(__file__).parent / "profile.html"


def summary() -> Summary:
    withheld = replace(numbers([]), numbers=None, nulls=6000, withheld=True)
    ufs = texts([20_000, 15_000, 5000], listed=["SP", "RJ", ""], others=1000)
    return summarise(profile(income=binned(EVEN), uf=ufs, email=withheld, age=binned(EVEN[:11], nulls=30_000)))


def test_the_page_is_the_golden_file() -> None:
    assert profile_html(summary(), "loans@3") == GOLDEN.read_text(encoding="utf-8")


def test_the_page_stands_alone_and_draws_what_is_not_withheld() -> None:
    page = held(profile_html(summary(), "loans@3"))

    assert page.links == [f"#column-{place}" for place in range(1, 5)]
    assert [given["aria-label"] for given in page.attributes["svg"]] == [
        "income: from -1 to 40, median 19.5",
        "uf: most frequent are SP 48.8 %, RJ 36.6 %, '' 12.2 %",
        "age: from -1 to 10, median 4.5",
    ]
    assert "its values are withheld" in page.text
    assert "loans@3 has 41,000 rows; most is missing of age: 73.2 %" in page.text


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_any_name_and_value_is_shown_as_a_text_of_bounded_length(name: str) -> None:
    found = summarise(profile(**{name: texts([2000, 1000], listed=[name, "b"], nulls=4)}))

    html = profile_html(found, name)

    held(html)
    assert len(html) < 12_000


def test_a_hundred_columns_are_a_small_page() -> None:
    values = [f"{place} {'a long value ' * 7}" for place in range(50)]
    kinds = [texts([1000] * 50, listed=values, others=99), binned([1000] * 41, nulls=3)]
    found = summarise(profile(**{f"a_column_with_a_long_name_{place}": kinds[place % 2] for place in range(100)}))

    html = profile_html(found, "loans@3")

    assert held(html).tags.count("svg") == 100
    assert len(html.encode()) <= 300_000


@pytest.mark.parametrize("found", [Summary(0), summarise(profile(x=binned([0, 0])))])
def test_nothing_to_draw_is_a_page_too(found: Summary) -> None:
    assert "<svg" not in profile_html(found, "loans@0")
    held(profile_html(found, "loans@0"))


def related() -> Summary:
    """Columns of which two are missing together, two rise together, and one falls; and a text of two shapes."""
    rows = [
        {
            "price <b>": float(place),
            "total": None if place % 4 == 0 else place * 2.0 + place % 7,
            "left": -place,
            "street": None if place % 10 == 0 else "Rua",
            "city": None if place % 10 == 0 else "Natal",
            "code": f"{place:03d}-{place % 10}" if place % 50 else "none",
        }
        for place in range(1_000)
    ]
    kinds = {"left": P.LONG, "street": P.STRING, "city": P.STRING, "code": P.STRING}
    schema = Schema(tuple(Field(name, kinds.get(name, P.DOUBLE)) for name in rows[0]))
    table = pa.Table.from_pylist(rows)
    return summarise(counted(table.to_batches(), schema, framed(table, schema, frozenset()), frozenset()))


def test_what_columns_have_to_do_with_each_other_is_told_in_tables_and_a_grid() -> None:
    text = to_text(profile_blocks(related()), Page(100))
    page = held(profile_html(related(), "loans@3"))

    assert "street, city   100" in text
    assert re.search(r"price <b> +left +-1 +1,000\n", text)
    assert re.search(r"price <b> +total +1 +750\n", text)
    assert re.search(r"999-9 +98 %", text)
    assert re.search(r"all others +2 %", text) or re.search(r"\ba +2 %", text)
    assert page.attributes["svg"][0]["aria-label"].startswith("correlations; the strongest are")
    assert "price <b>" in page.text


def test_a_profile_of_an_older_lastro_says_what_it_lacks() -> None:
    text = to_text(profile_blocks(replace(related(), relations=None)), Page(100))

    assert "was not counted by the Lastro that made this" in text


def test_what_is_about_is_marked_and_has_two_digits() -> None:
    (column,) = summarise(profile(x=binned(EVEN))).columns

    assert different(replace(column, distinct=1_234_567, distinct_error=0.2)) == "≈ 1,200,000"
    assert different(replace(column, distinct=70)) == "70"
    assert different(column) == "–"
