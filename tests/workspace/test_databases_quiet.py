"""A cursor column that stands still: rows without a value and rows that are gone are seen all the same, and where there
is nothing new nothing is written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import yaml
from tests.source.conftest import postgres_url, server  # noqa: F401 – fixtures
from tests.source.mysql_server import mysql, mysql_url  # noqa: F401 – fixtures

import lastro
from lastro.model.errors import SourceBroken

VALUES = [f"({number}, {number}, 'a')" for number in range(1, 20)]
KINDS = ("sqlite", "adbc", "sqlalchemy", "mysql", "postgres")


@dataclass(frozen=True)
class Place:
    """A workspace whose dataset `t` is upserted from a table of the same name, and statements for that."""

    root: Path
    run: Callable[..., None]

    @property
    def dataset(self):
        return lastro.open(self.root).dataset("t")

    def ingest(self):
        return self.dataset.ingest()

    def rows(self):
        return sorted((row["id"], row["seen"]) for row in self.dataset.version().to_arrow().to_pylist())

    def compare_keys(self):
        """The dataset removes what the source no longer holds."""
        path = self.root / "lastro.yaml"
        written = yaml.safe_load(path.read_text())
        written["datasets"]["t"]["deletes"] = {"keys": True}
        path.write_text(yaml.safe_dump(written))

    def allow_missing(self):
        """The contract lets values be missing."""
        path = self.root / "contracts" / "t.odcs.yaml"
        path.write_text(path.read_text().replace("        required: true\n", ""))

    def bytes(self):
        """Every file of the workspace with its content, without what an engine puts down for the time it is there."""
        found = {path for path in self.root.rglob("*") if path.is_file() and "staging" not in path.parts}
        return {path: path.read_bytes() for path in found}


def in_file(lake, **options):
    def run(*statements):
        with closing(sqlite3.connect(lake.root / "core.db")) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    return run, options


@pytest.fixture(params=KINDS)
def place(request, tmp_path, monkeypatch):
    lake = lastro.init(tmp_path / "lake")
    match request.param:
        case "mysql":
            found = request.getfixturevalue("mysql")
            run, options = found.run, {"kind": "mysql", "url": found.reference, "table": "t"}
        case "postgres":
            found = request.getfixturevalue("server")
            session = found.session(autocommit=True)
            found.run(f"SET search_path = {found.schema}", on=session)
            run, options = (
                partial(found.run, on=session),
                {"kind": "postgres", "url": found.reference, "table": f"{found.schema}.t"},
            )
        case "adbc":
            pytest.importorskip("adbc_driver_sqlite")
            monkeypatch.setenv("LASTRO_ANY_URI", f"file:{lake.root / 'core.db'}")
            run, options = in_file(lake, kind="adbc", driver="adbc_driver_sqlite", uri="${LASTRO_ANY_URI}", table="t")
        case "sqlalchemy":
            pytest.importorskip("sqlalchemy")
            run, options = in_file(lake, kind="sqlalchemy", url="sqlite:///core.db", table="t")
        case _:
            run, options = in_file(lake, kind="sqlite", path="core.db", table="t")
    run("CREATE TABLE t (id int PRIMARY KEY, seen int, note varchar(9))")
    run(f"INSERT INTO t VALUES {', '.join(VALUES)}")
    lake.add("", name="t", mode="upsert", options={**options, "cursor": "seen"})
    return Place(lake.root, run)


def test_a_new_row_without_a_value_is_seen_though_nothing_else_is_new(place):
    place.allow_missing()
    place.ingest()
    place.run("INSERT INTO t (id) VALUES (30)")

    first, second = place.ingest(), place.ingest()

    assert (first.inserted, first.updated, second.unchanged) == (1, 0, True)
    assert (30, None) in place.rows()


def test_a_row_without_a_value_that_changes_or_takes_anothers_place_is_seen(place):
    place.allow_missing()
    place.ingest()
    place.run("INSERT INTO t (id) VALUES (30), (31)")
    place.ingest()
    place.run("UPDATE t SET note = 'x' WHERE id = 30")
    changed = place.ingest()
    place.run("DELETE FROM t WHERE id = 31", "INSERT INTO t (id) VALUES (32)")

    other = place.ingest()

    assert (changed.inserted, changed.updated) == (0, 1)
    assert (other.inserted, other.updated) == (1, 0)


def test_a_row_that_is_gone_is_seen_though_nothing_else_is_new(place):
    place.ingest()
    place.compare_keys()
    place.run("DELETE FROM t WHERE id = 3")

    first, second = place.ingest(), place.ingest()

    assert (first.deleted, second.unchanged) == (1, True)
    assert 3 not in {key for key, _seen in place.rows()}


def test_nothing_new_writes_nothing(place):
    place.allow_missing()
    place.ingest()
    place.run("INSERT INTO t (id) VALUES (30)")
    place.compare_keys()
    place.ingest()
    place.run("CREATE TABLE another (id int)")
    before = place.bytes()

    found = place.ingest()

    after = place.bytes()
    assert found.unchanged
    assert after == before


def test_rows_without_a_value_that_are_set_aside_are_set_aside_once(place):
    place.compare_keys()
    place.ingest()
    place.run("INSERT INTO t (id) VALUES (30)")
    place.ingest()
    head = place.dataset.version().number

    found = place.ingest()

    assert (found.unchanged, place.dataset.version().number) == (True, head)
    assert place.dataset.quarantine().count() == 1


def test_append_names_the_dataset_whose_rows_lack_a_value(place):
    place.allow_missing()
    place.run("INSERT INTO t (id) VALUES (30)")
    path = place.root / "lastro.yaml"
    path.write_text(path.read_text().replace("  t:\n", "  things:\n"))
    contract = place.root / "contracts" / "t.odcs.yaml"
    contract.write_text(contract.read_text().replace("name: t\n", "name: things\n"))
    lake = lastro.open(place.root)

    with pytest.raises(SourceBroken, match="without a value") as caught:
        lake.dataset("things").ingest(mode="append")

    assert caught.value.where.startswith("things (")
