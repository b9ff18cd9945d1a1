"""Batches: exact sizes, fixed types, bounded memory, repeatable order."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.workspace.rows_of import rows_of

from lastro.model.errors import MissingExtra, UnknownName, UsageError
from lastro.workspace.training import batches
from lastro.workspace.training.batches import Batches

WITHOUT_TORCH = "PyTorch is not installed here; to run this: .venv/bin/pip install torch"


def numbered(count):
    return pa.table({"id": pa.array(range(count), pa.int64()), "x": pa.array(np.arange(count) / 2)})


def ids(read: Batches) -> list[list[int]]:
    return [batch["id"].astype(int).tolist() for batch in read]


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(1, 15), st.integers(1, 9))
def test_every_batch_but_the_last_is_full_and_no_row_is_lost(count, size, arriving):
    read = rows_of(numbered(count), batch_rows=arriving).batches(size)

    assert [n for batch in ids(read) for n in batch] == list(range(count))
    assert [len(batch) for batch in ids(read)][:-1] == [size] * (count // size - (count % size == 0) if count else 0)


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(1, 7), st.integers(1, 5))
def test_the_shards_together_give_every_row_once(count, size, shards):
    rows = rows_of(numbered(count))

    found = [ids(rows.batches(size, shard=(index, shards))) for index in range(shards)]

    assert sorted(n for shard in found for batch in shard for n in batch) == list(range(count))
    assert max(map(len, found)) - min(map(len, found)) <= 1


def test_shuffling_is_the_same_for_the_same_seed():
    rows = rows_of(numbered(20))

    first = [n for batch in ids(rows.batches(4, shuffle_seed=3)) for n in batch]

    assert first == [10, 8, 1, 3, 15, 9, 7, 19, 5, 13, 14, 11, 16, 17, 4, 0, 6, 18, 12, 2]
    assert [n for batch in ids(rows.batches(20, shuffle_seed=3)) for n in batch] == first
    assert [n for batch in ids(rows.batches(4, shuffle_seed=4)) for n in batch] != first


def test_a_rows_values_stay_together_when_shuffled():
    for batch in rows_of(numbered(50)).batches(8, shuffle_seed=1):
        assert (batch["x"] * 2 == batch["id"]).all()


def test_shuffling_holds_one_window_at_a_time(monkeypatch):
    monkeypatch.setattr(batches, "WINDOW_ROWS", 10)

    order = [n for batch in ids(rows_of(numbered(25)).batches(5, shuffle_seed=2)) for n in batch]

    assert [sorted(order[start : start + 10]) for start in (0, 10, 20)] == [
        list(range(10)),
        list(range(10, 20)),
        list(range(20, 25)),
    ]


def test_types_depend_on_the_schema_alone():
    schema = pa.schema(
        [
            pa.field("id", pa.int64(), nullable=False),
            pa.field("age", pa.int32()),
            pa.field("sure", pa.bool_(), nullable=False),
            pa.field("late", pa.bool_()),
            pa.field("small", pa.float32()),
            pa.field("amount", pa.decimal128(12, 2), nullable=False),
            pa.field("day", pa.date32()),
            pa.field("at", pa.timestamp("us", "UTC")),
            pa.field("uf", pa.string()),
        ]
    )
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    rows = [
        (1, 30, True, None, 0.5, Decimal("1.25"), date(2026, 3, 1), noon, "SP"),
        (2, None, False, True, None, Decimal(2), None, None, None),
    ]
    read = rows_of(pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema))

    for size in (1, 2):
        kinds = [{name: str(array.dtype) for name, array in batch.items()} for batch in read.batches(size)]
        assert kinds == [
            {
                "id": "int64",
                "age": "float64",
                "sure": "bool",
                "late": "float64",
                "small": "float32",
                "amount": "float64",
                "day": "datetime64[D]",
                "at": "datetime64[us]",
                "uf": "object",
            }
        ] * (2 // size)
    batch = next(iter(read.batches(2)))
    assert batch["age"][0] == 30
    assert np.isnan(batch["age"][1])
    assert np.isnan(batch["late"][0])
    assert batch["amount"].tolist() == [1.25, 2.0]
    assert batch["at"][0] == np.datetime64("2026-03-01T12:00:00")
    assert np.isnat(batch["day"][1])
    assert batch["uf"].tolist() == ["SP", None]


def test_a_batch_may_be_changed_in_place():
    read = rows_of(numbered(6)).batches(3)

    for batch in read:
        batch["x"] *= 0

    assert [batch["x"].tolist() for batch in read] == [[0.0, 0.5, 1.0], [1.5, 2.0, 2.5]]


def test_only_the_columns_asked_for():
    assert [list(batch) for batch in rows_of(numbered(3)).batches(2, columns=["x"])] == [["x"], ["x"]]


@pytest.mark.parametrize(
    "options",
    [
        {"size": 0},
        {"size": 1, "to": "jax"},
        {"size": 1, "shard": (2, 2)},
        {"size": 1, "shard": (0, 0)},
        {"size": 1, "shuffle_seed": -1},
    ],
)
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(UsageError) as caught:
        rows_of(numbered(3)).batches(**options)

    assert caught.value.do


def test_an_unknown_column_is_named():
    with pytest.raises(UnknownName, match="no column y"):
        rows_of(numbered(3)).batches(1, columns=["y"])


@pytest.mark.parametrize("names", [["x"], ("x",), []])
def test_a_list_of_columns_is_told_from_a_column(names):
    with pytest.raises(UsageError, match="one by one") as caught:
        rows_of(numbered(3)).to_numpy(names)

    assert "*names" in caught.value.do


def test_without_torch_the_missing_library_is_named():
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from tests.workspace.training.test_batches import numbered, rows_of\n"
        "from lastro.model.errors import MissingExtra\n"
        "try:\n    rows_of(numbered(3)).batches(1, to='torch')\n"
        "except MissingExtra as error:\n    print(error.do)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "pip install torch"
    assert issubclass(MissingExtra, ImportError)


def test_tensors_share_the_arrays_values():
    torch = pytest.importorskip("torch", reason=WITHOUT_TORCH)
    read = rows_of(numbered(5)).batches(2, to="torch")

    assert [batch["x"].tolist() for batch in read] == [[0.0, 0.5], [1.0, 1.5], [2.0]]
    assert {batch["x"].dtype for batch in read} == {torch.float64}
    with pytest.raises(UsageError, match="uf is string"):
        rows_of(pa.table({"uf": ["SP"]})).batches(1, to="torch")


def test_a_data_loaders_workers_share_the_rows():
    pytest.importorskip("torch", reason=WITHOUT_TORCH)
    from torch.utils.data import DataLoader

    tensors = rows_of(numbered(23)).batches(2, to="torch")
    found = [n for batch in DataLoader(tensors, batch_size=None, num_workers=2) for n in batch["id"].tolist()]

    assert sorted(found) == list(range(23))
