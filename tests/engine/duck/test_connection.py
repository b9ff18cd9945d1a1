"""The locked-down connection, attacked."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from lastro.engine.duck.connection import in_order, session
from lastro.engine.duck.limits import Limits
from lastro.model.errors import EngineError

ATTACKS = [
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM read_text('{folder}/allowed.csv/../secret.csv')",
    "SELECT * FROM read_csv('{folder}/link.csv')",
    "SELECT * FROM read_csv('{folder}/*.csv')",
    "SELECT * FROM 'http://127.0.0.1:9/x.csv'",
    "SELECT * FROM 's3://bucket/x.parquet'",
    "COPY (SELECT 1) TO '{folder}/stolen.csv'",
    "COPY (SELECT 1) TO '{folder}/allowed.csv'",
    "EXPORT DATABASE '{folder}/stolen'",
    "IMPORT DATABASE '{folder}'",
    "ATTACH '{folder}/stolen.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{folder}/evil.duckdb_extension'",
    "SELECT getenv('HOME')",
    "SET enable_external_access = true",
    "SET allowed_paths = ['/etc/passwd']",
    "SET allowed_directories = ['/']",
    "SET lock_configuration = false",
    "RESET lock_configuration",
    "SET memory_limit = '100GB'",
    "SET temp_directory = '{folder}'",
    "PRAGMA enable_profiling = 'json'",
    "SET profiling_output = '{folder}/stolen.json'",
    "CREATE PERSISTENT SECRET s (TYPE s3)",
    "SELECT * FROM variable_of_python",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "allowed.csv").write_text("a\n1\n")
    (tmp_path / "secret.csv").write_text("a\n2\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "secret.csv")
    return tmp_path


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_was_not_named_cannot_be_reached(folder: Path, attack: str) -> None:
    variable_of_python = pa.table({"a": [1]})
    assert variable_of_python.num_rows == 1
    before = {path: path.read_bytes() for path in folder.glob("*.csv")}

    with (
        session(Limits(), readable=[folder / "allowed.csv"], temp=folder / "spill") as connection,
        pytest.raises(duckdb.Error),
    ):
        connection.execute(attack.format(folder=folder)).fetchall()
    assert {path: path.read_bytes() for path in folder.glob("*.csv")} == before
    assert not list(folder.glob("stolen*"))


def test_what_was_named_can_be_read_and_the_spill_folder_goes(folder: Path) -> None:
    with session(Limits(memory_mb=60), readable=[folder / "allowed.csv"], temp=folder / "spill") as connection:
        rows = connection.execute(f"SELECT * FROM read_csv('{folder / 'allowed.csv'}')").fetchall()
        (count,) = connection.execute(
            "SELECT count(*) FROM (SELECT i, repeat('x', 20) FROM range(3000000) t(i) ORDER BY hash(i) LIMIT 2999999)"
        ).fetchone() or (0,)

    assert rows == [(1,)]
    assert count == 2_999_999
    assert not list((folder / "spill").iterdir())


def test_a_query_that_would_mix_up_rows_is_not_run(tmp_path: Path) -> None:
    with session(Limits(), temp=tmp_path) as connection:
        values = ", ".join(f"'{index}'" for index in range(100))
        kept = in_order(connection, f"SELECT i FROM range(10) t(i) WHERE i::VARCHAR IN ({values})").fetchall()

        assert kept == [(index,) for index in range(10)]
        for query in (
            "SELECT * FROM range(9) a(i) JOIN range(9) b(i) USING (i)",
            "SELECT DISTINCT i FROM range(9) t(i)",
        ):
            with pytest.raises(EngineError, match="order"):
                in_order(connection, query)
