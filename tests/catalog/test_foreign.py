"""What others told stands in the catalogue: once, across a rebuild, and in catalogues of an earlier Lastro."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from tests.catalog.examples import NOON, version

from lastro.catalog import Catalog
from lastro.catalog.tables import APPLICATION_ID, MIGRATIONS
from lastro.model import clock
from lastro.model.foreign import ForeignDataset, ForeignEvent, ForeignJob

JOB = ForeignJob("airflow", "task")
LOANS, SCORES = ForeignDataset("lastro://lake", "loans", "3"), ForeignDataset("s3://lake", "scores")
ANY = ForeignDataset("lastro://lake", "loans")


def told(run: str = "r1", state: str = "COMPLETE", **fields: tuple[ForeignDataset, ...]) -> ForeignEvent:
    used = {"inputs": (LOANS,), "outputs": (SCORES,), **fields}
    return ForeignEvent(run, state, NOON, JOB, **used)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".lastro" / "catalog.sqlite"


def test_an_event_is_taken_once(path: Path) -> None:
    with closing(Catalog(path)) as catalog:
        first = catalog.foreign.take([told(), told("r2")])
        again = catalog.foreign.take([told(), told("r3"), told(state="OTHER")])

        assert (first, again) == (2, 2)
        assert catalog.foreign.readers(LOANS) == (JOB,)
        assert catalog.foreign.writers(SCORES) == (JOB,)
        assert catalog.foreign.inputs(JOB) == ((LOANS, clock.to_text(NOON)),)
        assert catalog.foreign.outputs(JOB) == ((SCORES, clock.to_text(NOON)),)
        assert catalog.foreign.used_in("lastro://lake") == {"loans"}


def test_a_version_is_read_by_name_or_in_its_time(path: Path) -> None:
    before, after = (clock.to_text(NOON + timedelta(hours=hours)) for hours in (-1, 1))
    with closing(Catalog(path)) as catalog:
        catalog.foreign.take([told(inputs=(ANY,))])

        assert catalog.foreign.readers(LOANS, since=before, until=after) == (JOB,)
        assert catalog.foreign.readers(LOANS, since=after) == ()
        assert catalog.foreign.readers(LOANS, until=before) == ()
        catalog.foreign.take([told("r2")])
        assert catalog.foreign.readers(LOANS, since=after) == (JOB,)
        assert catalog.foreign.readers(ForeignDataset("lastro://lake", "loans", "4"), since=after) == ()


@pytest.mark.parametrize("state", ["FAIL", "ABORT"])
def test_a_run_that_failed_wrote_nothing(state: str, path: Path) -> None:
    with closing(Catalog(path)) as catalog:
        catalog.foreign.take([told(state="START"), told(state=state)])

        assert catalog.foreign.writers(SCORES) == ()
        assert catalog.foreign.outputs(JOB) == ()
        assert catalog.foreign.readers(LOANS) == (JOB,)


def test_a_batch_is_taken_whole_or_not_at_all(path: Path) -> None:
    def broken():
        yield told()
        raise ValueError("broken")

    with closing(Catalog(path)) as catalog:
        with pytest.raises(ValueError, match="broken"):
            catalog.foreign.take(broken())

        assert catalog.foreign.readers(LOANS) == ()


def test_a_rebuild_leaves_it(path: Path) -> None:
    with closing(Catalog(path)) as catalog:
        catalog.foreign.take([told()])
        catalog.rebuild([("loans", [version("loans", 0)], {})], [])

        assert catalog.foreign.readers(LOANS) == (JOB,)
        assert catalog.datasets() == ("loans",)


def test_a_catalogue_of_an_earlier_lastro_is_taken_up(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as old:
        for statement in MIGRATIONS[0]:
            old.execute(statement)
        old.execute("INSERT INTO dataset VALUES ('loans')")
        old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        old.execute("PRAGMA user_version = 1")
        old.commit()

    with closing(Catalog(path)) as catalog:
        assert catalog.datasets() == ("loans",)
        assert catalog.foreign.take([told()]) == 1
        catalog.check()
