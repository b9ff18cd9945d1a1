"""Hierarchies: what follows from values, what a person gives, and what neither may do."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from lastro.model.errors import ConfigurationError, SourceUnreachable
from lastro.privacy.anonymity import given
from lastro.privacy.anonymity.hierarchy import ALL, Step, hierarchy
from lastro.privacy.anonymity.inferred import inferred, thinned
from lastro.privacy.anonymity.values import values_of

texts = st.one_of(st.none(), st.text(max_size=8), st.sampled_from(["SP", "sp", "01310-100", "A10.1", "*", "(…)", ""]))
columns = st.one_of(
    st.lists(texts, max_size=30).map(lambda rows: pa.array(rows, pa.string())),
    st.lists(st.one_of(st.none(), st.floats()), max_size=30).map(lambda rows: pa.array(rows, pa.float64())),
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=30).map(
        lambda rows: pa.array(rows, pa.int64())
    ),
    st.lists(st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)), max_size=30).map(
        lambda days: pa.array(days, pa.int32()).cast(pa.date32())
    ),
    st.lists(st.one_of(st.none(), st.integers(-(2**62), 2**62)), max_size=30).map(
        lambda moments: pa.array(moments, pa.int64()).cast(pa.timestamp("us"))
    ),
    st.lists(st.one_of(st.none(), st.booleans()), max_size=9).map(lambda rows: pa.array(rows, pa.bool_())),
)


def levels(column: pa.Array, *, kind: str = "") -> list[list[str | None]]:
    """Of each row its label at each level."""
    values, rows = values_of(column)
    return [[level.labels[level.groups[row]] for row in rows.tolist()] for level in inferred(values, kind=kind).levels]


@drawn(columns, st.sampled_from(["", "cep", "uf"]))
def test_whatever_a_column_holds_its_groups_lie_in_groups_and_losses_rise(column, kind):
    values, rows = values_of(column)

    found = inferred(values, kind=kind)

    assert values.counts.sum() == len(rows) == len(column)
    assert len(found.levels[-1].labels) <= 1
    for finer, coarser in zip(found.levels, found.levels[1:], strict=False):
        pairs = set(zip(finer.groups.tolist(), coarser.groups.tolist(), strict=True))
        assert len(pairs) == len(finer.labels) > len(coarser.labels)
        assert (coarser.losses[coarser.groups] >= finer.losses[finer.groups]).all()
    assert all(((level.losses >= 0) & (level.losses <= 1)).all() for level in found.levels)


def test_a_column_in_pieces_is_one_column():
    pieces = pa.chunked_array([pa.array(["b", None]), pa.array([], pa.string()), pa.array(["a", "b", None])])

    values, rows = values_of(pieces)

    assert [values.texts[row] for row in rows.tolist()] == ["b", None, "a", "b", None]
    assert values.counts.tolist() == [2, 1, 2]
    with pytest.raises(TypeError):
        values_of(pa.array([[1]]))


def test_dates_become_months_quarters_years_decades():
    found = levels(
        pa.array(
            [date(1987, *day) for day in ((3, 14), (3, 15), (1, 1), (5, 1))]
            + [None, date(1985, 1, 1), date(1990, 1, 1)]
        )
    )

    assert [level[0] for level in found] == ["1987-03-14", "1987-03", "1987-Q1", "1987", "1980s", ALL]
    assert [level[4] for level in found] == [None, None, None, None, None, ALL]


def test_dates_of_any_year_are_dates():
    days = pa.array([3_000_000, -1_000_000, None, 0], pa.int32()).cast(pa.date32())

    found = levels(days)

    assert found[0][0].startswith("10183-")
    assert found[0][1].startswith("-")
    assert found[-1] == [ALL] * 4


def test_moments_become_their_day_first():
    found = levels(
        pa.array([datetime(2024, 5, 1, 7, 30), datetime(2024, 5, 1, 9), datetime(2024, 5, 2), datetime(2024, 6, 2)])
    )

    assert found[0][0] == "2024-05-01T07:30:00"
    assert [level[0] for level in found[1:3]] == ["2024-05-01", "2024-05"]


def test_numbers_fall_into_bins_with_round_bounds():
    found = levels(pa.array(list(range(17, 91)), pa.int64()))

    assert [level[23 - 17] for level in found] == ["23", "[20, 25)", "[20, 30)", "[20, 40)", "[0, 40)", ALL]


def test_one_number_that_is_far_off_makes_no_bin_wider():
    ages = [*range(17, 91)] * 5
    found = levels(pa.array([*ages, 10**15], pa.float64()))

    assert found[1][6] == "[20, 25)"


def test_numbers_that_are_none_stay_apart():
    found = levels(pa.array([1.0, 2.0, 50.0, float("nan"), None, float("inf"), float("-inf")]))

    assert found[0][3:5] == [None, None]
    assert found[1][5:] == ["inf", "-inf"]
    assert found[-1] == [ALL] * 7


def test_zero_has_no_sign():
    found = levels(pa.array([0.0, -0.0, 5.0, 90.0, -90.0]))

    assert [level[0] for level in found] == [level[1] for level in found]


def test_exact_numbers_are_told_as_they_are():
    found = levels(pa.array([Decimal("1.50"), Decimal("2.00"), Decimal("900.25")], pa.decimal128(10, 2)))

    assert found[0] == ["1.5", "2", "900.25"]


def test_postal_codes_lose_digits_from_their_end():
    found = levels(
        pa.array(
            [
                "01310-100",
                "01310-200",
                "01419-000",
                "20040-002",
                "05508-010",
                "01311-000",
                "01500-000",
                "09000-000",
                "90000-000",
                "80000-000",
                "nowhere",
            ]
        )
    )

    assert [level[0] for level in found] == ["01310-100", "01310-***", "013**-***", "01***-***", "0****-***", ALL]
    assert [level[-1] for level in found] == ["nowhere", *[ALL] * 5]


def test_postal_codes_without_hyphen_or_first_zero_are_told_by_their_kind():
    found = levels(pa.array([1310100, 20040002], pa.int64()), kind="cep")

    assert found[0] == ["01310-100", "20040-002"]


def test_states_become_regions_whatever_their_case():
    found = levels(pa.array(["SP", "sp ", "RJ", "BA", "PE", "RS", "PR", "AM", "PA", "GO", None]))

    assert found[0][:2] == ["SP", "SP"]
    assert found[1][:4] == ["Sudeste", "Sudeste", "Sudeste", "Nordeste"]
    assert found[2] == ["Brasil"] * 10 + [None]


def test_codes_of_one_length_become_shorter():
    found = levels(pa.array([f"{n:07d}" for n in range(3_500_000, 3_500_100)]))

    assert found[0][0] == "3500000"
    assert found[1][0] == "350000*"


def test_rare_texts_become_one_group():
    found = levels(pa.array(["red"] * 100 + ["blue"] * 100 + [f"rare{n}" for n in range(50)]))

    assert len({*found[1]}) == 3
    assert len(inferred(values_of(pa.array([f"c{n}" for n in range(500)]))[0]).levels) == 2


def test_a_group_in_two_groups_is_refused():
    with pytest.raises(ValueError, match="two groups"):
        hierarchy("x", [Step("0", ["a", "a"]), Step("1", ["b", "c"])])


def test_a_lattice_that_is_too_high_loses_inner_levels():
    tall = inferred(values_of(pa.array(np.arange(10_000.0)))[0])

    found = thinned([tall] * 9, 5_000)

    assert np.prod([len(each.levels) for each in found]) <= 5_000
    assert all(len(each.levels) >= 2 and len(each.levels[-1].labels) == 1 for each in found)


def write(folder: Path, text: str) -> Path:
    path = folder / "tree.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_a_hierarchy(tmp_path):
    read = given.read(
        write(tmp_path, "flu;infection;ill\nhiv;infection;ill\nasthma;chronic;ill\n\nasthma;chronic;ill\n")
    )
    values, _rows = values_of(pa.array(["flu", "FLU", "asthma", None, "unknown"]))

    found, absent = given.fitted(read, values, column="diagnosis", where="tree.csv")

    assert absent == 1
    assert set(found.levels[1].labels) == {"infection", "chronic", None, ALL}
    assert [each.name for each in found.levels] == ["values", "1", "2", "*"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("secret", "number of levels"),
        ("secret;a\nother;a;b", "number of levels"),
        ("secret;\n", "missing"),
        ("secret;a\nsecret;b", "again"),
        ("secret;a;x\nother;a;y", "two labels"),
        ("secret;other\nother;secret", "two branches"),
        ("secret;a;b\nother;b;a", "two branches"),
        (";".join(["secret"] * 30), "number of levels"),
    ],
)
def test_a_file_that_is_wrong_is_refused_without_a_value_of_it(tmp_path, text, why):
    with pytest.raises(ConfigurationError, match=why) as refused:
        given.read(write(tmp_path, text))

    assert "secret" not in str(refused.value)


def test_a_label_may_stand_on_its_own_branch_again():
    assert given.checked([("DF", "DF", "Centro"), ("GO", "GO", "Centro"), ("SP", "SP", "Sudeste")], where="x")


def test_another_columns_file_is_refused():
    read = given.checked([("flu", "ill")], where="x")
    values, _rows = values_of(pa.array(["SP", "RJ"]))

    with pytest.raises(ConfigurationError, match="none of the values"):
        given.fitted(read, values, column="uf", where="x")


def test_files_that_are_none_are_refused(tmp_path):
    (tmp_path / "latin.csv").write_bytes("s\xe3o;a".encode("latin-1"))

    with pytest.raises(ConfigurationError, match="UTF-8"):
        given.read(tmp_path / "latin.csv")
    with pytest.raises(SourceUnreachable):
        given.read(tmp_path / "absent.csv")


def test_a_mapping_of_parents_is_a_hierarchy_and_no_circle():
    found = given.from_mapping({"SP": "Sudeste", "Sudeste": "Brasil", "Lima": "Peru"}, where="x")

    assert found == {"SP": ("Sudeste", "Brasil"), "Lima": ("Peru", "Peru")}
    with pytest.raises(ConfigurationError):
        given.from_mapping({"a": "b", "b": "a"}, where="x")
    with pytest.raises(ConfigurationError, match="circle"):
        given.from_mapping({"x": "a", "a": "b", "b": "a"}, where="x")


@drawn(st.text(max_size=60))
def test_any_text_is_a_hierarchy_or_an_error(text):
    rows = [line.split(";") for line in text.splitlines()]
    try:
        found = given.checked(rows, where="x")
    except ConfigurationError:
        return

    assert len({len(labels) for labels in found.values()}) == 1
