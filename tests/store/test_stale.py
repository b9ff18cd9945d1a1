"""Our own operations against handles and plans that are stale: the result is that of some order, or a refusal."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from tests.store.making import SCHEMA, Clock, append, content, origin, overwrite, stage, upsert_change

from lastro.model.clock import utc_now
from lastro.model.errors import Conflict, Expired, LastroError, UnknownName
from lastro.model.version import Mode
from lastro.store.check import verify
from lastro.store.collect import collect
from lastro.store.repair import repair
from lastro.store.table import Table
from lastro.store.writer import Change

GRACE = timedelta(days=7)
Finish = Callable[[], object]
Operation = Callable[[Table, str], Finish]
"""What is planned on the version a handle has seen, and the commit that ends it, run later."""


def plan_append(table: Table, key: str) -> Finish:
    table.head()
    return lambda: append(table, [(100 * len(key), 1)], key)


def plan_overwrite(table: Table, key: str) -> Finish:
    table.head()
    return lambda: overwrite(table, [(1, len(key))], key)


def plan_upsert(table: Table, key: str) -> Finish:
    folder = table.places.root / f"plan {key}"
    folder.mkdir()
    with table.lock() as writer:
        change = upsert_change(table, writer, folder, [(1, 7), (50, 7)], key)

    def finish() -> object:
        with table.lock() as writer:
            return writer.commit(change)

    return finish


def plan_rewrite(table: Table, key: str) -> Finish:
    """An overwrite that depends on what was read, as a compaction does."""
    head = table.head()
    assert head is not None
    rows = content(table, head.number)

    def finish() -> object:
        with table.lock() as writer, writer.staging() as folder:
            file = stage(folder, rows)
            change = Change(SCHEMA, [file], origin(Mode.OVERWRITE, key), replace_all=True, planned_at=head.number)
            return writer.commit(change)

    return finish


def plan_restore(table: Table, key: str) -> Finish:
    info = table.version(0)

    def finish() -> object:
        with table.lock() as writer:
            return writer.restore(info, origin(Mode.RESTORE, key))

    return finish


def plan_collect(table: Table, _key: str) -> Finish:
    table.head()
    later = Table(table.places.root, "loans", clock=lambda: utc_now() + timedelta(days=60))
    later.history()
    return lambda: collect(later, keep=set(), grace=GRACE, apply=True)


def plan_tag(table: Table, _key: str) -> Finish:
    info = table.version(1)
    return lambda: table.tag("kept", info.number)


def plan_repair(table: Table, _key: str) -> Finish:
    verify(table)
    return lambda: repair(table, apply=True)


OPERATIONS: dict[str, Operation] = {
    "append": plan_append,
    "overwrite": plan_overwrite,
    "upsert": plan_upsert,
    "rewrite": plan_rewrite,
    "restore": plan_restore,
    "collect": plan_collect,
    "tag": plan_tag,
    "repair": plan_repair,
}


@pytest.fixture
def base(quick_folder: Path) -> Path:
    folder = quick_folder / "base"
    table = Table(folder, "loans", clock=Clock(utc_now() - timedelta(days=30)))
    append(table, [(1, 0), (2, 0)], "a")
    append(table, [(3, 0)], "b")
    overwrite(table, [(1, 0), (4, 0)], "c")
    return folder


def copied(base: Path) -> Path:
    folder = base.parent / "pair"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base, folder)
    return folder


def seen(root: Path) -> tuple[object, ...]:
    """What a person sees: every version's rows (None if expired) and the tags."""
    table = Table(root, "loans")
    rows = [
        None if info.number in table.expired() else content(table, info.number) for info in reversed(table.history())
    ]
    return rows, dict(table.tags())


def in_turn(base: Path, *steps: tuple[str, str]) -> tuple[object, ...] | None:
    root = copied(base)
    try:
        for name, key in steps:
            OPERATIONS[name](Table(root, "loans"), key)()
    except LastroError:
        return None
    return seen(root)


def judged(base: Path, first: str, second: str) -> str:
    root = copied(base)
    one, other = Table(root, "loans"), Table(root, "loans")
    finish_one, finish_other = OPERATIONS[first](one, "k1"), OPERATIONS[second](other, "k22")
    finish_one()
    only = seen(root)
    try:
        finish_other()
    except (Conflict, Expired, UnknownName):
        return "refused" if seen(root) == only else "refused, but changed"
    both = seen(root)
    if verify(Table(root, "loans"), read_data=True):
        return "damaged"
    if both == in_turn(base, (first, "k1"), (second, "k22")) or both == in_turn(base, (second, "k22"), (first, "k1")):
        return "serial"
    return "wrong"


def test_no_pair_of_stale_operations_goes_wrong(base: Path) -> None:
    verdicts = {pair: judged(base, *pair) for pair in product(OPERATIONS, repeat=2)}

    assert {pair: verdict for pair, verdict in verdicts.items() if verdict not in ("serial", "refused")} == {}
    assert verdicts["append", "upsert"] == verdicts["overwrite", "rewrite"] == "refused"
    assert verdicts["append", "append"] == verdicts["upsert", "append"] == "serial"
    assert verdicts["collect", "restore"] == verdicts["collect", "tag"] == "refused"


def test_a_removed_file_that_is_gone_by_now_is_a_conflict(base: Path) -> None:
    table = Table(copied(base), "loans")
    gone = table.version(0).files[0].path

    with table.lock() as writer, pytest.raises(Conflict, match="still at version 2"):
        writer.commit(Change(SCHEMA, [], origin(Mode.UPSERT, "x"), removed=[gone]))
