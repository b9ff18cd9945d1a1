"""Anonymising rows of any kind: what is shown holds what is asked, and says nothing that it should not."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.governance.anonymise import Source, anonymised, chosen
from lastro.model.errors import DataRefused, UsageError
from lastro.model.personal import Classified, Method, Personal, PersonalClass, Protection, Subject, Thresholds
from lastro.privacy.anonymity.outcome import Asked, Doubt, LeftOut

few = st.sampled_from
COLUMNS = {
    "birth": (few([None, date(1, 1, 1), date(1987, 3, 14), date(1987, 3, 15), date(9999, 12, 31)]), pa.date32()),
    "seen": (few([None, datetime(2024, 1, 1), datetime(2024, 1, 1, 5), datetime(1700, 1, 1)]), pa.timestamp("us")),
    "cep": (few([None, "01310-100", "01310-200", "01311000", "nowhere", ""]), pa.string()),
    "uf": (few([None, "SP", "sp", "RJ", "XX", "*", "Sudeste"]), pa.string()),
    "income": (few([None, 0.0, -0.0, 1e308, -1e308, math.nan, math.inf, 12.5, 13.5]), pa.float64()),
    "age": (few([None, 0, 17, 18, 90, -(2**63), 2**63 - 1]), pa.int64()),
    "smoker": (few([None, True, False]), pa.bool_()),
    "blood": (few([None, b"A", b"\xff\x00"]), pa.binary()),
}


@st.composite
def tables(draw):
    names = draw(st.lists(few(sorted(COLUMNS)), min_size=1, max_size=4, unique=True))
    count = draw(st.integers(1, 40))
    arrays = {
        name: pa.array(draw(st.lists(COLUMNS[name][0], min_size=count, max_size=count)), COLUMNS[name][1])
        for name in names
    }
    arrays["illness"] = pa.array(draw(st.lists(few([None, "flu", "hiv"]), min_size=count, max_size=count)), pa.string())
    return pa.table(arrays), tuple(names)


def source(table: pa.Table, *, personal: Personal | None = None) -> Source:
    return Source("people@0", "sha256:0", table, personal or Personal())


@given(tables(), st.integers(1, 5), few([None, 1, 2]), few([0.0, 0.3]), st.booleans())
def test_whatever_is_shown_holds_what_is_asked(drawn, k, diverse, suppress, recode):
    table, names = drawn
    asked = Asked(k, diverse, suppress=suppress, quasi=names, sensitive=("illness",), recode=recode)
    columns = chosen(table.column_names, Personal(), asked)
    try:
        found, shown = anonymised(source(table), columns, asked, {})
    except DataRefused:
        assert table.num_rows < k or diverse == 2 or suppress < 1
        return

    rows = [tuple(row[name] for name in names) for row in shown.to_pylist()]
    classes = Counter(rows)
    assert shown.num_rows == found.rows - found.suppressed
    assert found.suppressed <= suppress * table.num_rows
    assert min(classes.values(), default=k) >= k
    assert min(classes.values(), default=0) >= found.after.k or not classes
    for each in classes:
        illnesses = {row["illness"] for row, key in zip(shown.to_pylist(), rows, strict=True) if key == each}
        assert len(illnesses) >= (diverse or 1)
    left = Counter(table["illness"].to_pylist())
    left.subtract(shown["illness"].to_pylist())
    assert all(count >= 0 for count in left.values())
    assert 0 <= found.loss <= 1
    assert found.after.prosecutor <= 1 / k or not classes


def test_500_categories_and_a_value_for_each_row():
    table = pa.table({"job": [f"job {n % 500}" for n in range(2_000)], "id": [f"x{n}y" for n in range(2_000)]})
    asked = Asked(5, suppress=0.02, quasi=("job", "id"))

    found, shown = anonymised(source(table), chosen(table.column_names, Personal(), asked), asked, {})

    assert found.after.k >= 5
    assert set(shown["id"].to_pylist()) == {"*"}


def test_rows_stand_in_the_order_of_what_they_show():
    table = pa.table({"age": [50, 20, 50, 20] * 5, "visits": list(range(20))})
    personal = Personal((Classified("visits", PersonalClass.FEATURE),))
    asked = Asked(2, quasi=("age",))

    _found, shown = anonymised(source(table, personal=personal), chosen(("age", "visits"), personal, asked), asked, {})

    rows = [tuple(row.values()) for row in shown.to_pylist()]
    assert rows == sorted(rows)
    assert rows != list(zip(map(str, table["age"].to_pylist()), table["visits"].to_pylist(), strict=True))


def test_what_is_left_out_and_why():
    personal = Personal(
        (
            Classified("name", PersonalClass.IDENTIFIER),
            Classified("age", PersonalClass.QUASI),
            Classified("uf", PersonalClass.QUASI),
            Classified("visits", PersonalClass.FEATURE),
        ),
        subject=Subject("cpf", "cpf"),
    )
    names = ("cpf", "name", "age", "uf", "visits", "note", "more")

    found = chosen(names, personal, Asked(5, quasi=("age",), keep=("more",)))

    assert found.kept == ("age", "visits", "more")
    assert found.doubtful[Doubt.UNCLASSIFIED] == ("more",)
    assert found.left_out == {
        "cpf": LeftOut.SUBJECT,
        "name": LeftOut.IDENTIFIER,
        "uf": LeftOut.UNASKED,
        "note": LeftOut.UNCLASSIFIED,
    }


@pytest.mark.parametrize(
    ("thresholds", "doubt"),
    [(Thresholds(5), None), (Thresholds(50), Doubt.K), (Thresholds(5, l=2), Doubt.L), (Thresholds(5, t=0.1), Doubt.T)],
)
def test_a_threshold_that_does_not_hold_or_cannot_be_measured_is_a_doubt(thresholds, doubt):
    table = pa.table({"uf": ["SP"] * 10 + ["RJ"] * 10})
    personal = Personal((Classified("uf", PersonalClass.QUASI),), thresholds=thresholds)
    asked = Asked(5)

    found, _shown = anonymised(source(table, personal=personal), chosen(("uf",), personal, asked), asked, {})

    assert found.doubts == ((doubt,) if doubt else ())
    assert found.is_anonymised == (doubt is None)


CLASSES = (
    Classified("age", PersonalClass.QUASI),
    Classified("cep", PersonalClass.QUASI, "cep"),
    Classified("illness", PersonalClass.SENSITIVE),
    Classified("card", PersonalClass.FEATURE),
)


@pytest.mark.parametrize(
    ("asked", "doubt"),
    [
        (Asked(5, quasi=("age",)), None),
        (Asked(5, quasi=("age",), keep=("cep",)), Doubt.AS_IT_IS),
        (Asked(5, quasi=("age",), sensitive=("cep", "illness")), Doubt.AS_IT_IS),
        (Asked(5, quasi=("age",), sensitive=("card",), keep=("illness",)), Doubt.AS_IT_IS),
    ],
)
def test_a_column_that_leads_to_persons_is_a_doubt_if_it_is_kept_as_it_is(asked, doubt):
    rows = range(20)
    table = pa.table(
        {"age": [30] * 20, "cep": [f"{n:08}" for n in rows], "illness": ["flu", "hiv"] * 10, "card": ["a", "b"] * 10}
    )
    personal = Personal(CLASSES, thresholds=Thresholds(5))

    found, _shown = anonymised(source(table, personal=personal), chosen(table.column_names, personal, asked), asked, {})

    assert found.doubts == ((doubt,) if doubt else ())


@pytest.mark.parametrize("method", [Method.TOKEN, Method.HASH])
def test_tokens_and_hashes_are_a_doubt(method):
    personal = Personal(CLASSES, (Protection("card", method, "card"),), thresholds=Thresholds(5))
    asked, table = Asked(5), pa.table({"age": [30] * 5, "card": [f"tok_{n}" for n in range(5)]})

    found, _shown = anonymised(source(table, personal=personal), chosen(table.column_names, personal, asked), asked, {})

    assert found.doubts == (Doubt.TOKENS,)


def test_one_person_in_two_spellings_is_one_of_k():
    numbers = ["529.982.247-25", "52998224725", "111.444.777-35", "11144477735"]
    table = pa.table({"cpf": numbers, "age": [30, 30, 30, 30]})
    personal = Personal((Classified("age", PersonalClass.QUASI),), subject=Subject("cpf", "cpf"))
    columns = chosen(table.column_names, personal, Asked(2))

    found, _shown = anonymised(source(table, personal=personal), columns, Asked(2), {})

    assert (found.after.k, found.before.k) == (2, 2)
    with pytest.raises(DataRefused):
        anonymised(source(table, personal=personal), columns, Asked(3), {})


def test_nested_columns_and_too_many_are_refused():
    table = pa.table({"tags": [["a"], ["b"]]})
    asked = Asked(2, quasi=("tags",))

    with pytest.raises(UsageError, match="nested"):
        anonymised(source(table), chosen(("tags",), Personal(), asked), asked, {})
    with pytest.raises(UsageError, match="quasi-identifiers"):
        names = tuple(f"c{n}" for n in range(23))
        chosen(names, Personal(), Asked(2, quasi=names))
