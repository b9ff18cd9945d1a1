"""`lastro ingest --source-is`: a source in another place is refused, planned and taken as it is said to be."""

import sqlite3
from contextlib import closing

import pytest
from tests.workspace.lake import Lake


@pytest.fixture
def moved(tmp_path, lastro):
    """Ten rows were appended from `m.db`, which is `data/m.db` now and has twelve."""
    lake = Lake(tmp_path)
    fill(lake.root / "m.db", 10)
    lastro("add", "m.db#m", "--as", "m", "--mode", "append", "--option", "cursor=n")
    assert lastro("ingest", "m").code == 0
    (lake.root / "data").mkdir()
    (lake.root / "m.db").rename(lake.root / "data" / "m.db")
    fill(lake.root / "data" / "m.db", 12)
    settings = lake.root / "lastro.yaml"
    settings.write_text(settings.read_text().replace("path: m.db", "path: data/m.db"))
    return lake


def fill(path, count):
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("CREATE TABLE IF NOT EXISTS m (n INTEGER UNIQUE)")
        made.executemany("INSERT OR IGNORE INTO m VALUES (?)", [(n,) for n in range(1, count + 1)])


@pytest.mark.parametrize("verb", [("ingest", "m"), ("run",)])
def test_what_may_be_doubled_is_refused_with_both_ways_out(moved, lastro, verb):
    ended = lastro(*verb, "--json")
    told = ended.json if verb[0] == "ingest" else ended.json["steps"][0]

    assert ended.code == 3
    assert told["code"] == "LST-0303"
    assert "lastro ingest m --source-is same" in told["do"]
    assert "lastro ingest m --source-is another" in told["do"]
    assert lastro("ingest", "m", "--source-is", "same", "--json").json["results"][0]["rows_total"] == 12


def test_the_same_goes_on_and_is_told_once(moved, lastro):
    ended = lastro("ingest", "m", "--source-is", "same", "--json")

    assert ended.json["results"][0]["counts"]["read"] == 2
    assert ended.json["results"][0]["notes"] == ["data/m.db#m goes on after what was read of m.db#m"]
    assert lastro("ingest", "m", "--json").json["results"][0]["unchanged"]


def test_another_one_is_read_from_its_start(moved, lastro):
    assert lastro("ingest", "m", "--source-is", "another", "--json").json["results"][0]["rows_total"] == 22


def test_a_plan_says_that_it_would_be_refused(moved, lastro):
    assert "would double them" in lastro("ingest", "m", "--plan").out


def test_only_the_two_words_are_taken(moved, lastro):
    assert lastro("ingest", "m", "--source-is", "perhaps").code == 2
