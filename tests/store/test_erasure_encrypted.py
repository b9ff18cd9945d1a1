"""Rows leave files with encrypted columns: same name, same size, still encrypted, and nobody takes one for another."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.store.by_value import ByValue

from lastro.engine.duck.parquet import Writer
from lastro.engine.encrypted import Sealing, encrypted_in, metadata, opened
from lastro.model.errors import NotPermitted
from lastro.model.keyed_path import keyed
from lastro.model.schema import Field, Primitive, Schema
from lastro.privacy.columns import VaultColumnKeys
from lastro.privacy.keys import KeyFor
from lastro.privacy.root import RootAt
from lastro.privacy.rotation import turn
from lastro.privacy.vault import Vault
from lastro.store import stats
from lastro.store.erasure import rewriting
from lastro.store.erasure.finding import ByText, count

SCHEMA = Schema(
    (
        Field("who", Primitive.STRING),
        Field("illness", Primitive.STRING),
        Field("dose", Primitive.LONG),
        Field("n", Primitive.LONG),
    )
)


@pytest.fixture
def keys(tmp_path: Path) -> VaultColumnKeys:
    return VaultColumnKeys(Vault(tmp_path / "vault.sqlite", RootAt("file", tmp_path / "keys")))


def table(rows: int, seed: int = 7) -> pa.Table:
    chance = random.Random(seed)
    return pa.table(
        {
            "who": [f"tok_{number % max(1, rows // 3)}" for number in range(rows)],
            "illness": [f"illness {chance.random()}" for _number in range(rows)],
            "dose": [chance.randrange(10**12) for _number in range(rows)],
            "n": list(range(rows)),
        }
    )


def written(folder: Path, keys: VaultColumnKeys, rows: pa.Table) -> Path:
    with Writer(folder, "part", sealing=Sealing(frozenset({"illness", "dose"}), keys)) as writer:
        for batch in rows.to_batches():
            writer.write(batch)
    return writer.files[0].path


def starts(path: Path) -> set[int]:
    group = metadata(path).row_group(0)
    return {
        min(filter(None, (group.column(at).dictionary_page_offset, group.column(at).data_page_offset)))
        for at in range(group.num_columns)
    }


@pytest.mark.parametrize("rows", [3, 40, 3_000])
def test_the_rest_stays_encrypted_under_the_same_size(tmp_path, keys, rows):
    source, whole = written(tmp_path, keys, table(rows)), table(rows)
    target = tmp_path / "target.parquet"
    doomed = ByValue("who", frozenset({"tok_0"}))
    gone = count(source, doomed)
    turn(keys.vault, KeyFor.COLUMN)

    assert rewriting.rewrite(source, target, doomed) == rows - gone
    after = keyed(target, keys)
    assert target.stat().st_size == source.stat().st_size
    assert encrypted_in(after) == encrypted_in(source), "under the key that it had"
    with opened(after) as file:
        left = file.read()
    assert left.to_pylist() == [row for row in whole.to_pylist() if row["who"] != "tok_0"]
    assert not any(row["illness"].encode() in target.read_bytes() for row in whole.to_pylist()[:50])


def test_no_column_begins_where_one_began(tmp_path, keys):
    source, target = written(tmp_path, keys, table(3_000)), tmp_path / "target.parquet"
    before = starts(source)
    rewriting.rewrite(source, target, ByValue("who", frozenset({"tok_1", "tok_2", "tok_3", "tok_4", "tok_5"})))

    assert before.isdisjoint(starts(keyed(target, keys)))
    assert pq.read_table(target, columns=["n"]).num_rows == 3_000 - 15


def test_all_rows_may_go(tmp_path, keys):
    source, target = written(tmp_path, keys, table(30)), tmp_path / "target.parquet"

    assert rewriting.rewrite(source, target, ByText("who", frozenset(f"tok_{number}" for number in range(30)))) == 0
    assert target.stat().st_size == source.stat().st_size
    with opened(keyed(target, keys)) as file:
        assert file.read().num_rows == 0


def test_persons_are_found_without_keys_and_files_are_not_rewritten_without_them(tmp_path, keys):
    source = Path(str(written(tmp_path, keys, table(30))))
    doomed = ByValue("who", frozenset({"tok_1"}))

    assert count(source, doomed) == 3
    with pytest.raises(NotPermitted, match="illness"):
        rewriting.rewrite(source, tmp_path / "target.parquet", doomed)
    assert not (tmp_path / "target.parquet").exists()


def test_a_person_is_found_in_an_encrypted_text(tmp_path, keys):
    source = written(tmp_path, keys, table(30))
    [value] = [table(30).column("illness")[4].as_py().split()[1]]

    assert count(source, ByText("illness", frozenset({value}))) == 1


def test_the_log_is_told_nothing_of_encrypted_columns(tmp_path, keys):
    footer = stats.read_footer(written(tmp_path, keys, table(30)), SCHEMA)

    assert (footer.rows, footer.columns) == (30, ("who", "illness", "dose", "n"))
    assert "illness" not in footer.stats
    assert "dose" not in footer.stats
    assert '"maxValues":{"who":"tok_9","n":29}' in footer.stats
