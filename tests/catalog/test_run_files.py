"""Run records on disk."""

from __future__ import annotations

import pytest
from tests.catalog.examples import run, used

from lastro.catalog import RunFiles
from lastro.model.errors import Corrupted, NameRefused, UnknownName, WriteFailed


@pytest.fixture
def files(tmp_path):
    return RunFiles(tmp_path / "runs")


def test_a_run_is_read_as_it_was_written(files):
    record = run(1, inputs=(used("loans@approved", "loans", 3),))

    files.write(record)

    assert files.read(record.id) == record
    assert [path.name for path in files.folder.iterdir()] == [f"{record.id}.json"]


def test_writing_again_replaces(files):
    files.write(run(1, metrics={"auc": 0.5}))
    files.write(run(1, metrics={"auc": 0.9}))

    assert [record.metrics for record in files.all()] == [{"auc": 0.9}]


def test_runs_come_oldest_first_and_strangers_are_left_alone(files):
    for place in (3, 1, 2):
        files.write(run(place))
    (files.folder / "notes.json").write_text("{}")
    (files.folder / ".20260301T120100000-00000001.json.tmp").write_text("half")

    assert [record.id for record in files.all()] == [run(place).id for place in (1, 2, 3)]


def test_nothing_was_run_yet(files):
    assert files.all() == ()
    assert files.pins() == {}
    with pytest.raises(UnknownName):
        files.read(run(1).id)


def test_what_runs_used_is_pinned(files):
    files.write(run(1, inputs=(used("loans", "loans", 3),), outputs=(used("scores", "scores", 0),)))
    files.write(run(2, inputs=(used("loans", "loans", 5), used("loans@3", "loans", 3))))

    assert files.pins() == {"loans": {3, 5}, "scores": {0}}


def test_a_damaged_record_is_named_and_hides_no_other(files):
    for place in (1, 2, 3):
        files.write(run(place))
    broken = files.folder / f"{run(2).id}.json"
    broken.write_text(broken.read_text().replace("train.py", "trail.py"))

    whole, errors = files.sorted_out()

    assert [record.id for record in whole] == [run(1).id, run(3).id]
    assert [error.where for error in errors] == [str(broken)]
    with pytest.raises(Corrupted):
        files.pins()


def test_a_record_under_another_runs_name_is_refused(files):
    files.write(run(1))
    (files.folder / f"{run(1).id}.json").rename(files.folder / f"{run(2).id}.json")

    with pytest.raises(Corrupted):
        files.read(run(2).id)


def test_an_id_never_leaves_the_folder(files):
    with pytest.raises(NameRefused):
        files.read("../secrets")


def test_a_folder_that_cannot_be_is_a_clear_error(tmp_path):
    (tmp_path / "runs").write_text("a file")

    with pytest.raises(WriteFailed) as caught:
        RunFiles(tmp_path / "runs").write(run(1))

    assert caught.value.do
