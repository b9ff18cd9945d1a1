"""Classes are told by their text, whatever type holds them; what is no class is none."""

from __future__ import annotations

import math
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastro.pipeline.predictions import CLASSES_MAX, Names, classes_in, coded

LOOSE, STRICT, TRUTH = Names(is_loose=True), Names(), Names(boolean=True)


@settings(max_examples=100)
@given(st.integers(-(10**15), 10**15))
def test_a_number_is_one_class_in_every_type(value: int) -> None:
    written = {LOOSE.of(value), LOOSE.of(float(value)), LOOSE.of(Decimal(f"{value}.000")), LOOSE.of(f" {value}.0 ")}

    assert written == {str(value)}
    assert STRICT.of(value) == STRICT.of(float(value)) == str(value)


@pytest.mark.parametrize(
    ("names", "value", "said"),
    [
        (LOOSE, True, "1"),
        (LOOSE, " FALSE ", "0"),
        (STRICT, True, "true"),
        (STRICT, " 1.0 ", " 1.0 "),
        (STRICT, None, None),
        (STRICT, math.nan, None),
        (STRICT, math.inf, "Infinity"),
        (LOOSE, "1e999999999", "1E+999999999"),
        (LOOSE, "", ""),
        (STRICT, 0.25, "0.25"),
    ],
)
def test_a_value_is_a_class(names: Names, value: object, said: str | None) -> None:
    assert names.of(value) == said


@pytest.mark.parametrize(("text", "said"), [("1", "true"), ("False", "false"), ("maybe", "maybe")])
def test_a_person_may_write_truth_values_either_way(text: str, said: str) -> None:
    assert TRUTH.asked(text) == said


@settings(max_examples=60)
@given(st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "new", ""])), max_size=30))
def test_every_value_has_the_place_of_its_class(values: list[str | None]) -> None:
    places = {"a": 0, "b": 1}

    found = coded(pa.array(values, pa.string()), places, STRICT)

    assert found.tolist() == [-1 if value is None else places.get(value, 2) for value in values]


def test_a_column_of_too_many_classes_is_not_read_to_its_end() -> None:
    def batches():
        yield pa.record_batch({"one": list(range(CLASSES_MAX + 1)), "two": [1] * (CLASSES_MAX + 1)})
        raise AssertionError("read on")

    found = classes_in(batches(), STRICT)

    assert [len(each) for each in found] == [CLASSES_MAX + 1, 1]
