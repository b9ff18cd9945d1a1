"""What was counted of a version outlives its rows: drift and profiles work from it, and say so where they cannot."""

import pytest
from tests.workspace.watched import Watched

from lastro.model.errors import Expired
from lastro.store.paths import Places


@pytest.fixture
def lake(tmp_path):
    made = Watched(tmp_path / "lake")
    made.configure(mode="overwrite")
    for number in range(4):
        for earlier in made.root.glob("loans*.csv"):
            earlier.unlink()
        made.batch(number, moved=number > 1)
        made.wait(days=1)
    made.wait(days=30)
    (tables,) = [one for one in made.open().gc(apply=True).collected if one[0] == "loans"]
    assert tables[1].expired == (0, 1, 2)
    return made


def drift(lake, reference, **asked):
    return lake.open().dataset("loans").drift(reference, **asked)


def test_versions_without_rows_are_compared_by_what_was_counted(lake):
    same, moved, newest = drift(lake, "0", current="1"), drift(lake, "0", current="2"), drift(lake, "0")

    assert (same.passed, moved.passed, newest.passed) == (True, False, False)
    assert not any(each.comparison.rows_read for each in (same, moved, newest))
    assert moved.worst(1)[0].name == "income"


def test_their_profile_is_shown(lake):
    assert lake.open().dataset("loans").profile("0").counts.rows == 2000


def test_a_monitor_compares_with_a_reference_whose_rows_were_collected(lake):
    lake.watch("reference: 0", mode="overwrite")
    look = lake.look()

    assert (look.code, look.verdict, look.looked.reference.number) == ("", "drifted", 0)
    assert lake.open().look_again("drift", 0) == look


def test_rows_are_read_no_more_and_that_is_said(lake):
    with pytest.raises(Expired, match="the files of loans@0 were collected"):
        drift(lake, "0", current="2", by="uf")
    with pytest.raises(Expired, match="the files of loans@2 were collected, and rows within a time are asked for"):
        drift(lake, "0", current="2", since="2026-01-01", time="applied_at")
    with pytest.raises(Expired):
        lake.open().dataset("loans").version("0")


def test_without_what_was_counted_there_is_nothing_to_compare(lake):
    places = Places(lake.root, "loans")
    places.profile(1).unlink()
    with pytest.raises(
        Expired, match=r"loans@1 were collected, and what was counted of it cannot be held against loans@0"
    ):
        drift(lake, "0", current="1")
    places.profile(0).unlink()

    with pytest.raises(Expired, match="the files of loans@0 were collected"):
        drift(lake, "0")


def test_what_was_counted_stays_when_files_are_collected_again(lake):
    lake.wait(days=60)
    lake.open().gc(apply=True)

    assert not drift(lake, "0", current="2").passed
    assert lake.open().verify().passed
