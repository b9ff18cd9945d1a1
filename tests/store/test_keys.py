"""The index of idempotency keys answers as the manifests do, from few of them, and never instead of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.store.making import SCHEMA, append, origin

from lastro.model.version import Mode
from lastro.store import keys
from lastro.store.table import Table
from lastro.store.writer import Change

COUNT = keys.EVERY + 6


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """Versions without files: only their keys matter here."""
    return fill(Table(tmp_path_factory.mktemp("keys"), "loans"), "key", COUNT)


def fill(table: Table, name: str, count: int) -> Table:
    for number in range(count):
        with table.lock() as writer:
            writer.commit(Change(SCHEMA, [], origin(Mode.APPEND, f"{name} {number}")))
    return table


@pytest.fixture
def table(made: Table, tmp_path: Path) -> Table:
    shutil.copytree(made.places.root, tmp_path / "copy")
    return Table(tmp_path / "copy", "loans")


def found(table: Table, key: str) -> int | None:
    with table.lock() as writer:
        info = writer.find_key(key)
    return None if info is None else info.number


def test_every_key_is_found_by_a_fresh_handle(table: Table) -> None:
    assert table.places.keys.exists()
    assert [found(table, f"key {number}") for number in range(COUNT)] == list(range(COUNT))
    assert found(table, "another") is None


def test_few_manifests_are_opened(table: Table) -> None:
    opened = []
    real = table.log.manifest
    table.log.manifest = lambda number: opened.append(number) or real(number)  # type: ignore[method-assign,func-returns-value]

    assert table.keys.find("another") is None
    assert min(opened) == keys.EVERY
    assert len(set(opened)) == COUNT - keys.EVERY


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"digest":"x","keys":{"marks":["a"],"last":"b"}}'])
def test_an_index_that_does_not_prove_itself_is_not_used(table: Table, content: bytes) -> None:
    table.places.keys.write_bytes(content)

    assert found(table, "key 3") == 3
    assert found(table, "another") is None


def test_the_index_of_another_history_is_not_used(table: Table, tmp_path: Path) -> None:
    other = fill(Table(tmp_path / "other", "loans"), "other", COUNT)
    shutil.copy(other.places.keys, table.places.keys)

    assert found(table, "key 3") == 3
    assert found(table, "other 3") is None


def test_a_key_committed_long_ago_by_another_process_is_answered_with_the_first_result(table: Table) -> None:
    append(table, [(1, 1)], "late")

    assert append(Table(table.places.root, "loans"), [(1, 1)], "key 2").number == 2
    assert append(Table(table.places.root, "loans"), [(1, 1)], "late").number == COUNT
