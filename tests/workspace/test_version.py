"""Versions as they are read: verified, by any library, in any form."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from tests.workspace.copies import Copy, approved
from tests.workspace.lake import GOOD
from tests.workspace.telling import Telling

from lastro.model.errors import Corrupted, MissingExtra, SqlRefused, UnknownName, UsageError
from lastro.workspace.version import Version


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return approved(tmp_path_factory.mktemp("original") / "lake")


@pytest.fixture
def lake(original, tmp_path):
    return Copy(original, tmp_path / "lake")


@pytest.fixture
def version(lake):
    return lake.workspace.version("loans@approved")


def spoil(version):
    """Changes one byte in the middle of a data file."""
    path = version.table.paths(version.info)[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def test_every_library_reads_the_same_rows(version):
    rows = sorted(version.to_arrow().to_pylist(), key=lambda row: row["id"])

    assert [row["uf"] for row in rows] == ["SP", "RJ", "MG"]
    assert len(version) == len(rows) == 3
    assert sorted(pa.table(version).to_pylist(), key=lambda row: row["id"]) == rows
    assert pl.DataFrame(version).sort("id").to_dicts() == rows
    assert version.to_polars().sort("id").to_dicts() == rows
    assert version.to_pandas().sort_values("id")["uf"].tolist() == ["SP", "RJ", "MG"]
    with duckdb.connect() as connection:
        found = connection.sql("SELECT sum(income), count(*) FROM version").fetchall()
    assert found == [(1300.5, 3)]


def test_columns_and_conditions_narrow_what_is_read(version):
    assert version.to_arrow("uf", where="income > 500").to_pylist() == [{"uf": "SP"}]
    assert version.to_arrow("uf", "id").column_names == ["uf", "id"]
    with pytest.raises(UnknownName, match="no column cpf"):
        version.to_arrow("cpf")
    with pytest.raises(SqlRefused):
        version.to_arrow(where="id IN (SELECT 1 FROM read_csv('/etc/passwd'))")


def test_no_library_meets_a_view_type(version):
    kinds = version.reader().schema.types

    assert pa.string_view() not in kinds
    assert pa.string() in kinds


def test_numbers_become_a_matrix_with_nan_for_what_is_missing(version):
    matrix = version.to_numpy("id", "income")

    assert matrix.dtype == np.float64
    assert sorted(map(tuple, np.nan_to_num(matrix, nan=-1))) == [(1, 1000.5), (2, -1), (3, 300)]


def test_text_is_no_matrix_and_the_column_is_named(version):
    with pytest.raises(UsageError, match="uf is string") as caught:
        version.to_numpy()

    assert "to_polars" in caught.value.do


@pytest.mark.parametrize("name", ["out.parquet", "out.csv", "out.jsonl", "out.arrow", "OUT.PARQUET"])
def test_a_file_is_written_in_the_form_its_name_tells(version, tmp_path, name):
    target = tmp_path / name

    assert version.write(target) == 3

    match name.lower().partition(".")[2]:
        case "parquet":
            found = pa.parquet.read_table(target).to_pylist()
        case "csv":
            found = pl.read_csv(target).to_dicts()
        case "jsonl":
            found = [json.loads(line) for line in target.read_text().splitlines()]
        case _:
            found = pa.feather.read_table(target).to_pylist()
    assert sorted((row["id"], row["uf"], row["income"]) for row in found if row["id"] != 2) == [
        (1, "SP", 1000.5),
        (3, "MG", 300.0),
    ]
    assert len(found) == 3


def test_a_form_can_be_named_and_an_unknown_one_is_refused(version, tmp_path):
    assert version.write(tmp_path / "rows", form="csv", columns=["id"], where="uf = 'SP'") == 1
    assert (tmp_path / "rows").read_text().split() == ['"id"', "1"]
    with pytest.raises(UsageError, match="xlsx"):
        version.write(tmp_path / "rows.xlsx")
    with pytest.raises(UsageError):
        version.write(tmp_path / "rows.csv", form="xml")


def test_a_changed_byte_is_never_handed_over(version, tmp_path):
    part = version.split("id", fractions={"all": 1.0})["all"]
    spoil(version)

    for reading in (
        version.to_arrow,
        version.to_polars,
        lambda: pa.table(version),
        lambda: version.to_numpy("id"),
        lambda: list(version.batches(2, columns=["id"])),
        lambda: version.write(tmp_path / "x.csv"),
        part.to_arrow,
        version.prove,
    ):
        with pytest.raises(Corrupted):
            reading()
    assert not (tmp_path / "x.csv").exists()


def test_a_version_stays_what_it_was(lake, version):
    before = version.to_arrow().sort_by("id")
    lake.csv.write_text(GOOD + "8,SP,1,2026-01-09\n")
    lake.loans.ingest()

    assert version.to_arrow().sort_by("id") == before
    assert sorted(lake.workspace.version("loans").to_arrow("id")["id"].to_pylist()) == [1, 2, 3, 8]
    assert lake.workspace.version("loans@0").digest == version.digest


def test_old_rows_keep_their_side_in_a_later_version(lake, version):
    def sides(read):
        parts = read.split("id", fractions={"train": 0.5, "test": 0.5}, seed=4)
        return {row["id"]: name for name, part in parts.items() for row in part.to_arrow("id").to_pylist()}

    before = sides(version)
    lake.csv.write_text(GOOD + "".join(f"{n},SP,1,2026-01-09\n" for n in range(10, 40)))
    lake.loans.ingest()
    after = sides(lake.workspace.version("loans"))

    assert len(after) == 33
    assert {key: after[key] for key in before} == before


def test_a_worker_process_gets_a_version_of_its_own(version):
    told = []
    watched = Version(version.info, version.table, version.engine, gate=Telling(told.append))
    parts = watched.split("id")

    again, part = pickle.loads(pickle.dumps((watched, parts["train"])))

    assert again.to_arrow() == version.to_arrow()
    assert part.to_arrow() == parts["train"].to_arrow()
    assert len(told) == 1


def test_whoever_asked_is_told_of_every_reading(version):
    told = []
    watched = Version(version.info, version.table, version.engine, gate=Telling(told.append))

    assert repr(watched)
    assert told == []
    watched.to_arrow()
    list(watched.split("id")["train"].batches(10))
    assert told == [version.info, version.info]


def test_what_is_shown_holds_no_data(version):
    shown = repr(version) + version._repr_html_() + repr(version.split("id")["train"])

    assert "loans@0" in shown
    assert "3 rows" in shown
    assert version.digest[7:15] in shown
    assert "1000" not in shown
    assert "MG" not in shown


@pytest.mark.parametrize(("library", "method"), [("polars", "to_polars"), ("pandas", "to_pandas")])
def test_a_library_that_is_not_installed_is_named(library, method):
    program = (
        "import sys\nimport pyarrow as pa\nfrom tests.workspace.rows_of import rows_of\n"
        "from lastro.model.errors import MissingExtra\n"
        f"rows = rows_of(pa.table({{'id': [1]}}))\nsys.modules['{library}'] = None\n"
        f"try:\n    rows.{method}()\n"
        "except MissingExtra as error:\n    print(error.do)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == f"pip install 'lastro[{library}]'"
    assert issubclass(MissingExtra, ImportError)


def test_importing_versions_loads_no_heavy_library():
    heavy = ("duckdb", "pyarrow", "numpy", "polars", "pandas", "deltalake", "mlflow")
    modules = ("version", "training.run", "training.replay", "training.lockfile")
    program = (
        f"import sys, {', '.join(f'lastro.workspace.{name}' for name in modules)}\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
