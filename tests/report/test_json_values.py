"""Results as JSON."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastro.model.errors import UnknownName
from lastro.report.json_values import answer_json, error_json, to_json_value

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    tags: frozenset[str]


@given(json_values)
def test_plain_values_come_back(value: object) -> None:
    assert json.loads(answer_json("lastro.log/1", {"value": value}, ok=True))["value"] == value


@given(st.text(st.characters(exclude_categories=())))
def test_the_text_is_ascii_on_one_line(value: str) -> None:
    text = answer_json("lastro.log/1", {"value": value}, ok=True)

    assert text.isascii()
    assert text.isprintable()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 1, 31, 10, tzinfo=UTC), "2026-01-31T10:00:00.000000Z"),
        (datetime(2026, 1, 31, 10), "2026-01-31T10:00:00.000000"),
        (date(2026, 1, 31), "2026-01-31"),
        (timedelta(minutes=2), 120.0),
        (Decimal("1.10"), "1.10"),
        (Path("a/b"), "a/b"),
        (b"\x00\xff", "AP8="),
        (float("nan"), None),
        (float("inf"), None),
        (Colour.RED, "red"),
        pytest.param(Point(1, frozenset({"b", "a"})), {"x": 1, "tags": ["a", "b"]}, id="frozen value"),
        ({Colour.RED: (1, 2)}, {"red": [1, 2]}),
    ],
    ids=str,
)
def test_values_have_one_form(value: object, expected: object) -> None:
    found = to_json_value(value)

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("key", ["schema", "ok"])
def test_values_cannot_pass_for_the_envelope(key: str) -> None:
    with pytest.raises(ValueError, match="the object's own"):
        answer_json("lastro.log/1", {key: True}, ok=False)


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(TypeError, match="complex has no JSON form"):
        to_json_value(1j)


def test_an_error_is_one_object() -> None:
    error = UnknownName("there is no dataset x", where="lastro.yaml", do="lastro add")

    assert json.loads(error_json(error)) == {
        "schema": "lastro.error/1",
        "ok": False,
        "code": "LST-0202",
        "exit_code": 2,
        "what": "there is no dataset x",
        "where": "lastro.yaml",
        "do": "lastro add",
        "state": "",
    }
