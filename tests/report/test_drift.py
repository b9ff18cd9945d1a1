"""Reports of comparisons: the answer first, then how sure it is; as text, as JSON, and as a page."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.drift.profiles import binned, numbers, profile, texts
from tests.report.pages import held

from lastro.drift.compare import compare
from lastro.drift.result import Drift
from lastro.drift.slices import contributions
from lastro.model.profile import ColumnProfile, Profile
from lastro.report.drift import drift, drift_html, drift_verdict, left_out
from lastro.report.html import to_html
from lastro.report.json_values import answer_json
from lastro.report.plain import Page, to_text

HERE = Path(__file__).parent
HOSTILE = "</title><script>alert(1)</script>&\"'\x1b[2J\u202e\x00"
EVEN = [1000] * 41
RISEN = [500] * 20 + [1500] * 21
NAMES = [HOSTILE, "x" * 10_000, "語" * 10_000, "e\u0301" * 9_000, "\u200f\u2067שלום\u2069", "\ud800", "", " "]


def many(count: int) -> Drift:
    """Columns that all changed, every one as large as its kind gets."""
    edges = [1.5 * place for place in range(120)]
    values = [f"{place} {'a long value ' * 7}" for place in range(50)]
    before, after = {}, {}
    for place in range(count):
        name = f"a_column_with_a_long_name_{place}"
        if place % 2:
            first, second = [1000] * 50, [500] * 25 + [1500] * 25
            before[name], after[name] = (texts(side, listed=values, others=99) for side in (first, second))
        else:
            before[name] = binned([1000] * 121, edges=edges, nulls=3)
            after[name] = binned([500] * 60 + [1500] * 61, edges=edges, nulls=40_000)
    return compare(profile(**before), profile(**after))


def story() -> tuple[Profile, Profile]:
    """What a golden file shows: numbers and values that changed, others that did not, one withheld, one gone."""
    withheld = replace(numbers([]), numbers=None, nulls=5000, withheld=True)
    present = {"same": binned(EVEN), "uf": texts([20_000, 15_000, 6000]), "email": withheld}
    before = profile(income=binned(EVEN), **present, gone=binned(EVEN))
    after = profile(income=binned(RISEN), **present | {"uf": texts([30_000, 11_000, 0])})
    return before, after


def told() -> Drift:
    return compare(*story())


def shown(found: Drift, width: int | None = None) -> str:
    return to_text(drift(found), Page(width=width))


def test_the_worst_column_and_its_change_are_the_answer() -> None:
    found = compare(profile(x=binned(EVEN), y=binned(EVEN)), profile(x=binned(EVEN), y=binned(RISEN)))

    assert drift_verdict(found).startswith("y: distribution of values moved by 24.7 % (between ")
    assert drift_verdict(found).endswith(", margin 5 %); 1 of 2 columns drifted")


def test_a_rate_is_told_from_where_to_where() -> None:
    found = compare(profile(x=binned(EVEN, nulls=1000)), profile(x=binned(EVEN, nulls=41_000)))

    assert drift_verdict(found).startswith("x: share of missing values went from 2.4 % to 50 % (by 4")


def test_what_did_not_change_is_told_in_one_line() -> None:
    names = {f"c{place}": binned(EVEN) for place in range(17)}
    found = compare(profile(**names), profile(**names))

    lines = shown(found).splitlines()

    assert lines[0] == "  ✓ 17 columns are stable"
    assert len(lines) == 2
    assert drift_verdict(found) == "no column of 17 drifted"


def test_too_few_rows_are_told_with_how_many_would_do() -> None:
    found = compare(profile(x=binned([3] * 41)), profile(x=binned([2] * 20 + [4] * 21)))

    assert "? unsure" in shown(found)
    assert "rows on either side would tell" in shown(found)
    assert "rows on either side would tell" in drift_html(found, "t")


def test_the_report_is_the_golden_file() -> None:
    assert shown(told()) + "\n" == (HERE / "drift.txt").read_text(encoding="utf-8")


def test_the_page_is_the_golden_file() -> None:
    assert drift_html(told(), "loans@7 against loans@3") == (HERE / "drift.html").read_text(encoding="utf-8")


def test_the_page_stands_alone_and_leads_from_the_row_to_the_column() -> None:
    page = held(drift_html(told(), "loans@7 against loans@3"))

    assert page.links == [f"#column-{place}" for place in range(1, 5)]
    assert page.attributes["html"] == [{"lang": "en"}]
    assert page.tags.count("svg") == 3
    assert "income: ✗ drifted. distribution of values moved by" in str(page.attributes["svg"][0]["aria-label"])
    assert page.text.index(drift_verdict(told())) < page.text.index("Columns")


def test_the_page_speaks_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTRO_LANG", "pt_BR")

    assert '<html lang="pt-BR">' in drift_html(told(), "t")
    assert "24,4 %" in drift_html(told(), "t")


def test_slices_are_told_with_what_they_explain() -> None:
    before = {name: profile(x=binned([500, 500])) for name in ("SP", "RJ", HOSTILE)}
    after = before | {"RJ": profile(x=binned([100, 900]))}
    slices = contributions(before, after)

    text = to_text(drift(told(), slices=slices), Page())

    assert "Which slices explain it" in text
    assert "  RJ" in text.split("Which slices")[1].splitlines()[2]
    assert "100 %" in text.split("Which slices")[1].splitlines()[2]
    assert "income: explained by RJ (100 %)" in to_text(drift(told(), by_column={"income": slices[:1]}), Page())
    assert "income: explained by RJ (100 %)" in drift_html(told(), "t", by_column={"income": slices[:1]})
    held(drift_html(told(), "t", slices=slices, by_column={"income": slices}))


def test_columns_that_were_left_out_are_told_by_their_reason() -> None:
    apart = {"id": "a key", "other": "a key", HOSTILE: "it only goes on"}

    page = held(drift_html(told(), "t", apart=apart))

    assert "left out: id, other (a key)" in page.text
    assert "left out: id, other (a key)" in to_text(left_out(apart), Page())


def test_a_hundred_columns_that_all_changed_are_a_small_page() -> None:
    html = drift_html(many(100), "loans@7 against loans@3")

    assert held(html).tags.count("svg") == 100
    assert len(html.encode()) <= 300_000


def test_few_columns_ask_for_few_lines() -> None:
    text = shown(many(100), 120)

    assert len(text.splitlines()) < 160
    assert max(map(len, text.splitlines())) <= 160


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_any_name_and_value_is_shown_as_a_text_of_bounded_length(name: str) -> None:
    before = profile(**{name: binned(EVEN), "v": texts([2000, 1000], listed=[name, "b"])})
    after = profile(**{name: binned(RISEN), "v": texts([0, 3000], listed=[name, "b"])})
    found = compare(before, after)

    html = drift_html(found, name, slices=contributions({name: before}, {name: after}))

    held(html)
    held(drift_html(found, "t"))
    assert len(html) < 20_000
    assert "<script" not in to_html(drift(found))
    assert "\x1b" not in shown(found) + drift_verdict(found)
    assert len(drift_verdict(found)) < 1000
    assert max(map(len, shown(found, 200).splitlines())) < 1200


def test_nothing_to_compare_is_said() -> None:
    empty, none = compare(profile(), profile()), compare(profile(x=binned([0, 0])), profile(x=binned([5, 5])))

    for found in (empty, none):
        assert drift_verdict(found)
        assert "rows of reference" in shown(found)
        assert "<svg" not in drift_html(found, "t")
        held(drift_html(found, "t"))


def test_withheld_columns_are_compared_and_nothing_of_them_is_drawn() -> None:
    def side(nulls: int) -> Profile:
        made: ColumnProfile = replace(numbers([]), numbers=None, nulls=nulls, withheld=True)
        return Profile(10_000, {"cpf": made, "email": made})

    found = compare(side(100), side(6000))

    assert "withheld" in found.columns[0].words
    assert "<svg" not in drift_html(found, "t")
    assert "withheld" in drift_html(found, "t")
    assert all(column["bars"] is None for column in found.to_dict()["columns"])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(), max_size=30),
    st.lists(st.floats(), max_size=30),
    st.sets(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20),
)
def test_any_comparison_is_a_page_and_valid_json(first: list[float], second: list[float], edges: set[float]) -> None:
    one, two = (numbers(side, edges=sorted(edges)) for side in (first, second))
    found = compare(profile(x=one), profile(x=two))

    held(drift_html(found, "t"))
    told = json.loads(answer_json("lastro.drift/1", found.to_dict(), ok=True), parse_constant=_refused)
    assert told["columns"][0]["name"] == "x"
    assert all(math.isfinite(each) for each in (told["columns"][0]["bars"] or {"edges": []})["edges"])


def _refused(constant: str) -> float:
    raise AssertionError(constant)
