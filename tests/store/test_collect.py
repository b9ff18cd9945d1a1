"""Collecting: what is kept, what goes, and what a collected version says of itself."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from tests.store.making import Clock, append, content, files_of, overwrite, restore, upsert

from lastro.model.clock import utc_now
from lastro.model.errors import Corrupted, Expired, UsageError
from lastro.model.reference import Number
from lastro.store.check import verify
from lastro.store.collect import collect
from lastro.store.repair import repair
from lastro.store.table import Table

WEEK = timedelta(days=7)


@pytest.fixture
def clock() -> Clock:
    return Clock(utc_now())


@pytest.fixture
def table(tmp_path: Path, clock: Clock) -> Table:
    """Four overwritten versions, a day apart."""
    table = Table(tmp_path, "loans", clock=clock)
    for number in range(4):
        overwrite(table, [(number, number)], str(number))
        clock.pass_(days=1)
    return table


def test_nothing_goes_within_the_grace_period(table: Table) -> None:
    assert collect(table, keep=set(), grace=WEEK, apply=True).files == ()


def test_superseded_versions_go_after_it_and_the_newest_stays(table: Table, clock: Clock) -> None:
    clock.pass_(days=30)

    told = collect(table, keep=set(), grace=WEEK)
    done = collect(table, keep=set(), grace=WEEK, apply=True)

    assert (told.files, told.expired, told.done) == (done.files, done.expired, False)
    assert (len(done.files), done.expired, done.done) == (3, (0, 1, 2), True)
    assert content(table) == [(3, 3)]
    assert [info.number for info in table.history()] == [3, 2, 1, 0]
    assert collect(table, keep=set(), grace=WEEK, apply=True).files == ()
    assert verify(table, read_data=True) == ()


def test_an_expired_version_says_so(table: Table, clock: Clock) -> None:
    before = table.version(1)
    clock.pass_(days=30)
    collect(table, keep=set(), grace=WEEK, apply=True)

    assert table.expired() == {0, 1, 2}
    with pytest.raises(Expired, match="loans@1"):
        table.version(1)
    with pytest.raises(Expired):
        table.find(Number(1))
    with pytest.raises(Expired):
        table.paths(before)
    with pytest.raises(Expired):
        table.tag("late", 1)
    with pytest.raises(Expired):
        restore(table, 1, "back")


def test_tags_and_pins_keep_their_versions(table: Table, clock: Clock) -> None:
    table.tag("approved", 0)
    clock.pass_(days=30)

    done = collect(table, keep={2}, grace=WEEK, apply=True)

    assert done.expired == (1,)
    assert [content(table, number) for number in (0, 2, 3)] == [[(0, 0)], [(2, 2)], [(3, 3)]]


def test_a_version_whose_files_are_all_kept_by_others_does_not_expire(tmp_path: Path, clock: Clock) -> None:
    table = Table(tmp_path, "loans", clock=clock)
    for key in range(3):
        append(table, [(key, key)], str(key))
    upsert(table, [(0, 9)], "u")
    clock.pass_(days=30)

    done = collect(table, keep=set(), grace=WEEK, apply=True)

    assert done.expired == (0, 1, 2)
    assert len(done.files) == 1
    assert content(table) == [(0, 9), (1, 1), (2, 2)]


def test_a_restored_version_keeps_the_files_it_shares(table: Table, clock: Clock) -> None:
    restore(table, 0, "back")
    clock.pass_(days=30)

    done = collect(table, keep=set(), grace=WEEK, apply=True)

    assert done.expired == (1, 2, 3)
    assert content(table, 0) == content(table) == [(0, 0)]


@pytest.mark.parametrize("grace", [timedelta(0), timedelta(hours=23, minutes=59), timedelta(days=-1)])
def test_less_than_a_day_of_grace_is_refused(table: Table, grace: timedelta) -> None:
    with pytest.raises(UsageError, match="24 hours"):
        collect(table, keep=set(), grace=grace, apply=True)


def test_old_orphans_go_and_young_ones_stay(table: Table, clock: Clock) -> None:
    orphan = table.path / "part-00009-0000-0123456789abcdef.parquet"
    orphan.write_text("left by a crash")
    clock.now = utc_now()
    young = collect(table, keep=set(), grace=WEEK)
    clock.pass_(days=60)

    done = collect(table, keep={0, 1, 2}, grace=WEEK, apply=True)

    assert young.files == ()
    assert (done.files, done.expired) == ((orphan.name,), ())
    assert not orphan.exists()


def test_a_damaged_tag_stops_it(table: Table, clock: Clock) -> None:
    table.tag("approved", 0)
    (table.places.tags / "approved.json").write_text("{}")
    clock.pass_(days=30)
    before = files_of(table)

    with pytest.raises(Corrupted, match=r"approved\.json"):
        collect(table, keep=set(), grace=WEEK, apply=True)

    assert files_of(table) == before


def test_a_damaged_list_of_expired_versions_stops_it_and_is_made_again(table: Table, clock: Clock) -> None:
    clock.pass_(days=30)
    collect(table, keep=set(), grace=WEEK, apply=True)
    table.places.expired.write_text("[]")

    with pytest.raises(Corrupted):
        collect(table, keep=set(), grace=WEEK, apply=True)
    assert [damage.path for damage in verify(table)] == ["_lastro/expired.json"]
    repair(table, apply=True)

    assert table.expired() == {0, 1, 2}
    assert verify(table, read_data=True) == ()


def test_links_in_the_table_are_left_alone(table: Table, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "precious.parquet").write_text("not ours")
    (table.path / "link.parquet").symlink_to(tmp_path / "precious.parquet")
    clock.pass_(days=60)

    collect(table, keep=set(), grace=WEEK, apply=True)

    assert (tmp_path / "precious.parquet").exists()
    assert os.path.islink(table.path / "link.parquet")


def test_a_dataset_without_a_version_has_nothing_to_collect(tmp_path: Path) -> None:
    assert collect(Table(tmp_path, "loans"), keep=set(), grace=WEEK, apply=True).files == ()
