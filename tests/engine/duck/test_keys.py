"""Primary keys in one batch, with the positions of the rows that had to go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.duck.conftest import Stage, plan

from lastro.engine.duck.keys import Watch
from lastro.engine.duck.positions import corrected, positions
from lastro.engine.scan import Csv, FileScan, JsonLines, StreamScan
from lastro.model.schema import Primitive

LONG = Primitive.LONG


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_positions_of_kept_rows_are_those_of_the_source(stays: list[bool]) -> None:
    kept = np.flatnonzero(stays) + 1
    removed = np.flatnonzero(~np.array(stays)) + 1

    assert positions(np.arange(len(kept)), removed).tolist() == kept.tolist()
    assert corrected(np.arange(1, len(kept) + 1), removed).tolist() == kept.tolist()


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(-5, 5) | st.none(), max_size=6), max_size=5))
def test_a_key_that_grows_has_no_duplicates(batches: list[list[int | None]]) -> None:
    watch = Watch(["id"])
    for values in batches:
        watch.look(pa.record_batch({"id": pa.array(values, pa.int64())}))
    every = [value for values in batches for value in values]

    present = [value for value in every if value is not None]
    assert watch.grows == (present == every == sorted(set(present)))


@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us", "UTC"), pa.int16()])
def test_days_and_moments_can_grow_too(kind: pa.DataType) -> None:
    watch = Watch(["id"])
    watch.look(
        pa.record_batch(
            {"id": pa.array([1, 2, 3]).cast(pa.int32() if pa.types.is_date(kind) else pa.int64()).cast(kind)}
        )
    )

    assert watch.grows


ROWS = st.lists(st.tuples(st.sampled_from(["1", "2", "3", "4", "", "x"]), st.sampled_from("ab")), max_size=30)


def expected(rows: Sequence[tuple[str, str]], *, last: bool) -> tuple[set[int], set[int]]:
    """Positions kept and positions that repeat a key, of rows whose number is one."""
    seen: dict[tuple[str, str], int] = {}
    kept, gone = set(), set()
    for position, (number, letter) in sorted(enumerate(rows, 1), reverse=last):
        if number == "x":
            continue
        if number == "" or (number, letter) not in seen:
            seen[number, letter] = position
            kept.add(position)
        else:
            gone.add(position)
    return kept, gone


@pytest.mark.parametrize("last", [False, True])
def test_of_equal_keys_one_is_kept_wherever_they_stand(stage: Stage, tmp_path: Path, last: bool) -> None:
    random = np.random.default_rng(7)
    for round_ in range(4):
        numbers, letters = random.choice(["1", "2", "3", "4", "", "x"], 60), random.choice(["a", "b"], 60)
        rows = [(str(number), str(letter)) for number, letter in zip(numbers, letters, strict=True)]
        table = pa.table(
            {"n": [number or None for number, _ in rows], "k": [letter for _, letter in rows], "at": range(1, 61)}
        )
        result = stage(plan("k", n=LONG, at=LONG, key=("n", "k")), StreamScan(table, "core.t"), keep_last=last)
        kept, gone = expected(rows, last=last)

        assert {row["at"] for row in result.kept} == kept, round_
        assert [row["at"] for row in result.kept] == sorted(kept)
        repeated = [row for row in result.aside if row["rules"] == ["primary_key"]]
        assert {row["position"] for row in repeated} == gone
        assert all(json.loads(row["record"])["at"] == str(row["position"]) for row in repeated)


def test_positions_count_over_files_skipped_refused_and_blank_records(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("n,k\n1,a\nragged\nx,a\n2,a\n1,b\n")
    (tmp_path / "two.csv").write_text("n,k\n\n9,a\nx,a\nragged\n\n2,b\n3,c\n")
    result = stage(plan("k", n=LONG, key=("n",)), FileScan((tmp_path / "one.csv", tmp_path / "two.csv"), Csv()))

    assert [(row["n"], row["k"]) for row in result.kept] == [(1, "a"), (2, "a"), (9, "a"), (3, "c")]
    assert [place[:3] for place in result.places] == [
        ("one.csv", 2, ["malformed"]),
        ("one.csv", 3, ["n.type"]),
        ("one.csv", 5, ["primary_key"]),
        ("two.csv", 2, ["n.type"]),
        ("two.csv", 3, ["malformed"]),
        ("two.csv", 4, ["primary_key"]),
    ]


def test_positions_count_over_blank_and_broken_lines_of_json(stage: Stage) -> None:
    content = b'\n{"n":1}\nbroken\n\n{"n":"\xff"}\n{"n":"x"}\n  \n{"n":1}\n{"n":2}\n'
    result = stage(plan(n=LONG, key=("n",)), content, JsonLines(), name="a.jsonl")

    assert [row["n"] for row in result.kept] == [1, 2]
    assert [(place[1], place[2]) for place in result.places] == [
        (2, ["malformed"]),
        (3, ["malformed"]),
        (4, ["n.type"]),
        (5, ["primary_key"]),
    ]


def test_many_duplicates_are_found_in_bounded_memory(stage: Stage) -> None:
    rows = 300_000
    numbers = np.random.default_rng(1).integers(0, 100_000, rows)
    result = stage(
        plan("v", n=LONG, key=("n",)), StreamScan(pa.table({"n": numbers, "v": numbers.astype(str)}), "core.t")
    )

    assert len(result.kept) == len(np.unique(numbers))
    assert result.staged.refused["primary_key"] == rows - len(result.kept)
