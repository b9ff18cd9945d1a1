"""Why deltalake is pinned: of 81 pairs of its own operations, the second from a stale handle, none may go wrong.

Whoever moves the pin runs this first. 1.6.6 fails it: a stale OPTIMIZE after another doubles rows. Lastro's own commits
do not go through these operations; people's other tools do, on the same tables.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError

Operation = Callable[[DeltaTable, int], object]
INSIDE = "id >= 5 and id < 15"


def rows(first: int, last: int, value: int) -> pa.Table:
    keys = range(first, last)
    return pa.table({"id": pa.array(keys, pa.int64()), "v": pa.array([value] * len(keys), pa.int64())})


def merge(table: DeltaTable, turn: int) -> object:
    merger = table.merge(rows(5, 15, turn), "t.id = s.id", source_alias="s", target_alias="t")
    return merger.when_matched_update_all().when_not_matched_insert_all().execute()


OPERATIONS: dict[str, Operation] = {
    "append": lambda table, turn: write_deltalake(table, rows(1000 + turn, 1001 + turn, turn), mode="append"),
    "delete": lambda table, _turn: table.delete(INSIDE),
    "update": lambda table, _turn: table.update(updates={"v": "v + 1"}, predicate=INSIDE),
    "merge": merge,
    "compact": lambda table, _turn: table.optimize.compact(),
    "z-order": lambda table, _turn: table.optimize.z_order(["id"]),
    "overwrite": lambda table, turn: write_deltalake(table, rows(2000 + turn, 2001 + turn, turn), mode="overwrite"),
    "replace where": lambda table, turn: write_deltalake(table, rows(5, 15, turn), mode="overwrite", predicate=INSIDE),
    "restore": lambda table, _turn: table.restore(1),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pin") / "base"
    for start in range(0, 40, 10):
        write_deltalake(str(folder), rows(start, start + 10, 0), mode="append")
    return folder


def content(folder: Path) -> list[tuple[int, int]]:
    found = DeltaTable(str(folder)).to_pyarrow_table().to_pydict()
    return sorted(zip(found["id"], found["v"], strict=True))


def copied(base: Path) -> Path:
    folder = base.parent / "pair"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base, folder)
    return folder


def in_turn(base: Path, *steps: tuple[str, int]) -> list[tuple[int, int]]:
    folder = copied(base)
    for name, turn in steps:
        OPERATIONS[name](DeltaTable(str(folder)), turn)
    return content(folder)


def judged(base: Path, first: str, second: str) -> str:
    """`serial`, `refused`, or how it went wrong."""
    folder = copied(base)
    one, other = DeltaTable(str(folder)), DeltaTable(str(folder))
    OPERATIONS[first](one, 1)
    only = content(folder)
    try:
        OPERATIONS[second](other, 2)
    except DeltaError:
        return "refused" if content(folder) == only else "refused, but changed"
    both = content(folder)
    if both == in_turn(base, (first, 1), (second, 2)) or both == in_turn(base, (second, 2), (first, 1)):
        return "serial"
    return "wrong"


def test_no_pair_of_stale_operations_goes_wrong(base: Path) -> None:
    verdicts = {pair: judged(base, *pair) for pair in product(OPERATIONS, repeat=2)}

    assert len(verdicts) == 81
    assert set(verdicts.values()) >= {"serial", "refused"}
    assert {pair: verdict for pair, verdict in verdicts.items() if verdict not in ("serial", "refused")} == {}
