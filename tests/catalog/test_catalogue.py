"""The catalogue: what is recorded, asked and rebuilt."""

from __future__ import annotations

import multiprocessing
import os
import random
import sqlite3
import threading
from contextlib import closing

import pytest
from tests.catalog.examples import NOON, digest, run, used, version

from lastro.catalog import Catalog, Link
from lastro.catalog.tables import APPLICATION_ID, MIGRATIONS
from lastro.model.errors import ConfigurationError, Corrupted, UnknownName, WriteFailed
from lastro.model.reference import Reference

TRAIN = run(
    5, inputs=(used("loans@approved", "loans", 1),), outputs=(used("scores@0", "scores", 0),), metrics={"auc": 0.8}
)
HISTORIES = [
    ("loans", [version("loans", n, nulls=float(n)) for n in range(3)], {"approved": 1}),
    ("features", [version("features", 0, inputs=(f"loans@0 {digest('loans@0')}",))], {}),
    ("scores", [version("scores", 0, run=TRAIN.id, inputs=(f"features@0 {digest('features@0')}",))], {"best": 0}),
    ("empty", [], {}),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".lastro" / "catalog.sqlite"


@pytest.fixture
def catalog(path):
    with closing(Catalog(path)) as made:
        made.rebuild(HISTORIES, [TRAIN])
        yield made


def find(catalog, text):
    return catalog.find(Reference.parse(text)).number


def test_a_version_is_known_by_every_reference(catalog):
    assert catalog.datasets() == ("empty", "features", "loans", "scores")
    assert [each.number for each in catalog.versions("loans")] == [2, 1, 0]
    assert find(catalog, "loans") == 2
    assert find(catalog, "loans@0") == 0
    assert find(catalog, "loans@approved") == 1
    assert find(catalog, "loans@2026-03-02") == 1
    assert find(catalog, "loans@2026-03-02T11:59:59Z") == 0
    assert find(catalog, "loans@" + digest("loans@1")[:20]) == 1


@pytest.mark.parametrize("text", ["loans@9", "loans@unknown", "loans@2026-02-01", "empty", "loans@sha256:0000000000"])
def test_what_is_not_there_is_an_unknown_name(catalog, text):
    with pytest.raises(UnknownName, match="knows no version"):
        find(catalog, text)


def test_a_version_keeps_what_it_was(catalog):
    known = catalog.find(Reference.parse("loans@1"))
    info = HISTORIES[0][1][1]

    assert (known.digest, known.parent, known.committed) == (info.digest, info.parent, info.committed)
    assert (known.rows, known.size, known.mode, known.source) == (101, 4096, "append", "core.db")
    assert known.counts == info.origin.counts


def test_a_metric_has_a_history(catalog):
    moved = catalog.metrics("loans", "income_missing")

    assert [(m.number, m.value, m.column, m.unit) for m in moved] == [
        (0, 0.0, "income", "percent"),
        (1, 1.0, "income", "percent"),
        (2, 2.0, "income", "percent"),
    ]
    assert [m.value for m in catalog.metrics("loans", "table.rows")] == [100, 101, 102]
    assert catalog.metrics("loans", "batch.quarantined")[0].value == 1


def test_runs_are_found_newest_first(catalog):
    catalog.record_run(run(7))

    assert [record.id for record in catalog.runs()] == [run(7).id, TRAIN.id]
    assert catalog.run(TRAIN.id) == TRAIN
    assert catalog.used_by("loans", 1) == (TRAIN.id,)
    with pytest.raises(UnknownName):
        catalog.run("20260301T000000000-00000000")


def test_lineage_goes_back_through_versions_and_runs(catalog):
    back = catalog.lineage(Reference.parse("scores"))

    assert back == (
        Link("features@0", "scores@0", TRAIN.id),
        Link("loans@1", "scores@0", TRAIN.id),
        Link("loans@0", "features@0", ""),
    )
    assert catalog.lineage(Reference.parse("loans@0"), downstream=True) == (
        Link("loans@0", "features@0", ""),
        Link("features@0", "scores@0", TRAIN.id),
    )
    assert catalog.lineage(Reference.parse("loans@2")) == ()


def test_lineage_that_runs_in_a_circle_ends(catalog):
    catalog.record(version("loans", 0, inputs=("scores@0",)))

    assert len(catalog.lineage(Reference.parse("loans@0"))) == 4


def test_tags_move_and_go(catalog):
    catalog.tagged("loans", "approved", 2)
    catalog.tagged("loans", "old", 0)
    catalog.tagged("scores", "best", None)

    assert catalog.tags("loans") == {"approved": 2, "old": 0}
    assert catalog.tags("scores") == {}


def test_a_forgotten_version_leaves_nothing(catalog):
    catalog.forget("loans", 1)

    assert [each.number for each in catalog.versions("loans")] == [2, 0]
    assert [m.number for m in catalog.metrics("loans", "income_missing")] == [0, 2]
    assert catalog.tags("loans") == {}


def test_writing_twice_changes_nothing(catalog):
    before = catalog.dump()

    for _name, history, _tags in HISTORIES:
        for info in history:
            catalog.record(info)
    catalog.record_run(TRAIN)
    catalog.tagged("loans", "approved", 1)

    assert catalog.dump() == before


@pytest.mark.parametrize("seed", range(3))
def test_deleted_and_rebuilt_it_is_the_same(path, tmp_path, seed):
    events = [("record", info) for _name, history, _tags in HISTORIES for info in history]
    events += [("record_run", TRAIN), ("tag", ("loans", "approved", 1)), ("tag", ("scores", "best", 0))]
    random.Random(seed).shuffle(events)
    with closing(Catalog(path)) as grown:
        for kind, value in events:
            grown.tagged(*value) if kind == "tag" else getattr(grown, kind)(value)
        before = grown.dump()
    path.unlink()

    with closing(Catalog(path)) as again:
        again.rebuild(HISTORIES[:3], [TRAIN])

        assert again.dump() == before


def test_rebuilding_forgets_what_is_no_longer_there(catalog):
    catalog.rebuild(HISTORIES[:1], [])

    assert catalog.datasets() == ("loans",)
    assert catalog.runs() == ()


def spoil_header(path):
    path.write_bytes(b"not a database" + path.read_bytes()[14:])


def spoil_pages(path):
    content = bytearray(path.read_bytes())
    content[5000:] = bytes(len(content) - 5000)
    path.write_bytes(content)


def make_foreign(path):
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE somebody (name TEXT)")


def make_newer(path):
    with closing(sqlite3.connect(path)) as own:
        own.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")


def cut_off(path):
    path.write_bytes(path.read_bytes()[:6000])


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (spoil_header, Corrupted),
        (spoil_pages, Corrupted),
        (cut_off, Corrupted),
        (make_foreign, Corrupted),
        (make_newer, ConfigurationError),
    ],
)
def test_a_file_that_cannot_be_used_says_how_to_make_it_anew(catalog, path, spoil, kind):
    catalog.close()
    spoil(path)
    damaged = path.read_bytes()

    with closing(Catalog(path)) as again:
        with pytest.raises(kind) as caught:
            again.check()
            again.dump()
        again.close()

        assert "lastro repair --rebuild-catalog" in caught.value.do
        assert caught.value.where == str(path)
        assert path.read_bytes() == damaged

        again.rebuild(HISTORIES, [TRAIN])
        assert again.datasets() == ("empty", "features", "loans", "scores")
        again.check()


def test_a_folder_that_cannot_be_is_a_clear_error(tmp_path):
    (tmp_path / "state").write_text("a file")

    with pytest.raises(WriteFailed) as caught:
        Catalog(tmp_path / "state" / "catalog.sqlite").datasets()

    assert caught.value.do


def test_the_file_is_durable_and_marked(catalog, path):
    catalog.datasets()

    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert other.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert other.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        strict = {name: bool(is_strict) for _, name, _, _, _, is_strict in other.execute("PRAGMA table_list")}
    assert all(is_strict for name, is_strict in strict.items() if not name.startswith("sqlite_"))


def test_texts_are_bound_and_never_run(catalog):
    hostile = "x'); DROP TABLE version; --"

    catalog.record(version("loans", 3, inputs=(hostile,)))
    catalog.record_run(run(8, error=hostile))

    assert catalog.run(run(8).id).error == hostile
    assert find(catalog, "loans") == 3
    assert catalog.lineage(Reference.parse("loans@3")) == (Link(hostile, "loans@3", ""),)


def write_many(path, worker, count):
    with closing(Catalog(path)) as own:
        for number in range(count):
            own.record(version(f"set{worker}", number))
            own.tagged(f"set{worker}", "newest", number)


def test_several_processes_write_at_once_and_nothing_is_lost(path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=write_many, args=(path, worker, 25)) for worker in range(4)]

    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    with closing(Catalog(path)) as whole:
        assert [len(whole.versions(name)) for name in whole.datasets()] == [25, 25, 25, 25]
        assert all(whole.tags(name) == {"newest": 24} for name in whole.datasets())
        whole.check()


def test_threads_share_one_catalogue(catalog):
    threads = [
        threading.Thread(target=lambda n=n: [catalog.record(version(f"set{n}", k)) for k in range(10)])
        for n in range(4)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert [len(catalog.versions(f"set{n}")) for n in range(4)] == [10, 10, 10, 10]


def test_a_forked_child_uses_a_connection_of_its_own(catalog):
    catalog.record(version("loans", 3))
    child = os.fork()
    if child == 0:
        catalog.record(version("loans", 4))
        os._exit(0)

    _pid, status = os.waitpid(child, 0)
    catalog.record(version("loans", 5))

    assert status == 0
    assert [each.number for each in catalog.versions("loans")] == [5, 4, 3, 2, 1, 0]
    assert catalog.find(Reference.parse("loans@0")).committed == NOON
