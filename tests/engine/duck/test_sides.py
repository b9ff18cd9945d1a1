"""Two sides are counted as a person would count them by hand."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lastro.engine import sides
from lastro.model.leakage import Met, Sides
from lastro.model.schema import Field, Primitive, Schema

SCHEMA = Schema(
    (
        Field("id", Primitive.LONG),
        Field("text", Primitive.STRING),
        Field("number", Primitive.DOUBLE),
        Field("at", Primitive.TIMESTAMP_NTZ),
        Field("y", Primitive.STRING),
    )
)
TYPES = {"id": pa.int64(), "text": pa.string(), "number": pa.float64(), "at": pa.timestamp("us"), "y": pa.string()}


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    columns = {name: pa.array([row.get(name) for row in rows], kind) for name, kind in TYPES.items()}
    pq.write_table(pa.table(columns), path)
    return path


def compared(folder: Path, first: list[dict[str, Any]], second: list[dict[str, Any]], **asked: Any) -> Sides:
    paths = written(folder / "first.parquet", first), written(folder / "second.parquet", second)
    return sides([paths[0]], [paths[1]], SCHEMA, temp=folder, **asked)


def test_equal_rows_are_counted_by_all_columns_but_the_key(tmp_path: Path) -> None:
    first = [{"id": 1, "text": "a"}, {"id": 2, "text": "a"}, {"id": 3, "text": "b"}]
    second = [{"id": 9, "text": "a"}, {"id": 3, "text": "b", "number": 1.0}, {"id": None, "text": "c"}]

    with_key = compared(tmp_path, first, second, key=["id"])
    without = compared(tmp_path, first, second)

    assert (with_key.equal.first, with_key.equal.second, with_key.equal.different) == (2, 1, 1)
    assert with_key.key == Met(first=1, second=1, different=1)
    assert without.equal == Met()
    assert without.key is None


def test_a_missing_key_is_nobodys(tmp_path: Path) -> None:
    found = compared(tmp_path, [{"id": None, "text": "a"}], [{"id": None, "text": "b"}], key=["id"])

    assert found.key == Met()


def test_near_rows_differ_in_spelling_digits_and_the_time_of_day(tmp_path: Path) -> None:
    noon, night = pa.scalar(43_200_000_000, TYPES["at"]).as_py(), pa.scalar(80_000_000_000, TYPES["at"]).as_py()
    first = [{"id": 1, "text": "São  Paulo", "number": 1234.1, "at": noon}, {"id": 1, "number": 0.0}]
    second = [
        {"id": 1, "text": " sao paulo", "number": 1233.9, "at": night},
        {"id": 1, "text": " sao paulo", "number": 1300.0, "at": night},
        {"id": 1, "number": -0.0},
    ]

    found = compared(tmp_path, first, second)

    assert found.near.second == 2
    assert found.equal.second <= 1


def test_what_meets_by_chance_is_about_what_independent_columns_make(tmp_path: Path) -> None:
    draw = random.Random(1)

    def rows(count: int) -> list[dict[str, Any]]:
        return [{"text": draw.choice("abcdefgh"), "number": float(draw.randrange(200))} for _row in range(count)]

    found = compared(tmp_path, rows(1_000), rows(400)).equal

    assert abs(found.second - found.by_chance) < 3 * found.by_chance**0.5
    assert compared(tmp_path, [{"text": "a"}] * 3, [{"text": "a"}] * 2).equal.by_chance == 2


def test_numbers_without_end_are_near_themselves(tmp_path: Path) -> None:
    numbers = [float("nan"), float("inf"), -float("inf"), 1.7e308, 5e-324]
    rows = [{"number": number} for number in numbers]

    assert compared(tmp_path, rows, rows).near.second == len(numbers)


def test_an_answer_in_a_column_is_found_and_an_identifier_tells_nothing(tmp_path: Path) -> None:
    draw = random.Random(0)
    rows = []
    for number in range(2_000):
        bad = draw.random() < 0.3
        amount = draw.uniform(10, 20) if bad else draw.uniform(0, 10)
        rows.append({"id": number, "text": "x" if bad else None, "number": amount, "y": "bad" if bad else "good"})

    found = compared(tmp_path, rows, rows[:10], target="y")
    again = compared(tmp_path, rows, rows[:10], target="y", threads=1)

    told = {each.column: each for each in found.guessed}
    assert found.known == 2_000
    assert found.most == sum(row["y"] == "good" for row in rows)
    assert (told["text"].right, told["text"].right_by_missing) == (2_000, 2_000)
    assert told["number"].right > 1_950
    assert told["number"].right_by_missing == found.most
    assert told["id"].right < 1_500
    assert again == found


def test_values_that_stand_alone_are_no_right_guess(tmp_path: Path) -> None:
    rows = [{"text": f"n{number}", "y": "a" if number % 2 else "b"} for number in range(100)]

    (told,) = (each for each in compared(tmp_path, rows, [], target="y").guessed if each.column == "text")

    assert told.right == 0


def test_a_target_of_many_numbers_is_taken_in_ranges(tmp_path: Path) -> None:
    rows = [{"id": number, "number": float(number), "y": "a"} for number in range(1_000)]

    found = compared(tmp_path, rows, [], target="number")

    assert found.most < 150
    assert {each.column: each.right for each in found.guessed}["id"] > 900


def by_hand(rows: list[tuple[Any, Any]]) -> int:
    """Every row guessed from all the others."""
    right = 0
    for place, (value, answer) in enumerate(rows):
        others = Counter(y for other, (v, y) in enumerate(rows) if other != place and v == value)
        best = others.most_common(2)
        right += bool(best) and best[0][0] == answer and (len(best) < 2 or best[0][1] > best[1][1])
    return right


PAIRS = st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from(["x", "y", "z"])), max_size=25)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=PAIRS)
def test_guesses_from_counts_are_those_of_leaving_each_row_out(tmp_path: Path, pairs: list[tuple[Any, Any]]) -> None:
    rows = [{"text": value, "y": answer} for value, answer in pairs]

    (told,) = (each for each in compared(tmp_path, rows, [], target="y").guessed if each.column == "text")

    assert told.right == by_hand(pairs)
